"""Binary layers against integer sums in NumPy: every scale, pad, stride, dilation, group."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bitwright.layers import (
    LAYERS,
    RASU,
    TASU,
    BinaryConv2d,
    BinaryLinear,
    CosineConv1d,
    CosineConv2d,
    CosineLinear,
    EmbeddingNoise,
    GroupSum,
    LearnedThermometer,
    LogicConv2d,
    LogicLinear,
    Normalize,
    OptionA,
    OrPool2d,
    RPReLU,
    RSign,
    Shift,
    Sign,
    Temperature,
    Thermometer,
    TwoLevel,
)


def signs_of(weight: torch.Tensor) -> np.ndarray:
    return np.where(weight.detach().numpy() >= 0, 1, -1).astype(np.int64)


def conv_reference(x, w, stride, dilation, groups, pads, value):
    """Integer convolution with five loops. x (N, C, H, W), w (O, C / groups, kh, kw) int64, pads (top, left)."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[0]), (pads[1], pads[1])), constant_values=value)
    n, _, height, width = x.shape
    out, per, kh, kw = w.shape
    rows = (height - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    cols = (width - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, out, rows, cols), np.int64)
    for o, c, i, j in itertools.product(range(out), range(per), range(kh), range(kw)):
        channel = (o // (out // groups)) * per + c
        rs = slice(i * dilation[0], i * dilation[0] + stride[0] * (rows - 1) + 1, stride[0])
        cs = slice(j * dilation[1], j * dilation[1] + stride[1] * (cols - 1) + 1, stride[1])
        y[:, o] += w[o, c, i, j] * x[:, channel, rs, cs]
    return y


@pytest.mark.parametrize("size", [(1, 1), (63, 5), (784, 33)])
def test_linear_is_the_integer_sum(size):
    torch.manual_seed(0)
    layer = BinaryLinear(*size).eval()
    x = np.random.default_rng(0).integers(0, 256, (7, size[0]))
    out = layer(torch.tensor(x).float()).detach().numpy()
    assert (out == x @ signs_of(layer.weight).T).all()


@pytest.mark.parametrize(
    "kernel,stride,padding,dilation,groups,pad_value",
    [
        (3, 1, 1, 1, 1, -1),
        (3, 2, 1, 1, 1, 1),
        ((1, 3), (2, 1), (0, 2), 1, 2, 0),
        (3, 1, 2, 2, 4, -1),
        (5, 2, 2, 1, 1, 0),
    ],
)
def test_conv_is_the_integer_sum_with_its_pad(kernel, stride, padding, dilation, groups, pad_value):
    torch.manual_seed(1)
    layer = BinaryConv2d(4, 8, kernel, stride, padding, dilation, groups, pad_value=pad_value).eval()
    x = np.random.default_rng(1).choice([-1, 1], (2, 4, 9, 10))
    out = layer(torch.tensor(x).float()).detach().numpy()
    stride, dilation, padding = (v if isinstance(v, tuple) else (v, v) for v in (stride, dilation, padding))
    want = conv_reference(x, signs_of(layer.weight), stride, dilation, groups, padding, pad_value)
    assert out.shape == want.shape and (out == want).all()


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_other_paddings_are_numpys(mode):
    layer = BinaryConv2d(2, 3, 3, padding=1, padding_mode=mode).eval()
    x = np.random.default_rng(2).choice([-1, 1], (2, 2, 5, 6))
    name = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode=name)
    want = conv_reference(padded, signs_of(layer.weight), (1, 1), (1, 1), 1, (0, 0), 0)
    assert (layer(torch.tensor(x).float()).detach().numpy() == want).all()


def scale_reference(mode, weight):
    size = np.abs(weight.detach().numpy()).reshape(len(weight), -1)
    return {"tensor": size.mean(), "channel": size.mean(1)}[mode]


@pytest.mark.parametrize("mode", ["tensor", "channel", "learned", 0.037])
@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_scale_multiplies_the_rounded_sum_once(mode, kind):
    torch.manual_seed(3)
    layer = (BinaryLinear(50, 6, scale=mode) if kind == "linear" else BinaryConv2d(5, 6, 3, scale=mode)).eval()
    if mode == "learned":
        layer.scale.log_scale.data.normal_()
    x = torch.randint(-5, 6, (4, 50) if kind == "linear" else (4, 5, 6, 6)).float()
    plain = nn.functional.linear if kind == "linear" else nn.functional.conv2d
    sums = plain(x, layer.binary_weight())
    factor = layer.scale_factor()
    assert factor is not None and (factor > 0).all() and set(layer.binary_weight().unique().tolist()) == {-1, 1}
    if mode in ("tensor", "channel"):
        np.testing.assert_allclose(factor.numpy(), scale_reference(mode, layer.weight), rtol=1e-6)  # order of a mean
        assert not factor.requires_grad
    shaped = factor if factor.dim() == 0 else factor.reshape(-1, *[1] * (sums.dim() - 2))
    assert torch.equal(layer(x), sums.round() * shaped)


