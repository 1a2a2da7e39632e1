"""The pairs of the methods against their formulas written out in NumPy, along the training and exactly at its end."""

import math

import numpy as np
import pytest
import torch

from bitwright.quantizers import (
    DSQ,
    ON_ACTIVATIONS_ONLY,
    ON_WEIGHTS_ONLY,
    QUANTIZERS,
    hard_sign,
    make_quantizer,
    set_progress,
)
from bitwright.quantizers.fourier import fda, fda_plus, fourier_slope

RNG = np.random.default_rng(0)
X = np.concatenate([np.linspace(-3, 3, 37), RNG.normal(0, 0.4, 27)]).reshape(4, 16)  # four filters of 16


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)


def sech2(x):
    return 1 / np.cosh(x) ** 2


def t_of(p, start, end):
    return start * (end / start) ** p


def ede_slope(x, p):
    t = t_of(p, 1e-3, 10)
    return max(1 / t, 1) * t * sech2(t * x)


def rbnn_slope(x, p, activation=False):
    t = t_of(p, 1e-2, 10)
    t, k = (max(t, 1), 1) if activation else (t, max(1 / t, 1))
    return k * t * np.maximum(math.sqrt(2) - np.abs(t * x), 0)


def reste_slope(x, p):
    o, a = 1 + 2 * (1 - math.cos(math.pi * p / 2)), np.abs(x)
    with np.errstate(divide="ignore"):
        power = a ** ((1 - o) / o) / o
    return np.where(a <= 0.1, 0.1 ** (1 / o) / 0.1, np.where(a <= 1.5, power, 0))


def terms_at(p):
    return min(18, 9 + int(10 * p))


def series_slope(x, p, omega=0.1):
    return 4 * omega / math.pi * sum(np.cos((2 * i + 1) * omega * x) for i in range(terms_at(p) + 1))


def series(x, p, omega=0.1):
    return 4 / math.pi * sum(np.sin((2 * i + 1) * omega * x) / (2 * i + 1) for i in range(terms_at(p) + 1))


def dsq_slope(x, p):
    k = math.log(2 / 0.2 - 1) / 2
    return np.where(np.abs(x) <= 1, k * sech2(k * x) / 0.8, 0)


def mean_size(x):
    return np.abs(x).mean(1, keepdims=True)


def parq_slope_at(p):
    s = lambda q: 1 / (1 + math.exp(10 * (q - 0.5)))  # noqa: E731
    return (s(p) - s(1)) / (s(0) - s(1))


def parq(x, p):
    return sign(x) if p == 1 else np.clip(x / (parq_slope_at(p) * mean_size(x)), -1, 1)


def clamp_of(x, p):
    """w in half mean sizes of its filter times the schedule, clamped; the sign at the end."""
    s = lambda q: 1 / (1 + math.exp(10 * (q - 0.7)))  # noqa: E731
    reach = 0.5 * (s(p) - s(1)) / (s(0) - s(1))
    return sign(x) if p == 1 else np.clip(x / (reach * mean_size(x)), -1, 1)


def clamp_poly(x, p):
    c = clamp_of(x, p)
    return 1.06 * c + 0.02 * c**3 - 0.08 * c**5


def swish(x, p):
    half = t_of(p, 0.5, 30) * x / mean_size(x) / 2
    return np.tanh(half) + half * sech2(half)


def swish_slope(x, p):
    m = t_of(p, 0.5, 30)
    half = m * x / mean_size(x) / 2
    return m * sech2(half) * (1 - half * np.tanh(half))


def poly(x, p):
    u = np.clip(x * (1 + 9 * p), -1, 1)
    return np.where(u < 0, 2 * u + u * u, 2 * u - u * u)


def hardtanh(x, p):
    return sign(x) if p == 1 else np.clip(x / (1 - p), -1, 1)


def inside(x, p):
    return np.zeros_like(x) if p == 1 else np.where(np.abs(x) < 1 - p, 1 / (1 - p), 0)


def nearest_level(x, p):
    """w moved by p towards +-1, no further: by cases."""
    size = np.abs(x)
    return sign(x) * np.where(size < 1 - p, size + p, np.where(size > 1 + p, size - p, 1.0))


def deviation_inside(x, p):
    return np.where(np.abs(x) <= x.std(), 1 / x.std(), 0)


