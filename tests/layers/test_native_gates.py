"""The native training library against plain PyTorch in float64, on awkward sizes, with and without grad_x."""

import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import LogicLinear, native_gates  # noqa: E402
from bitwright.layers.gate_order import first_use, trail  # noqa: E402
from bitwright.layers.gate_stack import gate_stack, stack_plan  # noqa: E402
from bitwright.layers.gates import relaxed_gates, scatter_plan  # noqa: E402
from bitwright.layers.group_sum import GroupSum  # noqa: E402
from bitwright.layers.logic_stack import LogicStack  # noqa: E402
from bitwright.layers.parametrizations import mean_of_16  # noqa: E402
from tests.native.build import build_train, needs_compiler  # noqa: E402
from tests.native.kernels_lib import cpu_has  # noqa: E402

needs_library = pytest.mark.skipif(
    not native_gates.available(),
    reason="needs libbw_train: build native/ with cmake and install",
)


def some_wirings(widths):
    wirings = [torch.randint(n_in, (2, n_out)).int() for n_in, n_out in zip(widths, widths[1:])]
    wirings[0][1, 0] = wirings[0][0, 0]  # a gate that reads one input twice
    return wirings


def both_ways(widths, batch, n_groups, to_inputs, threads, half=False):
    """[result, gradients] of the library, then of plain PyTorch in float64. half: under autocast."""
    wirings, x = some_wirings(widths), torch.rand(batch, widths[0])
    tables, grad = [torch.rand(width, 4) for width in widths[1:]], torch.randn(batch, n_groups or widths[-1])
    found = []
    for dtype in (torch.float32, torch.float64):
        leaf = x.to(dtype, copy=True).requires_grad_(to_inputs)
        learned = [table.to(dtype, copy=True).requires_grad_() for table in tables]
        if dtype == torch.float32:
            before = torch.get_num_threads()
            torch.set_num_threads(threads)
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                y = gate_stack(leaf, learned, stack_plan(wirings, widths[0], n_groups), n_groups)
            y.backward(grad.to(dtype))
            torch.set_num_threads(before)
        else:
            rows = leaf.t()
            for wiring, table in zip(wirings, learned, strict=True):
                rows = relaxed_gates(rows, table, wiring, scatter_plan(wiring, len(rows)))
            y = rows.t().unflatten(1, (n_groups, -1)).sum(2) if n_groups else rows.t()
            y.backward(grad.to(dtype))
        found.append([y.detach(), *(table.grad for table in learned), *([leaf.grad] if to_inputs else [])])
    return found


@needs_library
@pytest.mark.parametrize("batch", [0, 1, 15, 16, 17, 100, 513])
@pytest.mark.parametrize("to_inputs", [True, False])
@pytest.mark.parametrize("widths", [(19, 33), (7, 40, 3, 30), (9000, 30)])
@pytest.mark.parametrize("n_groups", [0, 3])
def test_a_stack_forward_and_backward(batch, to_inputs, widths, n_groups):
    torch.manual_seed(batch)
    for mine, want in zip(*both_ways(widths, batch, n_groups, to_inputs, threads=1 + batch % 3), strict=True):
        torch.testing.assert_close(mine.double(), want, rtol=2e-5, atol=5e-5)  # float32 sums of up to 513 numbers


@needs_library
@pytest.mark.parametrize("batch", [1, 16, 17, 31, 32, 33, 100, 128, 513])
@pytest.mark.parametrize("widths", [(19, 33), (7, 40, 3, 30), (90, 30)])
@pytest.mark.parametrize("n_groups", [0, 3])
def test_a_stack_in_halves(batch, widths, n_groups):
    """A value is rounded by at most 2^-12 of 1, a gradient by 2^-9 of itself whenever another reader adds to it."""
    torch.manual_seed(batch)
    threads, to_inputs = 1 + batch % 2, batch % 3 > 0
    for mine, want in zip(*both_ways(widths, batch, n_groups, to_inputs, threads, half=True), strict=True):
        assert float((mine - want).norm()) <= 0.015 * float(want.norm())  # sums of up to 20 readers in the second net


