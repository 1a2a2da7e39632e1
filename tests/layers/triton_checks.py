"""Triton's kernels of two-input gates against the plain form in float64. test_triton_gates.py runs this file: on the
CPU in Triton's interpreter (TRITON_INTERPRET=1), or on a GPU."""

import os

import pytest
import torch

from bitwright.layers import LogicConv2d, LogicLinear, gates, triton_gates
from bitwright.layers.gates import relaxed_gates, scatter_plan

DEVICE = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
# A value is off by what its dtype rounds away; a gradient row is rounded once more before readers are added up.
ERROR = {torch.float32: 1e-6, torch.bfloat16: 2**-8, torch.float16: 2**-11}


def both_ways(n_inputs, n_gates, batch, dtype, to_x=True):
    """[values, gradients of tables, of inputs] of the kernels, then of the plain form in float64."""
    torch.manual_seed(n_gates + batch)
    x, table = torch.rand(n_inputs, batch).to(dtype), torch.rand(n_gates, 4)
    grad, wiring = torch.randn(n_gates, batch).to(dtype), torch.randint(n_inputs, (2, n_gates)).int()
    if n_gates > 1:
        wiring[1, 0] = wiring[0, 0]  # a gate that reads an input twice
    plan, found = scatter_plan(wiring, n_inputs), []
    for kind, device in ((None, DEVICE), (torch.float64, "cpu")):
        rows = x.to(device, kind, copy=True).requires_grad_(to_x)
        entries = table.to(device, kind, copy=True).requires_grad_()
        own = [t.to(device) for t in (wiring, *plan)]
        y = triton_gates.gates(rows, entries, *own) if kind is None else relaxed_gates(rows, entries, own[0])
        y.backward(grad.to(y))
        found.append([y.detach(), entries.grad, *([rows.grad] if to_x else [])])
    assert found[0][0].dtype == dtype
    return zip(*found, strict=True)


def close(mine, want, error):
    assert float((mine.cpu().double() - want).norm()) <= error * float(want.norm())


@pytest.mark.parametrize("dtype", ERROR, ids=str)
@pytest.mark.parametrize(
    "n_inputs, n_gates, batch", [(1, 1, 1), (3, 1, 513), (7, 8, 128), (40, 13, 129), (5, 33, 37), (300, 20, 5)]
)
def test_forward_and_backward(n_inputs, n_gates, batch, dtype):
    for mine, want in both_ways(n_inputs, n_gates, batch, dtype):
        close(mine, want, 2 * ERROR[dtype])


def test_many_samples_are_added_up_in_parts():
    for mine, want in both_ways(4, 3, triton_gates.PART + 200, torch.float32):
        close(mine, want, 1e-5)


def test_no_gradient_of_the_inputs_where_none_is_wanted():
    for mine, want in both_ways(6, 9, 20, torch.float32, to_x=False):
        close(mine, want, 2e-6)


@pytest.mark.parametrize("n_gates, batch", [(5, 0), (1, 0)])
def test_no_samples(n_gates, batch):
    shapes = [mine.shape for mine, _ in both_ways(4, n_gates, batch, torch.float32)]
    assert shapes == [(n_gates, batch), (n_gates, 4), (4, batch)]


def test_bits_and_hard_tables_give_bits_exactly():
    x, table = torch.randint(2, (20, 65)).float().to(DEVICE), torch.randint(2, (30, 4)).float().to(DEVICE)
    wiring = torch.randint(20, (2, 30)).int().to(DEVICE)
    got = triton_gates.gates(x, table, wiring, *scatter_plan(wiring, 20))
    assert torch.equal(got, table.gather(1, (2 * x[wiring[0].long()] + x[wiring[1].long()]).long()))


def test_the_operators_keep_torchs_rules():
    """Schema, shapes without values, gradients."""
    x, table = torch.rand(6, 9, device=DEVICE, requires_grad=True), torch.rand(5, 4, device=DEVICE, requires_grad=True)
    wiring = torch.randint(6, (2, 5), device=DEVICE).int()
    tests = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(torch.ops.bitwright.gates2, (x, table, wiring, *scatter_plan(wiring, 6)), test_utils=tests)


def test_under_autocast_signals_have_sixteen_bits():
    x, table = torch.rand(6, 9, device=DEVICE, requires_grad=True), torch.rand(5, 4, device=DEVICE)
    wiring = torch.randint(6, (2, 5), device=DEVICE).int()
    with torch.autocast(DEVICE, torch.bfloat16):
        y = triton_gates.gates(x, table, wiring, *scatter_plan(wiring, 6))
    y.sum().backward()
    assert y.dtype == torch.bfloat16 and x.grad is not None and x.grad.dtype == torch.float32


@pytest.mark.parametrize("layer", [
    LogicLinear(20, 12, wiring="unique"), LogicLinear(20, 12, wiring="learned", n_candidates=5),
    LogicLinear(20, 12, parametrization="table", sampling="hard"), LogicConv2d(2, 3, 3, depth=2, padding=1),
])  # fmt: skip
def test_layers_use_them_and_train_as_ever(layer, monkeypatch):
    """As if DEVICE were a GPU without the native library; values and all gradients beside the same layer in float64."""
    from bitwright.layers import logic, logic_conv, native_choice

    x, calls = torch.rand(7, 2, 4, 5) if isinstance(layer, LogicConv2d) else torch.rand(7, 20), []
    monkeypatch.setattr(native_choice, "takes", lambda *values: False)
    for room in (logic, logic_conv):
        monkeypatch.setattr(room, "takes", lambda *values: False)

    def counted(rows, table, *rest):
        calls.append(len(table))
        return triton_gates.gates(rows, table, *rest)

    def dispatched(rows, table, wiring, plan=None):
        own = scatter_plan(wiring, len(rows)) if plan is None else plan
        return counted(rows, table, wiring, *own) if rows.dtype == torch.float32 else plain(rows, table, wiring, plan)

    plain, found = gates.relaxed_gates, []
    for room in (logic, logic_conv):
        monkeypatch.setattr(room, "relaxed_gates", dispatched)
    for dtype, device in ((torch.float32, DEVICE), (torch.float64, "cpu")):
        layer.to(device, dtype).zero_grad()
        leaf = x.to(device, dtype, copy=True).requires_grad_()
        layer(leaf).square().sum().backward()
        found.append([leaf.grad, *(p.grad.clone() for p in layer.parameters() if p.grad is not None)])
    assert calls
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine.cpu().double(), want, rtol=1e-4, atol=1e-5)


def test_the_first_use_tries_them_out(monkeypatch):
    assert triton_gates.probe(torch.device(DEVICE)) == ""
    monkeypatch.setattr(triton_gates, "_gates_back", lambda *_, **__: [torch.zeros(5, 4), torch.zeros(9, 4)])
    triton_gates.works.cache_clear()
    with pytest.warns(UserWarning, match="plain PyTorch instead of Triton.*wrong gradients of inputs"):
        assert not triton_gates.works(torch.device(DEVICE))
    triton_gates.works.cache_clear()
