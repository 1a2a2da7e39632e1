"""Every pair of QUANTIZERS against its formula written out in NumPy."""

import numpy as np
import pytest
import torch

from bitwright.quantizers import (
    Quantizer,
    QuantizerPair,
    bnn_plus_plus,
    hard_sign,
    make_quantizer,
    quantize,
    set_progress,
    sign_ste,
)
from bitwright.quantizers.swish_sign import swish_sign, swish_sign_slope, swish_sign_value

X = np.concatenate([np.linspace(-3, 3, 601), [-1.0, 1.0, 0.0, -0.0, 1e-30, -1e-30]]).astype(np.float32)


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)


def swish(x, mu):
    sigma = 1 / (1 + np.exp(-mu * x))
    return 2 * sigma * (1 + mu * x * (1 - sigma)) - 1


def swish_slope(x, mu):
    u = mu * x
    return mu * (2 - u * np.tanh(u / 2)) / (1 + np.cosh(u))


FORMULAS = {  # name -> (forward, slope), of float64 x, at the start of training
    "identity": (sign, lambda x: np.ones_like(x)),
    "ste": (sign, lambda x: (np.abs(x) <= 1).astype(float)),
    "approx_sign": (sign, lambda x: np.where(np.abs(x) < 1, 2 - 2 * np.abs(x), 0.0)),
    "swish_sign": (sign, lambda x: swish_slope(x, 5.0)),
    "bnn++": (lambda x: swish(x, 5.0), lambda x: swish_slope(x, 5.0)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_forward_and_gradient_are_the_formula(name):
    forward, slope = FORMULAS[name]
    quantizer = make_quantizer(name)
    x = torch.tensor(X, requires_grad=True)
    weight = np.random.default_rng(0).normal(size=X.shape).astype(np.float32)
    out = quantizer(x)
    (out * torch.tensor(weight)).sum().backward()
    wide = X.astype(np.float64)
    assert out.dtype == torch.float32 and x.grad is not None
    np.testing.assert_allclose(out.detach().numpy(), forward(wide), atol=2e-6)  # float32 against float64
    np.testing.assert_allclose(x.grad.numpy(), weight * slope(wide), atol=2e-5)


@pytest.mark.parametrize("name", FORMULAS)
def test_eval_is_the_hard_sign_and_zero_is_plus_one(name):
    quantizer = make_quantizer(name).eval()
    assert (quantizer(torch.tensor(X)).numpy() == sign(X)).all()
    assert quantizer(torch.tensor([0.0, -0.0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_hard_sign_keeps_shape_and_dtype_and_maps_nan_to_minus_one(dtype):
    out = hard_sign(torch.tensor([[0.0, -0.0, float("nan")], [-2.0, 3.0, float("-inf")]], dtype=dtype))
    assert out.dtype == dtype and out.tolist() == [[1, 1, -1], [-1, 1, -1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_clipped_ste_includes_its_edge_and_nothing_beyond(dtype):
    pair = sign_ste(0.75)
    edge = torch.tensor(0.75, dtype=dtype)
    beyond = torch.nextafter(edge.float(), torch.tensor(9.0)) if dtype == torch.float32 else edge * 1.01
    x = torch.stack([edge, -edge, beyond.to(dtype), -beyond.to(dtype)])
    assert pair.backward(x, torch.ones_like(x)).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("mu", [0.5, 5.0, 30.0])
def test_swish_slope_is_the_true_derivative(mu):
    x = torch.linspace(-2, 2, 401, dtype=torch.float64, requires_grad=True)
    swish_sign_value(x, mu).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(swish_sign_slope(x.detach(), mu), x.grad)


def test_swish_does_not_overflow_where_cosh_does():
    x = torch.tensor([1e4, -1e4, 88.0, -200.0])
    assert swish_sign_value(x, 30.0).tolist() == [1, -1, 1, -1]
    assert swish_sign_slope(x, 30.0).tolist() == [0, 0, 0, 0]
    half = torch.tensor([60.0], dtype=torch.float16)
    assert torch.isfinite(swish_sign_slope(half, 30.0)).all()


def test_sharpness_moves_linearly_ends_exactly_and_is_saved():
    model = torch.nn.Sequential(Quantizer(bnn_plus_plus(5.0, 30.1)))
    seen = []
    for progress in (0.0, 0.5, 1.0):
        set_progress(model, progress)
        seen.append(float(model.state_dict()["0.sharpness"]))
    assert seen == [5.0, 5.0 + 0.5 * 25.1, 30.1]
    other = torch.nn.Sequential(Quantizer(bnn_plus_plus(5.0, 30.1)))
    other.load_state_dict(model.state_dict())
    x = torch.linspace(-1, 1, 11)
    assert torch.equal(other(x), model(x))
    np.testing.assert_allclose(model(x).numpy(), swish(x.numpy().astype(float), 30.1), atol=2e-6)


def test_a_pair_of_ones_own_and_wrong_names():
    own = QuantizerPair(torch.tanh, lambda x, grad: grad * 3)
    x = torch.tensor([0.3, -0.2], requires_grad=True)
    make_quantizer(own)(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [3, 3]
    with pytest.raises(ValueError, match="no 'stee'; choose one of .*identity, ste,"):
        make_quantizer("stee")
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="must be positive"):
            sign_ste(bad)
        with pytest.raises(ValueError, match="must be positive"):
            swish_sign(bad)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        set_progress(torch.nn.Identity(), 1.01)


def test_values_of_the_schedules_are_asked_for_by_name():
    x = torch.tensor(X)
    with pytest.raises(ValueError, match=r"none, the pair's schedules are sharpness; pass \*\*pair.values_at"):
        quantize(x, bnn_plus_plus())
    with pytest.raises(ValueError, match="got values of sharpness, the pair's schedules are none"):
        quantize(x, sign_ste(), sharpness=3.0)