def test_eval_rounds_integer_sums_and_leaves_real_ones(monkeypatch):
    layer = BinaryLinear(3, 2).eval()
    real = nn.functional.linear
    monkeypatch.setattr(nn.functional, "linear", lambda x, w, b=None: real(x, w, b) + 0.2)  # a sloppy algorithm
    whole = layer(torch.tensor([[1.0, 2.0, 3.0]]))
    assert torch.equal(whole, whole.round())
    broken = layer(torch.tensor([[1.5, 2.0, 3.0]]))
    assert not torch.equal(broken, broken.round())


def test_weight_of_zero_is_plus_one_and_a_zero_weight_has_a_positive_scale():
    layer = BinaryLinear(4, 2, scale="channel")
    layer.weight.data.zero_()
    factor = layer.scale_factor()
    assert factor is not None and (layer.binary_weight() == 1).all() and (factor > 0).all()


def test_input_quantizer_makes_signs_first():
    layer = BinaryLinear(4, 2, input_quantizer="ste").eval()
    x = torch.tensor([[0.3, -0.0, -5.0, 2.0]])
    assert torch.equal(layer(x), BinaryLinear.forward(layer, torch.tensor([[1.0, 1.0, -1.0, 1.0]])))


def test_gradients_reach_latent_weights_and_inputs():
    layer = BinaryConv2d(2, 3, 3, padding=1, pad_value=-1, weight_quantizer="identity", scale="learned")
    x = torch.randn(2, 2, 5, 5, requires_grad=True)
    layer(x).square().sum().backward()
    for tensor in (x, layer.weight, layer.scale.log_scale):
        assert tensor.grad is not None and (tensor.grad != 0).any()


def test_errors_name_the_rule():
    with pytest.raises(ValueError, match="put a BatchNorm"):
        BinaryLinear(2, 2, bias=True)
    with pytest.raises(ValueError, match="put a BatchNorm"):
        BinaryConv2d(2, 2, 1, bias=True)
    with pytest.raises(ValueError, match="choose one of none, tensor"):
        BinaryLinear(2, 2, scale="chanel")
    for bad in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="positive and finite"):
            BinaryLinear(2, 2, scale=bad)


def test_rsign_and_rprelu_are_their_formulas():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3, 5, 4, 4)).astype(np.float32)
    c = (slice(None), None, None)
    rsign, act = RSign(5).eval(), RPReLU(5).eval()
    for vector in (rsign.bias, act.shift_in, act.slope, act.shift_out):
        vector.data.copy_(torch.tensor(rng.normal(size=5)))
    act.slope.data[0] = -0.5
    bias, before, slope, after = (v.detach().numpy()[c] for v in (rsign.bias, act.shift_in, act.slope, act.shift_out))
    assert (rsign(torch.tensor(x)).numpy() == np.where(x + bias >= 0, 1, -1)).all()
    moved = x - before
    want = np.where(moved >= 0, moved, moved * slope) + after
    np.testing.assert_array_equal(act(torch.tensor(x)).detach().numpy(), want.astype(np.float32))
    flat = rng.normal(size=(3, 5)).astype(np.float32)
    assert (rsign(torch.tensor(flat)).numpy() == np.where(flat + bias[:, 0, 0] >= 0, 1, -1)).all()


