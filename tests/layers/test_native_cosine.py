"""Cosine layers in the native training library, of every instruction set by name, against their formula in float64."""

import math

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch.nn.functional import conv2d, max_pool2d, normalize  # noqa: E402

from bitwright.layers import CosineConv1d, CosineConv2d, CosineLinear, EmbeddingNoise, native_cosine  # noqa: E402
from bitwright.layers.window_sums import window_sums  # noqa: E402
from tests.native.cosine_passes import isa  # noqa: E402, F401

ROWS = native_cosine.SHARE // 32  # of 32 features a share of the work
LAST = {"memory_format": torch.channels_last}


def formula(raw, inverse, scale, bias, pool):
    feature = (1, -1, 1, 1) if raw.dim() == 4 else (1, -1)
    cos = (raw + bias.reshape(feature)) * scale.reshape(feature) * inverse
    z = 2 / math.pi * torch.asin(cos)
    return z if pool == (1, 1) else max_pool2d(z, pool)


def numbers(shape):
    """raw, inverse, scale, bias of cosines between -0.9 and 0.9."""
    torch.manual_seed(sum(shape))
    features, pixels = shape[1], (shape[0], 1, *shape[2:])
    scale, inverse, bias = torch.rand(features) + 0.5, torch.rand(pixels) + 0.5, torch.randn(features)
    feature = (1, -1, 1, 1) if len(shape) == 4 else (1, -1)
    raw = (torch.rand(shape) * 1.8 - 0.9) / inverse / scale.reshape(feature) - bias.reshape(feature)
    return raw.contiguous(**LAST) if len(shape) == 4 else raw, inverse, scale, bias


def rows(inputs, pool, seed=0, spread=0.0):
    return native_cosine._CosineRows.apply(*inputs, pool, torch.tensor(seed), spread)


CASES = [((n, c), (1, 1)) for n in (1, ROWS - 1, ROWS, ROWS + 1) for c in (1, 3, 10, 32, 33)]
CASES += [((2, c, 7, 5), pool) for c in (1, 3, 10, 16, 17, 32, 33, 100) for pool in ((1, 1), (2, 2), (1, 3), (4, 4))]
CASES += [((9, 32, 16, 17), (2, 2)), ((3, 40, 1, 50), (1, 2)), ((1, 2100, 4, 6), (2, 2)), ((0, 3, 4, 4), (2, 2))]


@pytest.mark.parametrize("shape, pool", CASES, ids=str)
def test_values_and_gradients(isa, shape, pool):  # noqa: F811
    leaves = [t.requires_grad_() for t in numbers(shape)]
    twice = [t.detach().double().requires_grad_() for t in leaves]
    y, want = rows(leaves, pool), formula(*twice, pool)
    grad = torch.randn(want.shape)
    y.backward(grad)
    want.backward(grad.double())
    torch.testing.assert_close(y.double(), want, rtol=0, atol=5e-7)
    for leaf, other in zip(leaves, twice, strict=True):
        size = float(other.grad.abs().max()) if leaf.numel() else 1.0
        torch.testing.assert_close(leaf.grad.double(), other.grad, rtol=2e-5, atol=3e-6 * size)


@pytest.mark.parametrize("make, shape", [
    (lambda: CosineConv2d(3, 20, 5, padding=2, pool=2, shift=-0.4), (4, 3, 9, 12)),
    (lambda: CosineConv2d(1, 8, (3, 4), (2, 1), (1, 3), pad_value=0.7, shift=0.2), (5, 1, 9, 12)),
    (lambda: CosineConv2d(17, 6, 3, dilation=2, pool=(1, 3), shift=0.3), (2, 17, 8, 9)),
    (lambda: CosineConv1d(3, 33, 5, padding=2, pool=2, pad_value=1.0), (6, 3, 1, 30)),
    (lambda: CosineLinear(70, 33, shift=0.5), (9, 70)),
    (lambda: CosineLinear(2, 1, shift=0.5), (1, 2)),
])  # fmt: skip
def test_layers_are_what_they_are_in_float64(isa, make, shape):  # noqa: F811
    torch.manual_seed(0)
    layer, x, found = make(), torch.randn(shape), []
    grad = torch.randn_like(layer(x))
    for dtype in (torch.float32, torch.float64):
        layer = layer.to(dtype)
        layer.zero_grad()
        leaf = x.to(dtype, copy=True, **(LAST if x.dim() == 4 else {})).requires_grad_()
        y = layer(leaf)
        y.backward(grad.to(dtype))
        assert (type(y.grad_fn).__name__ == "_CosineRowsBackward") == (dtype == torch.float32)
        found.append([y.detach(), leaf.grad, layer.weight.grad.clone(), layer.shift.grad.clone()])
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine.double(), want, rtol=1e-4, atol=1e-5 * float(want.abs().max()) + 1e-6)


