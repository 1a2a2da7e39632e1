"""RASU in the native training library, of every instruction set by name, against its formula in float64."""

import math

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import RASU, native_cosine  # noqa: E402
from tests.native.cosine_passes import isa  # noqa: E402, F401


def both_ways(layer, x, grad):
    leaf = x.clone().requires_grad_()
    layer.zero_grad()
    y = layer(leaf)
    y.backward(grad)
    return [y.detach(), leaf.grad, layer.log_alpha.grad.clone()], type(y.grad_fn).__name__


@pytest.mark.parametrize("shape", [(1,), (15,), (3, 5), (4095,), (4096,), (4097,), (2, 33, 5, 7), (60_001,)], ids=str)
def test_values_and_gradients(isa, shape):  # noqa: F811
    torch.manual_seed(sum(shape))
    layer, x, grad = RASU(3.7), torch.randn(shape), torch.randn(shape)
    if len(shape) == 4:
        x = x.contiguous(memory_format=torch.channels_last)  # and grad is not
    mine, name = both_ways(layer, x, grad)
    alpha = math.exp(layer.log_alpha.item())
    above, twice = x.double() > 0, x.double()
    want = [twice.clamp_min(0) * alpha, above * grad.double() * alpha, (above * twice * grad.double()).sum() * alpha]
    assert name == "_RasuBackward"
    for a, b in zip(mine, want, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=2e-5 * x.numel() ** 0.5)


def test_edges_threads_and_what_is_left_to_pytorch(isa, monkeypatch):  # noqa: F811
    x = torch.tensor([0.0, -0.0, math.inf, -math.inf, math.nan, 1e-40, -2.0]).repeat(5)
    torch.testing.assert_close(RASU()(x), torch.relu(x * RASU().log_alpha.exp()), equal_nan=True, rtol=1e-6, atol=0)
    x, grad, before, found = torch.randn(100_000), torch.randn(100_000), torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        found.append(both_ways(RASU(), x, grad)[0])
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    assert both_ways(RASU().double(), x.double(), grad.double())[1] == "ReluBackward0"
    monkeypatch.setattr(native_cosine, "library", lambda: None)
    assert both_ways(RASU(), x, grad)[1] == "ReluBackward0"


def test_gradients_can_be_differentiated_again(isa):  # noqa: F811
    layer, x = RASU(2.0), torch.randn(40, requires_grad=True)
    (grad,) = torch.autograd.grad(layer(x).pow(2).sum(), x, create_graph=True)  # 2 alpha^2 x where x > 0
    grad.sum().backward()
    above = x.detach() > 0
    torch.testing.assert_close(x.grad, 8.0 * above)
    torch.testing.assert_close(layer.log_alpha.grad, 16 * (x.detach() * above).sum())
