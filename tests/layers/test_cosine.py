"""Cosine layers against their formula in NumPy, place by place; their gradients; noise and its schedule."""

import copy
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.layers import (  # noqa: E402
    RASU,
    TASU,
    CosineConv1d,
    CosineConv2d,
    CosineLinear,
    EmbeddingNoise,
    Temperature,
)
from bitwright.quantizers import set_progress  # noqa: E402
from bitwright.quantizers.numbers import read_number  # noqa: E402


def z_of(u, v):
    """2/pi times arcsin of the cosine; 0 for a vector without a direction."""
    size = math.sqrt(float(u @ u) * float(v @ v))
    return 2 / math.pi * math.asin(max(-1.0, min(1.0, float(u @ v) / size))) if size > 1e-20 else 0.0


def test_linear_is_the_formula():
    rng = np.random.default_rng(0)
    layer = CosineLinear(7, 5, shift=-0.4, shift_unit=0.5)
    x = rng.normal(size=(4, 7))
    x[1] = 0.4  # x + shift is 0 up to rounding
    got = layer(torch.tensor(x, dtype=torch.float32)).detach().numpy()
    weight = layer.weight.detach().double().numpy()
    want = [[z_of(row, sample - 0.4) for row in weight] for sample in x]
    np.testing.assert_allclose(np.delete(got, 1, 0), np.delete(want, 1, 0), atol=1e-5)
    assert np.isfinite(got).all() and np.abs(got).max() <= 1


@pytest.mark.parametrize("stride, padding, dilation, pad", [(1, 2, 1, 0.0), ((2, 1), (1, 0), 1, -1.0), (1, 1, 2, 0.5)])
def test_convolution_is_the_formula_of_every_patch(stride, padding, dilation, pad):
    rng = np.random.default_rng(1)
    layer = CosineConv2d(2, 3, (3, 2), stride, padding, dilation, pad_value=pad, shift=0.3)
    x = rng.normal(size=(2, 2, 7, 6))
    got = layer(torch.tensor(x, dtype=torch.float32)).detach().numpy()
    (sh, sw), (ph, pw), (dh, dw) = layer.stride, layer.padding, layer.dilation
    padded = np.full((2, 2, 7 + 2 * ph, 6 + 2 * pw), pad)
    padded[:, :, ph : ph + 7, pw : pw + 6] = x
    for b, o, i, j in np.ndindex(*got.shape):
        patch = padded[b, :, i * sh : i * sh + 2 * dh + 1 : dh, j * sw : j * sw + dw + 1 : dw] + 0.3
        want = z_of(layer.weight[o].detach().double().numpy().ravel(), patch.ravel())
        assert got[b, o, i, j] == pytest.approx(want, abs=1e-5)
    signal = CosineConv1d(2, 3, 5, stride=2, padding=1)
    assert signal(torch.randn(4, 2, 1, 11)).shape == (4, 3, 1, 5)


def test_an_input_of_zeros_has_no_direction_and_scales_do_not_count():
    layer = CosineConv2d(1, 4, 3, padding=1)
    assert (layer(torch.zeros(2, 1, 5, 5)) == 0).all()
    x = torch.randn(2, 1, 5, 5)
    want = layer(x)
    torch.testing.assert_close(layer(1e-6 * x), want)
    layer.weight.data *= torch.tensor([1e-4, 1.0, 7.0, 1e5]).reshape(4, 1, 1, 1)
    torch.testing.assert_close(layer(x), want)


def test_gradients_are_those_of_the_formula_and_finite_where_arcsin_is_steep():
    torch.manual_seed(0)
    layer, x = CosineLinear(6, 4, shift=0.2).double(), torch.randn(3, 6, dtype=torch.double, requires_grad=True)

    def plain(x, weight, shift):
        moved = x + shift
        cos = (moved @ weight.T) / (moved.norm(dim=1, keepdim=True) * weight.norm(dim=1))
        return 2 / math.pi * torch.asin(cos)

    got = torch.autograd.grad(layer(x).pow(3).sum(), (x, layer.weight, layer.shift))
    want = torch.autograd.grad(plain(x, layer.weight, layer.shift).pow(3).sum(), (x, layer.weight, layer.shift))
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other)
    same = CosineLinear(6, 1)
    same.weight.data.copy_(x[:1].detach().float())
    row = x[:1].detach().float().requires_grad_()
    same(row).sum().backward()
    assert same(row).item() > 0.99 and torch.isfinite(row.grad).all() and torch.isfinite(same.weight.grad).all()