@needs_library
def test_inputs_that_nobody_reads_get_no_gradient():
    torch.manual_seed(0)
    wirings = [torch.randint(5, (2, 40)).int() + 3, torch.randint(9, (2, 6)).int() + 7]  # of 12 and of 40
    learned, x = [torch.rand(40, 4), torch.rand(6, 4)], torch.rand(33, 12, requires_grad=True)
    gate_stack(x, learned, stack_plan(wirings, 12)).sum().backward()
    read = (x.grad != 0).any(0)
    used = wirings[0][:, torch.unique(wirings[1]).long()]
    assert set(read.nonzero()[:, 0].tolist()) <= set(used.flatten().tolist()) and bool(read.any())
    want = x.detach().double().requires_grad_()
    rows = relaxed_gates(want.t(), learned[0].double(), wirings[0])
    relaxed_gates(rows, learned[1].double(), wirings[1]).sum().backward()
    torch.testing.assert_close(x.grad.double(), want.grad, rtol=1e-5, atol=1e-6)


@needs_compiler
@pytest.mark.parametrize("isa", ["reference", "avx2"])
def test_the_loops_of_other_instruction_sets(isa, tmp_path, monkeypatch):
    if not cpu_has(isa):
        pytest.skip(f"this CPU lacks {isa}")
    library = native_gates.open_library(build_train(isa, tmp_path))
    assert library is not None
    monkeypatch.setattr(native_gates, "_library", lambda: library)
    torch.manual_seed(0)
    for mine, want in zip(*both_ways((19, 40, 3, 30), 37, 3, True, 2), strict=True):
        torch.testing.assert_close(mine.double(), want, rtol=2e-5, atol=5e-5)
    softmax_is_right(scale=3.0, n_gates=37)


@needs_library
def test_gradients_of_many_small_numbers_do_not_slow_down_or_vanish():
    x, tables = torch.full((32, 4), 1e-30), [torch.rand(6, 4).requires_grad_() for _ in range(2)]
    wirings = some_wirings([4, 6, 6])
    gate_stack(x, tables, stack_plan(wirings, 4)).backward(torch.full((32, 6), 1e-20))
    assert all(bool(table.grad.isfinite().all()) and float(table.grad.sum()) > 0 for table in tables)
    assert float(torch.tensor([1e-39]) * 0.5) > 0  # the rest of the process keeps its small numbers


@pytest.mark.parametrize("n_inputs, n_gates", [(1, 1), (5, 40), (60, 30), (50, 50)])
def test_a_trail_takes_every_gate_once_and_mostly_walks_on(n_inputs, n_gates):
    a, b = torch.randint(n_inputs, (2, n_gates)).numpy()
    walk = trail(a, b, n_inputs)
    assert sorted(walk) == list(range(n_gates))
    number = first_use(torch.tensor([[a[g], b[g]] for g in walk]).reshape(-1).numpy(), n_inputs)
    assert sorted(number) == list(range(n_inputs))
    newest = -1
    for g in walk:
        for signal in (a[g], b[g]):
            assert number[signal] <= newest + 1  # a number enters after all lower ones
            newest = max(newest, number[signal])


