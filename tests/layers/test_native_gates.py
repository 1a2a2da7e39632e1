"""The native training library against plain PyTorch in float64, on awkward sizes, with and without grad_x."""

import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import LogicLinear, native_gates  # noqa: E402
from bitwright.layers.gates import relaxed_gates, scatter_plan  # noqa: E402
from bitwright.layers.parametrizations import TRUTH, mean_of_16  # noqa: E402

needs_library = pytest.mark.skipif(
    not native_gates.available(),
    reason="needs libbw_train: build native/ with cmake and install",
)


@needs_library
@pytest.mark.parametrize("batch", [0, 1, 15, 16, 17, 100, 513])
@pytest.mark.parametrize("to_inputs", [True, False])
@pytest.mark.parametrize("n_in", [19, 9000])  # 9000 rows take more than one pass over a batch
def test_gates_forward_and_backward(batch, to_inputs, n_in):
    torch.manual_seed(batch)
    wiring, table, x = torch.randint(n_in, (2, 33)).int(), torch.rand(33, 4), torch.rand(n_in, batch)
    wiring[1, 0] = wiring[0, 0]  # a gate that reads one input twice
    grad, results = torch.randn(33, batch), []
    for dtype in (torch.float32, torch.float64):
        a = x.to(dtype, copy=True).requires_grad_(to_inputs)
        b = table.to(dtype, copy=True).requires_grad_()
        y = relaxed_gates(a, b, wiring, scatter_plan(wiring, n_in))
        if dtype == torch.float32:
            assert type(y.grad_fn).__name__.startswith("_NativeTwoInputs")
        y.backward(grad.to(dtype))
        results.append([y.detach().double(), b.grad.double(), *([a.grad.double()] if to_inputs else [])])
    for mine, want in zip(*results, strict=True):
        torch.testing.assert_close(mine, want, rtol=2e-5, atol=5e-5)  # float32 sums of up to 513 numbers


@needs_library
def test_the_mean_of_16_gates_and_its_gradient():
    torch.manual_seed(0)
    for scale in (1.0, 30.0, 500.0):
        logits = scale * torch.randn(50, 16)
        mine, want = logits.clone().requires_grad_(), logits.double().requires_grad_()
        grad = torch.randn(50, 4)
        tables = mean_of_16(mine)
        expected = want.softmax(1) @ TRUTH.double()
        tables.backward(grad)
        expected.backward(grad.double())
        torch.testing.assert_close(tables.double(), expected, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(mine.grad.double(), want.grad, rtol=1e-4, atol=1e-6)


@needs_library
def test_bits_stay_bits():
    x, table, wiring = torch.randint(2, (20, 70)).float(), torch.randint(2, (30, 4)).float(), torch.randint(20, (2, 30))
    plain = relaxed_gates(x.double(), table.double(), wiring)
    assert torch.equal(relaxed_gates(x, table, wiring.int()).double(), plain)


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