MAKE = {
    "BinaryLinear": (lambda: BinaryLinear(6, 4, scale="learned", weight_quantizer="bnn++"), (3, 6)),
    "BinaryConv2d": (lambda: BinaryConv2d(2, 4, 3, scale=0.5, input_quantizer="bnn++"), (3, 2, 5, 5)),
    "Sign": (lambda: Sign("bnn++"), (3, 6)),
    "RSign": (lambda: RSign(6), (3, 6, 2)),
    "TwoLevel": (lambda: TwoLevel("bnn++"), (3, 6, 2)),
    "Normalize": (lambda: Normalize([1.0, 2.0], [3.0, 4.0]), (3, 2, 4, 4)),
    "OptionA": (lambda: OptionA(2, 4, 2), (3, 2, 4, 4)),
    "Shift": (lambda: Shift(6), (3, 6)),
    "RPReLU": (lambda: RPReLU(6), (3, 6, 2)),
    "CosineLinear": (lambda: CosineLinear(6, 4, shift=0.5, noise=EmbeddingNoise(64.0)), (3, 6)),
    "CosineConv1d": (lambda: CosineConv1d(3, 4, 3, shift=0.5), (3, 3, 1, 8)),
    "CosineConv2d": (lambda: CosineConv2d(3, 4, 3, pool=2, shift=0.5), (3, 3, 8, 8)),
    "RASU": (lambda: RASU(3.0), (3, 6)),
    "TASU": (lambda: TASU(3.0), (3, 6)),
    "Temperature": (lambda: Temperature(3.0), (3, 6)),
    "LogicLinear": (lambda: LogicLinear(6, 9, residual=False), (3, 6)),
    "LogicConv2d": (lambda: LogicConv2d(3, 4, 3, depth=2, residual=False), (3, 3, 5, 5)),
    "OrPool2d": (lambda: OrPool2d(2), (3, 2, 4, 4)),
    "GroupSum": (lambda: GroupSum(2, 3.0), (3, 6)),
    "LearnedThermometer": (lambda: LearnedThermometer(torch.rand(6, 3).cumsum(1).numpy(), 0.1), (3, 6)),
    "Thermometer": (lambda: Thermometer(torch.rand(6, 2).numpy()), (3, 6)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_saving_and_loading_keeps_the_output(name):
    make, shape = MAKE[name]
    torch.manual_seed(0)
    first = make()
    torch.manual_seed(1)
    second = make()
    second.load_state_dict(first.state_dict())
    x = torch.randn(shape)
    for module in (first, second):
        module.eval()
    assert isinstance(first, LAYERS[name]) and torch.equal(first(x), second(x))


@pytest.mark.parametrize("scale", ["tensor", "channel"])
@pytest.mark.parametrize("conv", [False, True])
def test_a_straight_scale_gives_latent_weights_the_gradient_of_the_scaled_ones(conv, scale):
    """Against a plain layer whose weight is mean |w| sign(w), by autograd."""
    make = partial(BinaryConv2d, 3, 5, 2) if conv else partial(BinaryLinear, 12, 5)
    straight, plain = make(scale=f"{scale}_straight", weight_quantizer="identity"), make(scale=scale)
    plain.load_state_dict(straight.state_dict())
    x = torch.randn(4, 3, 6, 6) if conv else torch.randn(4, 12)
    w = straight.weight.detach()
    factor = w.abs().mean() if scale == "tensor" else w.abs().flatten(1).mean(1).reshape(-1, *[1] * (w.dim() - 1))
    scaled = (factor * torch.where(w >= 0, 1.0, -1.0)).requires_grad_()
    want = F.conv2d(x, scaled) if conv else F.linear(x, scaled)
    grad = torch.randn_like(want)
    got = straight(x)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(got, plain(x))
    (got * grad).sum().backward()
    (want * grad).sum().backward()
    torch.testing.assert_close(straight.weight.grad, scaled.grad)


@pytest.mark.parametrize("mode", ["tensor", "channel_straight", "learned", "power_of_two", "two_level", 0.3])
@pytest.mark.parametrize("watched", [False, True])
def test_in_training_it_is_one_whether_weights_or_sums_are_scaled(mode, watched):
    torch.manual_seed(4)
    layer = BinaryConv2d(3, 4, 3, padding=1, weight_quantizer="identity", scale=mode).double().train()
    if mode == "learned":
        layer.scale.log_scale.data.normal_()
    layer.watch = (lambda x, total: None) if watched else None
    x, grad = torch.randn(2, 3, 6, 5).double().requires_grad_(), torch.randn(2, 4, 6, 5).double()
    w = layer.weight.detach()
    signs, wide, size = np.where(w >= 0, 1.0, -1.0), w.numpy().reshape(4, -1), np.abs(w.numpy().reshape(4, -1))
    factor = {"tensor": size.mean().repeat(4), "channel_straight": size.mean(1), "two_level": wide.std(1)}.get(mode)
    if factor is None:
        factor = np.exp2(np.round(np.log2(size.mean(1)))) if mode == "power_of_two" else np.float32(0.3).repeat(4)
        factor = layer.scale.log_scale.detach().exp().numpy() if mode == "learned" else factor
    used = torch.tensor(signs, requires_grad=True)
    sums = nn.functional.conv2d(x, used, padding=1)
    scaled = sums * torch.tensor(factor)[:, None, None]
    if mode == "two_level":
        scaled = scaled + torch.tensor(wide.mean(1))[:, None, None] * nn.functional.conv2d(
            x, torch.ones_like(w), padding=1)  # fmt: skip
    want_x, want_w = torch.autograd.grad(scaled, (x, used), grad)
    if mode == "channel_straight":
        want_w = want_w / torch.tensor(factor)[:, None, None, None]
    y = layer(x)
    y.backward(grad)
    close = {"rtol": 1e-6, "atol": 1e-6} if mode == 0.3 else {}  # a fixed scale was a float32 once
    torch.testing.assert_close(y, scaled, **close)
    torch.testing.assert_close(x.grad, want_x, **close)
    torch.testing.assert_close(layer.weight.grad, want_w, **close)
    if mode == "learned":
        want = (grad * sums * torch.tensor(factor)[:, None, None]).sum((0, 2, 3))
        torch.testing.assert_close(layer.scale.log_scale.grad, want)
