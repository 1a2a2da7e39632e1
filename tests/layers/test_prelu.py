"""PReLU in one pass against torch's own."""

import math

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.layers import PReLU  # noqa: E402
from bitwright.quantizers import native_signs  # noqa: E402

needs_library = pytest.mark.skipif(
    not native_signs.available(), reason="needs libbw_train: build native/ with cmake and install"
)


@needs_library
@pytest.mark.parametrize("shape", [(1,), (5, 16, 3, 3), (4097,), (3, 70_001)], ids=str)
@pytest.mark.parametrize("slope", [0.25, -0.7])
def test_one_slope(shape, slope, monkeypatch):
    monkeypatch.setattr(native_signs, "SMALL", 0)
    torch.manual_seed(0)
    mine, torchs = PReLU(init=slope), nn.PReLU(init=slope).double()
    x, grad = torch.randn(shape), torch.randn(shape)
    x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
    leaf, wide = x.clone().requires_grad_(), x.double().requires_grad_()
    y = mine(leaf)
    assert type(y.grad_fn).__name__ == "_PreluBackward"
    assert torch.equal(y, nn.functional.prelu(x, mine.weight))  # bit for bit: thresholds come from either
    y.backward(grad)
    torchs(wide).backward(grad.double())
    assert leaf.grad is not None and mine.weight.grad is not None and torchs.weight.grad is not None
    torch.testing.assert_close(leaf.grad.double(), wide.grad, rtol=1e-6, atol=0)
    torch.testing.assert_close(mine.weight.grad.double(), torchs.weight.grad, rtol=1e-5, atol=1e-3)


@needs_library
def test_edges_and_what_is_left_to_torch(monkeypatch):
    monkeypatch.setattr(native_signs, "SMALL", 0)
    x = torch.tensor([0.0, -0.0, math.inf, -math.inf, math.nan, -2.0])
    own, layer = nn.PReLU(), PReLU()
    assert torch.equal(layer(x)[:4], own(x)[:4]) and layer(x)[4].isnan() and layer(x)[5] == -0.5
    assert layer(x[:0]).shape == (0,) and layer.double()(x.double()).dtype == torch.float64
    many = PReLU(3)
    assert type(many(torch.randn(2, 3)).grad_fn).__name__ == "PreluKernelBackward0"
    assert list(layer.state_dict()) == list(own.state_dict()) == ["weight"]


@needs_library
def test_its_gradient_can_be_differentiated(monkeypatch):
    monkeypatch.setattr(native_signs, "SMALL", 0)
    x, found = torch.randn(30), []
    for layer in (PReLU(), nn.PReLU()):
        leaf = x.clone().requires_grad_()
        (grad,) = torch.autograd.grad(layer(leaf).square().sum(), leaf, create_graph=True)
        grad.sum().backward()
        found.append([leaf.grad, layer.weight.grad])
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine, want)