def test_a_pool_may_stand_before_the_arcsin():
    torch.manual_seed(0)
    pooled, plain = CosineConv2d(2, 5, 3, padding=1, pool=2), CosineConv2d(2, 5, 3, padding=1)
    plain.load_state_dict(pooled.state_dict())
    x = torch.randn(3, 2, 8, 7)
    assert torch.equal(pooled(x), nn.functional.max_pool2d(plain(x), 2))


def test_activations():
    z = torch.tensor([-0.3, -0.0, 0.0, 0.2])
    assert torch.equal(RASU(4.0)(z), torch.relu(z * torch.tensor(4.0).log().exp()))
    tasu = TASU(10.0)
    torch.testing.assert_close(tasu(z), torch.tanh(10 * z))
    assert tasu.eval()(z).tolist() == [-1, 1, 1, 1]
    torch.testing.assert_close(Temperature(8.0)(z), 8 * z)
    with pytest.raises(ValueError, match="positive"):
        RASU(0.0)


@pytest.mark.parametrize("channels_last", [False, True])
def test_noise_has_the_variance_of_an_embedding(channels_last):
    torch.manual_seed(0)
    noise = EmbeddingNoise(100.0)
    z = torch.tensor([-0.9, 0.0, 0.5, 1.0]).reshape(1, 4, 1, 1).expand(50, 4, 40, 20).contiguous()
    z = z.to(memory_format=torch.channels_last) if channels_last else z
    out = (noise(z) - z).transpose(0, 1).flatten(1)
    n, want = out.shape[1], (1 - torch.tensor([-0.9, 0.0, 0.5, 1.0]) ** 2) / 100
    assert (out.mean(1).abs() <= 5 * (want / n).sqrt() + 1e-8).all()
    assert ((out.var(1) - want).abs() <= 5 * want * (2 / n) ** 0.5 + 1e-8).all()
    assert torch.equal(noise.eval()(z), z)


def test_the_noise_schedule_is_a_saved_buffer_and_ends_exactly():
    layer = CosineLinear(3, 2, noise=EmbeddingNoise(64.0, 4096.0))
    assert float(layer.state_dict()["noise.inverse"]) == 1 / 64
    set_progress(layer, 0.5)
    assert float(layer.noise.inverse) == pytest.approx(1 / 512)
    set_progress(layer, 1.0)
    assert float(layer.noise.inverse) == 1 / 4096
    swept = EmbeddingNoise(10.0, 1000.0, sweep=True)
    torch.manual_seed(0)
    sizes = torch.stack([swept(torch.zeros(500)).std() ** -2 for _ in range(200)])
    assert 9 < sizes.min() < 20 and 500 < sizes.max() < 1200 and 60 < sizes.median() < 170


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: EmbeddingNoise(0, 5), "needs a start"),
        (lambda: EmbeddingNoise(-1), "0 or more"),
        (lambda: EmbeddingNoise(5, 0, sweep=True), "needs both"),
        (lambda: CosineLinear(2, 2, shift_unit=0), "shift_unit must be positive"),
        (lambda: CosineConv2d(1, 1, 3, padding="same"), "give numbers"),  # type: ignore[arg-type],
    ],
)
def test_errors(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_loaded_state_counts():
    noise, z = EmbeddingNoise(64.0, 4096.0), torch.zeros(200, 200)
    noise.set_progress(0.5)
    torch.manual_seed(0)
    before = noise(z).std()
    noise.load_state_dict({"inverse": torch.tensor(4 / 512, dtype=torch.float64)})
    torch.manual_seed(0)
    torch.testing.assert_close(noise(z).std(), 2 * before)
    assert read_number(copy.deepcopy(noise), "inverse") == 4 / 512
