"""PReLU and RPReLU in one pass each way, of every instruction set by name, against plain PyTorch."""

import math

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.layers import PReLU, RPReLU  # noqa: E402
from bitwright.quantizers import make_quantizer  # noqa: E402
from tests.native.sign_passes import isa  # noqa: E402, F401

SHAPES = [(1, 1), (5, 16, 3, 3), (4097, 1), (3, 70), (300, 33), (2, 130, 5, 7), (1000, 32), (0, 16), (70_001, 3)]


def fresh(shape, dtype, **options):
    torch.manual_seed(sum(shape))
    x, grad = torch.randn(shape).to(dtype), torch.randn(shape).to(dtype)
    return (x.contiguous(**options) if x.dim() == 4 else x).requires_grad_(), grad


def one_way_and_back(layer, dtype, shape, **options):
    """[result, gradients] and the name of the function that made them."""
    x, grad = fresh(shape, dtype, **options)
    layer = layer.to(dtype)
    y = layer(x)
    y.backward(grad)
    return [y.detach(), x.grad, *(p.grad for p in layer.parameters())], type(y.grad_fn).__name__


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("slope", [0.25, -0.7])
def test_prelu(isa, shape, slope):  # noqa: F811
    mine, name = one_way_and_back(PReLU(init=slope), torch.float32, shape, memory_format=torch.channels_last)
    want, _ = one_way_and_back(nn.PReLU(init=slope), torch.float64, shape)
    assert (name == "_PreluBackward") == (0 not in shape)
    x = fresh(shape, torch.float32)[0].detach()
    assert torch.equal(mine[0], nn.functional.prelu(x, torch.tensor([slope])))  # thresholds come from either
    for a, b in zip(mine, want, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-6 * max(len(mine[0]), 10))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rprelu(isa, shape):  # noqa: F811
    layers = [RPReLU(shape[1]) for _ in range(2)]
    for vector in ("shift_in", "slope", "shift_out"):
        numbers = torch.randn(shape[1])
        for layer in layers:
            getattr(layer, vector).data.copy_(numbers)
    mine, name = one_way_and_back(layers[0], torch.float32, shape, memory_format=torch.channels_last)
    want, other = one_way_and_back(layers[1], torch.float64, shape)
    assert (name == "_RpreluBackward") == (0 not in shape) and other == "AddBackward0"
    learned = [p.detach().float() for p in (layers[0].shift_in, layers[0].slope, layers[0].shift_out)]
    x = fresh(shape, torch.float32)[0].detach()
    assert torch.equal(mine[0], RPReLU.plain(x, *learned))
    for a, b in zip(mine, want, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-6 * max(a.numel() and len(x), 10))


def test_edges_and_what_is_left_to_torch(isa):  # noqa: F811
    x = torch.tensor([[0.0, -0.0, math.inf, -math.inf, math.nan, -2.0]])
    own, layer, shifted = nn.PReLU(), PReLU(), RPReLU(6)
    for result in (layer(x), shifted(x)):
        torch.testing.assert_close(result, own(x), equal_nan=True, rtol=0, atol=0)
    assert layer.double()(x.double()).dtype == shifted.double()(x.double()).dtype == torch.float64
    assert type(PReLU(3)(torch.randn(2, 3)).grad_fn).__name__ == "PreluKernelBackward0"
    assert type(RPReLU(3)(torch.randn(2, 3, 5, 5)).grad_fn).__name__ == "AddBackward0"  # channels first
    for wrong in (RPReLU(3), make_quantizer("fda_noise", 3, axis=1).train()):
        with pytest.raises(RuntimeError, match="size|shape"):
            wrong(torch.randn(4, 6))
    assert list(layer.state_dict()) == list(own.state_dict()) == ["weight"]


@pytest.mark.parametrize("to_x", [True, False])
def test_gradients_can_be_differentiated_again(isa, to_x):  # noqa: F811
    x = torch.randn(30, 4)
    for pair in ((PReLU(), nn.PReLU()), (RPReLU(4), RPReLU(4).double())):
        found = []
        for layer in pair:
            leaf = x.to(next(layer.parameters()).dtype, copy=True).requires_grad_(to_x)
            inputs = [*([leaf] if to_x else []), *layer.parameters()]
            grads = torch.autograd.grad(layer(leaf).square().sum(), inputs, create_graph=True)
            torch.stack([grad.square().sum() for grad in grads]).sum().backward()
            found.append([t.grad.double() for t in inputs if t.grad is not None])
        for mine, want in zip(*found, strict=True):
            torch.testing.assert_close(mine, want, rtol=1e-4, atol=1e-3)