# name -> (forward, slope) of (x, progress); both act element by element
ELEMENTWISE = {
    "bnn++_mean": (swish, swish_slope),
    "poly+": (poly, lambda x, p: (1 + 9 * p) * np.maximum(2 - 2 * np.abs((1 + 9 * p) * x), 0)),
    "reactnet": (None, lambda x, p: np.where(np.abs(x) <= 1, 1 / mean_size(x), 0)),
    "ede": (None, ede_slope),
    "ede+": (lambda x, p: max(1 / t_of(p, 1e-3, 10), 1) * np.tanh(t_of(p, 1e-3, 10) * x), ede_slope),
    "rbnn": (None, rbnn_slope),
    "rbnn_activation": (None, lambda x, p: rbnn_slope(x, p, True)),
    "recu_activation": (None, deviation_inside),
    "siman": (lambda x, p: sign(np.abs(x) - np.median(np.abs(x), 1, keepdims=True)), lambda x, p: np.sign(x)),
    "reste": (None, reste_slope),
    "dsq": (None, dsq_slope),
    "biper": (lambda x, p: sign(np.sin(20 * x)) if p >= 0.5 else np.sin(20 * x), lambda x, p: 20 * np.cos(20 * x)),
    "parq": (parq, lambda x, p: np.ones_like(x)),
    "clamp_poly": (clamp_poly, lambda x, p: 1.06 + 0.06 * clamp_of(x, p) ** 2 - 0.4 * clamp_of(x, p) ** 4),
    "progressive": (hardtanh, inside),
    "binary_relax": (lambda x, p: (1 - p) * x + p * sign(x), lambda x, p: np.ones_like(x)),
    "soft_threshold": (nearest_level, lambda x, p: np.ones_like(x)),
    "fda": (None, series_slope),
    "fda+": (series, series_slope),
}  # fmt: skip


def run(name, progress, grad):
    quantizer = make_quantizer(name, features=16)
    quantizer.set_progress(progress)
    x = torch.tensor(X, requires_grad=True)
    out = quantizer(x)
    (out * torch.tensor(grad)).sum().backward()
    assert x.grad is not None and out.dtype == torch.float64
    return out.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.77, 1.0])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_forward_and_gradient_are_the_formula(name, progress):
    forward, slope = ELEMENTWISE[name]
    grad = RNG.normal(size=X.shape)
    out, got = run(name, progress, grad)
    np.testing.assert_allclose(out, sign(X) if forward is None else forward(X, progress), atol=1e-7)
    np.testing.assert_allclose(got, grad * slope(X, progress), rtol=1e-6, atol=1e-7)  # DSQ's alpha is float32


def standardised_gradient(grad, x):
    """Of (x - mean) / deviation with n - 1, a filter a row, by hand."""
    n, deviation = x.shape[1], x.std(1, ddof=1, keepdims=True)
    z = (x - x.mean(1, keepdims=True)) / deviation
    return (grad - grad.mean(1, keepdims=True) - z * (grad * z).sum(1, keepdims=True) / (n - 1)) / deviation


@pytest.mark.parametrize("progress", [0.0, 0.6, 1.0])
def test_irnet_and_recu_differentiate_through_standardised_weights(progress):
    grad = RNG.normal(size=X.shape)
    z = (X - X.mean(1, keepdims=True)) / X.std(1, ddof=1, keepdims=True)
    out, got = run("irnet", progress, grad)
    assert (out == sign(z)).all()
    np.testing.assert_allclose(got, standardised_gradient(grad * ede_slope(z, progress), X), atol=1e-6)
    out, got = run("adabin", progress, grad)
    assert (out == sign(z)).all()
    np.testing.assert_allclose(got, standardised_gradient(grad, X), atol=1e-6)
    wide, tau = z * 2 * math.sqrt(2), t_of(progress, 0.85, 0.99)
    bound = -np.abs(wide).mean(1, keepdims=True) * math.log(2 - 2 * tau)
    out, got = run("recu", progress, grad)
    assert (out == sign(z)).all()
    passed = np.where(np.abs(wide) <= bound, grad, 0) * 2 * math.sqrt(2)
    np.testing.assert_allclose(got, standardised_gradient(passed, X), atol=1e-6)
    if progress == 0:
        assert (np.abs(wide) > bound).any()


def test_every_quantizer_is_tested_here_or_beside():
    beside = {"latent", "identity", "ste", "approx_sign", "swish_sign", "bnn++"}  # test_pairs.py
    assert set(QUANTIZERS) == {*ELEMENTWISE, *beside, "irnet", "recu", "adabin", "fda_noise", "rbnn_rotated"}


