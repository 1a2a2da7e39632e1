"""Gates whose connections choose, in the native training library, against plain PyTorch in float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import LogicLinear, native_choice, native_gates  # noqa: E402
from tests.native.build import build_train, needs_compiler  # noqa: E402
from tests.native.kernels_lib import cpu_has  # noqa: E402

needs_library = pytest.mark.skipif(
    not native_gates.available(),
    reason="needs libbw_train: build native/ with cmake and install",
)


def plain(x, weights, tables, candidates):
    """The formula, written out: x (batch, inputs) -> (gates, batch)."""
    mixed = torch.einsum("kc,bck->cb", weights, x[:, candidates.long()])
    a, b = mixed.chunk(2)
    w00, w01, w10, w11 = (column[:, None] for column in tables.T)
    return (1 - a) * (1 - b) * w00 + (1 - a) * b * w01 + a * (1 - b) * w10 + a * b * w11


def compare(batch, n_candidates, bits, to_x, gates=13):
    torch.manual_seed(batch + n_candidates)
    x = torch.randint(2, (batch, 30)).float() if bits else torch.rand(batch, 30)
    candidates = torch.stack([torch.randperm(30)[:n_candidates] for _ in range(2 * gates)]).int()
    weights, tables, grad = torch.rand(n_candidates, 2 * gates), torch.rand(gates, 4), torch.randn(gates, batch)
    found = []
    for dtype in (torch.float32, torch.float64):
        mix, gate = (value.to(dtype, copy=True).requires_grad_() for value in (weights, tables))
        rows = x.to(dtype, copy=True).requires_grad_(to_x)
        if dtype == torch.float32:
            y = native_choice.chosen_gates(rows.t(), mix, gate, candidates)
        else:
            y = plain(rows, mix, gate, candidates)
        y.backward(grad.to(dtype))
        found.append([y.detach(), mix.grad, gate.grad, *([rows.grad] if to_x else [])])
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine.double(), want, rtol=2e-5, atol=2e-4)  # float32 sums of up to 513 numbers


@needs_library
@pytest.mark.parametrize("batch", [0, 1, 16, 17, 100, 129, 513])
@pytest.mark.parametrize("n_candidates", [2, 8, 17])
@pytest.mark.parametrize("bits, to_x", [(True, False), (False, False), (False, True)])
def test_forward_and_backward(batch, n_candidates, bits, to_x):
    compare(batch, n_candidates, bits, to_x)


@needs_library
@pytest.mark.parametrize("shape", [(1, 5), (16, 300), (100, 784), (0, 4)])
def test_bits_are_packed_and_anything_else_is_not(shape):
    x = torch.randint(2, shape).float()
    for way in (x, x.t().contiguous().t(), x.repeat(1, 2)[:, ::2]):  # any strides
        found = native_choice._as_bits(way.t())
        want = torch.nn.functional.pad(way.t(), (0, -len(x) % 16)).unflatten(1, (-1, 8)).numpy()
        assert (
            found is not None
            and (np.packbits(want.astype(bool), axis=2, bitorder="little")[..., 0] == found.numpy()).all()
        )
    if x.numel():
        x[-1, -1] = 0.5
        assert native_choice._as_bits(x.t()) is None


@needs_library
@pytest.mark.parametrize("sampling", ["soft", "hard"])
def test_the_layer_is_what_it_is_without_the_library(sampling, monkeypatch):
    torch.manual_seed(0)
    layer, x = (
        LogicLinear(20, 12, wiring="learned", n_candidates=5, sampling=sampling, residual=False),
        torch.rand(9, 20),
    )
    found = []
    for there in (True, False):
        if not there:
            monkeypatch.setattr(native_choice, "takes", lambda *values: False)
        layer.zero_grad()
        y = layer(x)
        y.square().sum().backward()
        found.append([y.detach(), *(p.grad.clone() for p in layer.parameters() if p.grad is not None)])
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine, want, rtol=1e-4, atol=1e-5)


@needs_compiler
@pytest.mark.parametrize("isa", ["reference", "avx2"])
def test_the_loops_of_other_instruction_sets(isa, tmp_path, monkeypatch):
    if not cpu_has(isa):
        pytest.skip(f"this CPU lacks {isa}")
    library = native_gates.open_library(build_train(isa, tmp_path))
    assert library is not None
    monkeypatch.setattr(native_gates, "_library", lambda: library)
    compare(100, 8, True, False)
    compare(37, 5, False, True)