@needs_library
def test_a_logic_stack_is_its_modules_in_a_row():
    torch.manual_seed(0)
    layers = [LogicLinear(12, 20), LogicLinear(20, 16), LogicLinear(16, 9, wiring="learned", n_candidates=4)]
    layers += [LogicLinear(9, 15, k=3, parametrization="table"), LogicLinear(15, 12), LogicLinear(12, 18)]
    fused, x = LogicStack(*layers, GroupSum(3, 2.0)), torch.rand(40, 12)
    plain = torch.nn.Sequential(*fused)
    assert list(fused.state_dict()) == list(plain.state_dict())
    for training in (True, False):
        inputs, found = x if training else x.round(), []
        for model in (fused.train(training), plain.train(training)):
            model.zero_grad()
            y = model(inputs)
            if training:
                y.square().sum().backward()
            found.append([y.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)])
        for mine, want in zip(*found, strict=True):
            torch.testing.assert_close(mine, want, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        assert torch.equal(fused(x.round().repeat(10, 1)), plain(x.round()).repeat(10, 1))


@needs_library
def test_a_stack_follows_wiring_that_was_loaded_and_counts_hooks():
    torch.manual_seed(1)
    model, other = (LogicStack(LogicLinear(8, 8), LogicLinear(8, 6), GroupSum(2)) for _ in range(2))
    x, calls = torch.rand(5, 8), []
    model(x)
    model.load_state_dict(other.state_dict())
    torch.testing.assert_close(model(x), other(x))
    model[0].register_forward_hook(lambda *_: calls.append(1))
    torch.testing.assert_close(model(x), other(x))
    assert calls == [1]


@needs_library
def test_backward_may_be_asked_for_twice_and_late():
    torch.manual_seed(2)
    model, x = LogicStack(LogicLinear(8, 8), LogicLinear(8, 6)), torch.rand(20, 8)
    first, second = model(x).sum(), model(x.flip(0)).sum()  # two at once: neither may use the other's memory
    (grad,) = torch.autograd.grad(first, model[0].tables.params, retain_graph=True)
    second.backward()
    (again,) = torch.autograd.grad(first, model[0].tables.params)
    assert torch.equal(grad, again)


def softmax_is_right(scale, n_gates):
    """Logits of 16 gates: result and gradient are those of the softmax's mean of their tables."""
    logits, x = scale * torch.randn(n_gates, 16), torch.rand(33, 9)
    wirings, grad = some_wirings([9, n_gates]) if n_gates else [torch.zeros(2, 0).int()], torch.randn(33, n_gates)
    mine, want = logits.clone().requires_grad_(), logits.double().requires_grad_()
    y = gate_stack(x, [mine], stack_plan(wirings, 9))
    expected = relaxed_gates(x.double().t(), mean_of_16(want), wirings[0]).t()
    y.backward(grad)
    expected.backward(grad.double())
    torch.testing.assert_close(y.double(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(mine.grad.double(), want.grad, rtol=2e-4, atol=2e-6)


@needs_library
@pytest.mark.parametrize("scale, n_gates", [(1.0, 50), (30.0, 1), (500.0, 64), (1.0, 0), (1.0, 513)])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_softmax_over_16_gates_and_its_gradient(scale, n_gates, threads):
    torch.manual_seed(0)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    softmax_is_right(scale, n_gates)
    torch.set_num_threads(before)


@needs_library
def test_under_autocast_signals_of_16_bits_are_nearly_the_same():
    torch.manual_seed(3)
    layers = [LogicLinear(20, 60), LogicLinear(60, 60), LogicLinear(60, 60), LogicLinear(60, 30)]
    model, x, found = LogicStack(*layers, GroupSum(3)), torch.rand(50, 20).round(), []
    for on in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=on):
            y = model(x)
        y.square().sum().backward()
        found.append([y.detach(), *(p.grad.clone() for p in model.parameters())])
    assert found[1][0].dtype == torch.float32
    for exact, near in zip(*found, strict=True):
        assert 0 <= float((exact - near).norm()) < 0.01 * float(exact.norm())
    model.eval()
    with torch.autocast("cpu", torch.bfloat16):
        bits = model(x)
    assert torch.equal(bits, model(x))


@needs_library
def test_bits_stay_bits():
    x, table, wiring = torch.randint(2, (20, 70)).float(), torch.randint(2, (30, 4)).float(), torch.randint(20, (2, 30))
    plain = relaxed_gates(x.double(), table.double(), wiring)
    assert torch.equal(gate_stack(x.t(), [table], stack_plan([wiring], 20)).t().double(), plain)


def test_without_the_library_plain_torch_takes_over(tmp_path):
    code = (
        "import torch; from bitwright.layers import LogicLinear, native_gates; assert not native_gates.available();"
        "torch.manual_seed(0); layer = LogicLinear(9, 20); x = torch.rand(5, 9, requires_grad=True);"
        "y = layer(x); y.sum().backward(); print(float(y.sum()))"
    )
    missing = {**os.environ, "BITWRIGHT_NATIVE_TRAIN": str(tmp_path / "none.so")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=missing)
    assert run.returncode == 0, run.stderr
    torch.manual_seed(0)
    layer = LogicLinear(9, 20)
    assert abs(float(layer(torch.rand(5, 9)).sum()) - float(run.stdout)) < 1e-4