@pytest.mark.parametrize("name", QUANTIZERS)
def test_schedules_end_exactly_and_eval_is_the_hard_sign_of_what_is_prepared(name):
    quantizer = make_quantizer(name, features=16)
    set_progress(quantizer, 1.0)
    ends = {"bnn++": 30.0, "bnn++_mean": 30.0, "poly+": 10.0, "ede": 10.0, "ede+": 10.0, "irnet": 10.0, "rbnn": 10.0,
            "rbnn_activation": 10.0, "rbnn_rotated": 10.0, "recu": 0.99, "reste": 3.0, "biper": 1.0, "parq": 0.0,
            "clamp_poly": 0.0, "progressive": 1.0, "binary_relax": 1.0, "soft_threshold": 1.0,
            "fda": 18.0, "fda+": 18.0, "fda_noise": 18.0}  # fmt: skip
    values = list(quantizer.values().values())
    assert values == ([ends[name]] if name in ends else [])
    assert all(name in quantizer.state_dict() for name in quantizer.values())
    w = torch.tensor(X)
    prepared = {"irnet": X - X.mean(1, keepdims=True), "adabin": X - X.mean(1, keepdims=True),
                "recu": X - X.mean(1, keepdims=True), "biper": np.sin(20 * X),
                "siman": np.abs(X) - np.median(np.abs(X), 1, keepdims=True)}.get(name, X)  # fmt: skip
    out = quantizer.eval()(w)
    assert (out.numpy() == sign(prepared)).all() and not out.requires_grad


def test_prepared_weights_are_for_weights_only():
    for name in ON_WEIGHTS_ONLY:
        with pytest.raises(ValueError, match="made for weights"):
            make_quantizer(name, 8, axis=1)


def test_quantizers_of_activations_are_for_activations_only():
    for name in ON_ACTIVATIONS_ONLY:
        with pytest.raises(ValueError, match="made for activations"):
            make_quantizer(name, 8, axis=0)


def test_an_empty_batch_makes_no_noise(recwarn):
    x = torch.zeros(0, 8, requires_grad=True)
    make_quantizer("recu_activation", axis=1)(x).sum().backward()
    assert x.grad is not None and not recwarn


def test_siman_makes_half_of_an_even_filter_positive():
    w = torch.tensor(RNG.normal(size=(7, 4, 3, 3)))
    assert make_quantizer("siman").eval()(w).flatten(1).sum(1).tolist() == [0] * 7


def test_dsq_learns_its_sharpness():
    quantizer = DSQ(0.3)
    x = torch.tensor(X, dtype=torch.float32)
    grad = torch.tensor(RNG.normal(size=X.shape), dtype=torch.float32)
    (quantizer(x) * grad).sum().backward()

    def phi(alpha):
        return np.tanh(np.log(2 / alpha - 1) / 2 * np.clip(X, -1, 1)) / (1 - alpha)

    slope = (phi(0.3 + 1e-6) - phi(0.3 - 1e-6)) / 2e-6
    assert quantizer.alpha.grad is not None
    np.testing.assert_allclose(float(quantizer.alpha.grad), float((grad.numpy() * slope).sum()), rtol=1e-3)
    with pytest.raises(ValueError, match="alpha must lie"):
        DSQ(0.7)


@pytest.mark.parametrize("omega", [0.1, 1.0, 3.7])
@pytest.mark.parametrize("n", [0, 9, 18])
def test_the_closed_form_is_the_sum_of_cosines_also_where_sines_vanish(n, omega):
    zeros = np.arange(-3, 4) * math.pi / omega
    x = np.concatenate([X.ravel(), zeros, zeros + 1e-7, zeros - 1e-5])
    want = 4 * omega / math.pi * sum(np.cos((2 * i + 1) * omega * x) for i in range(n + 1))
    np.testing.assert_allclose(fourier_slope(torch.tensor(x), n, omega).numpy(), want, atol=2e-6 * (n + 1) * omega)
    assert float(fourier_slope(torch.zeros(1), n, omega)) == pytest.approx(4 * omega / math.pi * (n + 1), rel=1e-6)


def test_fda_grows_by_one_term_for_equal_shares_and_takes_a_mask():
    pair = fda(9, 18, omega=0.1, clip=1.0)
    terms = [pair.values_at(i / 1000)["terms"] for i in range(1001)]
    assert sorted(set(terms)) == list(range(9, 19)) and terms[-1] == 18
    counts = [terms[:-1].count(n) for n in range(9, 19)]
    assert counts == [100] * 10
    x = torch.tensor([-1.01, -1.0, 1.0, 1.01])
    assert (pair.backward(x, torch.ones(4), terms=9.0) != 0).tolist() == [False, True, True, False]
    assert fda_plus(3, 3).values_at(0.5) == {"terms": 3.0}
    with pytest.raises(ValueError, match="omega and clip must be positive"):
        fda(omega=0.0)


def test_hard_sign_of_the_relaxed_forwards_at_the_end():
    for name in ("parq", "progressive"):
        quantizer = make_quantizer(name)
        quantizer.set_progress(1.0)
        x = torch.tensor(X)
        assert torch.equal(quantizer(x), hard_sign(x))