def test_edges_stay_finite_and_nan_is_seen(isa):  # noqa: F811
    cosines = torch.tensor([[1.0, -1.0, 1.00001, 0.5, -0.5, 0.0, 1e-30, 0.999999, math.nan]])
    raw, one = cosines.clone().requires_grad_(), torch.ones(1, 1)
    y = rows((raw, one, torch.ones(9), torch.zeros(9)), (1, 1))
    y.sum().backward()
    want = 2 / math.pi * cosines.double().clamp(-1 + 1e-6, 1 - 1e-6).asin()
    torch.testing.assert_close(y.detach().double(), want, rtol=3e-7, atol=2e-5, equal_nan=True)  # steep at the edge
    assert (y[0, :8].abs() < 1).all() and torch.isfinite(raw.grad[0, :8]).all() and y[0, 8].isnan()
    image = torch.zeros(1, 1, 2, 2)
    image[0, 0, 1, 0] = math.nan
    assert rows((image, torch.ones(1, 1, 2, 2), torch.ones(1), torch.zeros(1)), (2, 2)).isnan().all()
    layer = CosineConv2d(2, 4, 3, padding=1)
    assert (layer(torch.zeros(2, 2, 5, 5).contiguous(**LAST)) == 0).all()


def test_threads_change_no_bit(isa):  # noqa: F811
    inputs, found, before = [t.requires_grad_() for t in numbers((30, 32, 16, 17))], [], torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        y = rows(inputs, (2, 2), 5, 0.1)
        found.append([y, *torch.autograd.grad(y.sum(), inputs)])
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("pool", [(1, 1), (2, 2)])
def test_gradients_can_be_differentiated_again(isa, pool):  # noqa: F811
    leaves = [t.requires_grad_() for t in numbers((2, 3, 4, 5))]
    found = []
    for inputs, y in ((leaves, rows), ([t.detach().double().requires_grad_() for t in leaves], formula)):
        grads = torch.autograd.grad(y(inputs, pool) if y is rows else y(*inputs, pool), inputs, torch.ones(2, 3, *(
            (2, 2) if pool == (2, 2) else (4, 5))).to(inputs[0].dtype), create_graph=True)  # fmt: skip
        torch.stack([grad.square().sum() for grad in grads]).sum().backward()
        found.append([t.grad.double() for t in inputs])
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine, want, rtol=1e-4, atol=1e-5 * float(want.abs().max()))


def test_a_layer_can_be_differentiated_again(isa):  # noqa: F811
    torch.manual_seed(0)
    layer, x, found = CosineLinear(6, 4, shift=0.3), torch.randn(5, 6), []
    for dtype in (torch.float32, torch.float64):
        layer, leaf = layer.to(dtype), x.to(dtype, copy=True).requires_grad_()
        layer.zero_grad()
        grads = torch.autograd.grad(layer(leaf).pow(2).sum(), (leaf, layer.weight), create_graph=True)
        (grads[0].square().sum() + grads[1].square().sum()).backward()
        found.append([leaf.grad, layer.weight.grad.clone(), layer.shift.grad.clone()])
    cos = (leaf := x.double().requires_grad_()) + layer.input_shift().detach()
    weight = layer.weight.detach().requires_grad_()
    z = 2 / math.pi * torch.asin(normalize(cos, dim=1) @ normalize(weight).T)
    grads = torch.autograd.grad(z.pow(2).sum(), (leaf, weight), create_graph=True)
    (grads[0].square().sum() + grads[1].square().sum()).backward()
    torch.testing.assert_close(found[1][:2], [leaf.grad, weight.grad])
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine.double(), want, rtol=1e-3, atol=1e-4 * float(want.abs().max()))


def test_what_is_left_to_pytorch(isa):  # noqa: F811
    layer, x = CosineConv2d(3, 5, 3), torch.randn(2, 3, 6, 6)
    last = x.contiguous(**LAST)
    assert native_cosine.takes(layer, last)
    assert not native_cosine.takes(layer, x)  # channels first
    assert not native_cosine.takes(layer.double(), last.double()) and not native_cosine.takes(layer.float(), x[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not native_cosine.takes(layer, last)
    layer.pool = (5, 5)  # too many places
    assert not native_cosine.takes(layer, last)
    layer.pool = (4, 8)
    with pytest.raises(RuntimeError, match="output size|Output size|too small|less than"):
        layer(last)
    layer.pool, layer.noise = 0, type("Other", (EmbeddingNoise,), {})()
    assert not native_cosine.takes(layer, last)
    assert CosineLinear(4, 2)(torch.randn(2, 3, 4)).shape == (2, 3, 2)


def test_without_the_library_it_is_the_same(isa, monkeypatch):  # noqa: F811
    torch.manual_seed(0)
    layer, x = CosineConv2d(3, 5, 3, padding=1, pool=2, shift=0.2), torch.randn(2, 3, 6, 6).contiguous(**LAST)
    mine = layer(x)
    monkeypatch.setattr(native_cosine, "library", lambda: None)
    plain = layer(x)
    assert type(plain.grad_fn).__name__ == "_ArcsineBackward"
    torch.testing.assert_close(mine, plain)


@pytest.mark.parametrize("kernel, stride, dilation", [((3, 5), (1, 1), (1, 1)), ((2, 1), (2, 3), (3, 2))])
def test_sums_of_windows_are_a_convolution_of_ones(kernel, stride, dilation):
    x = torch.randn(2, 1, 8, 9, dtype=torch.float64, requires_grad=True)
    ones = torch.ones(1, 1, *kernel, dtype=torch.float64)
    torch.testing.assert_close(window_sums(x, kernel, stride, dilation), conv2d(x, ones, None, stride, 0, dilation))
    assert torch.autograd.gradcheck(lambda x: window_sums(x, kernel, stride, dilation), x)
    assert torch.autograd.gradgradcheck(lambda x: window_sums(x, kernel, stride, dilation).sin(), x)
