"""check_pair against the closed forms and hand-made pairs; P and T put together again; synthesize and plus."""

import math

import numpy as np
import pytest
import torch

from bitwright.quantizers import (
    QUANTIZERS,
    bnn_plus_plus,
    ede,
    ede_plus,
    fda,
    fda_plus,
    quantize,
    reactnet_weights,
    sign_ste,
)
from bitwright.quantizers.poly_plus import poly_plus
from bitwright.quantizers.schedules import linear
from bitwright.quantizers.swish_sign import swish_sign_slope, swish_sign_value
from bitwright.quantizers.theory import (
    BOUNDS,
    CLOSED_FORMS,
    SmoothMap,
    check_pair,
    identity_map,
    odd_polynomial,
    piecewise_affine_map,
    plus,
    scalar_pair,
    sign_map,
    soft_threshold_map,
    synthesize,
)
from bitwright.quantizers.theory.check import functions_of

RNG = np.random.default_rng(0)


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)


def staircase(*values):
    """values[k] where k <= |x| < k + 1, the last one beyond."""
    return lambda x: np.array(values)[np.minimum(np.abs(x).astype(int), len(values) - 1)]


def assert_rebuilt(report, forward, backward, n=4000):
    """F = T(P(w)), B = T'(P(w)) at random places, P monotone."""
    d = report.decomposition
    w = np.sort(RNG.uniform(report.lo, report.hi, n))
    p = d.P(w)
    assert (np.diff(p) >= 0).all()
    close = np.abs(d.T(p) - forward(w)) < 1e-5
    steep = np.abs(d.slope(p) - backward(w)) < 1e-3 * max(np.abs(backward(w)).max(), 1)
    # a place in the cell of a kink is off by the cell's width, one within 1e-8 of a jump may fall on its other side
    assert close.mean() > 0.997 and steep.mean() > 0.997
    assert np.abs(d.slope(np.linspace(p[0], p[-1], 9_999))).max() <= d.lip * 1.001


@pytest.mark.parametrize("progress", [0.2, 0.9])
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_numeric_and_closed_form_agree(name, progress):
    pair, closed = scalar_pair(name), CLOSED_FORMS[name]
    values = pair.values_at(progress)
    report = check_pair(pair, progress=progress)
    assert (report.integral, report.exact) == (closed.integral, closed.exact), report
    if closed.lip is None or closed.lip_slope is None:
        assert report.decomposition is None and closed.where and report.exact_failure is not None
        return
    d = report.decomposition
    assert d is not None and d.lip == pytest.approx(closed.lip(values), rel=1e-3)
    bound = closed.lip_slope(values)
    beyond = name == "ede+" and 1.2 / values["t"] > 4  # where the bend is
    if name in BOUNDS or beyond or name == "clamp_poly" and progress > 0.5:  # steep: few places of the grid inside
        assert d.lip_slope <= bound * 1.001
    else:
        assert d.lip_slope == pytest.approx(bound, rel=0.01, abs=1e-9)
    assert_rebuilt(report, *functions_of(pair, values))


def test_the_table_of_closed_forms_is_complete_and_says_what_the_derivations_say():
    assert set(CLOSED_FORMS) == set(QUANTIZERS)
    yes = {name for name, closed in CLOSED_FORMS.items() if closed.integral}
    assert yes == {
        "latent", "identity", "ste", "bnn++", "bnn++_mean", "poly+", "reactnet", "ede+", "siman", "recu",
        "recu_activation", "adabin", "biper", "parq", "clamp_poly", "binary_relax", "soft_threshold", "progressive",
        "fda+",
    }  # fmt: skip
    assert yes == {name for name, closed in CLOSED_FORMS.items() if closed.exact}


@pytest.mark.parametrize("values", [(1, 0.5, 0.25, 0), (1, 0.5), (0.25, 2, 0, 1)])
def test_a_staircase_separates_the_verdicts(values):
    forward, backward = sign, staircase(*values)
    report = check_pair(forward, backward)
    assert report.exact and not report.integral
    assert report.integral_failure is not None and "P rests while B steps" in report.integral_failure.why
    assert_rebuilt(report, forward, backward)
    levels = np.unique(report.decomposition.P(np.linspace(-3.997, 3.996, 1001)).round(6))  # type: ignore[union-attr]
    assert len(levels) == 2 * len(values)


def test_bnn_is_the_two_step_case_with_levels_one_and_two():
    d = check_pair(sign_ste()).decomposition
    assert d is not None
    np.testing.assert_allclose(d.P(np.array([-3.0, -1.5, -0.5, 0.5, 1.5, 3])), [-2, -2, -1, 1, 2, 2], atol=1e-7)
    assert d.T(np.array([1.5])) == pytest.approx(1 + 0.125)  # the cubic s (1 - s)^2 above 1
    assert (d.lip, d.lip_slope) == pytest.approx((1.0, 4.0))


CASES = {  # name -> (F, B, integral, exact, where it fails)
    "full precision": (lambda x: x, np.ones_like, True, True, None),
    "a slope that halves": (lambda x: x, lambda x: np.where(x < 0, 1.0, 2.0), True, True, None),
    "against": (lambda x: x, lambda x: -np.ones_like(x), False, False, (-4, 4)),
    "against in part": (lambda x: x, lambda x: np.where(x < 1, 1.0, -1.0), False, False, (1, 4)),
    "moving while B is 0": (lambda x: x, lambda x: np.where(np.abs(x) < 1, 1.0, 0.0), False, False, (-4, -1)),
    "one cycle of sine": (np.sin, np.cos, True, True, None),
    "triangle": (sign, lambda x: np.maximum(1 - np.abs(x), 0), False, False, (-1, 0)),
    "sign against B": (sign, lambda x: -np.ones_like(x), False, True, (0, 0)),
    "jump where B is 0": (sign, lambda x: (np.abs(x) > 1).astype(float), False, True, (0, 0)),
    "bump on one side": (sign, lambda x: np.where(x < 2, 1.0, 3 - x), False, False, (2, 4)),
}


@pytest.mark.parametrize("case", CASES)
def test_hand_made_pairs(case):
    forward, backward, integral, exact, where = CASES[case]
    report = check_pair(forward, backward)
    assert (report.integral, report.exact) == (integral, exact), report
    if where is not None:
        failure = report.integral_failure
        assert failure is not None and failure.interval == pytest.approx(where, abs=2e-3)
    if exact:
        assert_rebuilt(report, forward, backward)


def test_a_jump_off_the_grid_is_found_to_the_last_bits():
    at = 1 / 3 + 1e-3 * math.pi
    report = check_pair(lambda x: np.where(x >= at, 1.0, -1.0), np.ones_like)
    d = report.decomposition
    assert d is not None and report.integral
    assert d.P(np.array([at - 1e-7])) < d.P(np.array([at + 1e-7])) - 1.9


def test_bad_questions_are_refused():
    with pytest.raises(ValueError, match="backward is missing"):
        check_pair(sign)
    with pytest.raises(ValueError, match="is empty"):
        check_pair(sign, np.ones_like, lo=1, hi=1)
    with pytest.raises(ValueError, match="not finite"), np.errstate(divide="ignore"):
        check_pair(sign, lambda x: 1 / np.abs(x - 4))


def test_functions_may_be_of_tensors_or_constant_and_quantizers_have_names():
    plain = str(check_pair(sign, np.ones_like))
    assert str(check_pair(torch.sign, torch.ones_like)) == str(check_pair(np.sign, lambda w: 1.0)) == plain
    assert str(check_pair(lambda w: w.clamp(-1, 1), lambda w: (w.abs() < 1).double(), lo=-2, hi=2)).startswith(
        "integral: yes"
    )
    for name in ("irnet", "parq"):
        assert str(check_pair(name, progress=0.3)) == str(check_pair(scalar_pair(name), progress=0.3))


def test_functions_that_do_not_act_on_single_numbers_are_refused():
    for pair in (reactnet_weights(), lambda w: 1.0 if w >= 0 else -1.0):
        with pytest.raises(ValueError, match="forward|backward must take.*treat each number by itself.*np.vectorize"):
            check_pair(pair, np.ones_like)
    with pytest.raises(ValueError, match=r"backward makes \(2,\) of \(1001,\)"):
        check_pair(sign, lambda w: np.ones(2))
    with pytest.raises(ValueError, match="progress is a share"):
        check_pair("bnn++", progress=7)


SCALED = swish_sign_value(torch.ones((), dtype=torch.float64), 2.0)
SWISH_2 = SmoothMap(lambda p: swish_sign_value(p, 2.0) / SCALED, lambda p: swish_sign_slope(p, 2.0) / SCALED)


@pytest.mark.parametrize("P", [identity_map(), sign_map(), soft_threshold_map(linear(0.0, 1.0)),
                               piecewise_affine_map(linear(1.0, 0.0))])  # fmt: skip
@pytest.mark.parametrize("T", [odd_polynomial(1.0), odd_polynomial(0.5, 0.7, -0.2), SWISH_2])
def test_synthesized_pairs_are_exact_and_their_gradient_is_that_of_t_at_p(P, T):
    pair = synthesize(P, T)
    for progress in (0.0, 0.4, 1.0):
        assert check_pair(pair, lo=-2, hi=2, progress=progress).exact
    values = pair.values_at(0.4)
    w = torch.tensor(RNG.uniform(-2, 2, 50), requires_grad=True)
    quantize(w, pair, **values).sum().backward()
    p = P.value(w.detach(), **values)
    steps = (T.value(p + 1e-6) - T.value(p - 1e-6)) / 2e-6
    torch.testing.assert_close(w.grad, steps, rtol=1e-6, atol=1e-6)


def test_synthesize_rejects_what_would_not_train():
    for sharpness in (5.0, 8.0):
        scale = swish_sign_value(torch.ones((), dtype=torch.float64), sharpness)
        bad = SmoothMap(lambda p, m=sharpness, s=scale: swish_sign_value(p, m) / s,
                        lambda p, m=sharpness, s=scale: swish_sign_slope(p, m) / s)  # fmt: skip
        with pytest.raises(ValueError, match=r"T'\(-1\) is -.*ascend"):
            synthesize(sign_map(), bad)
    with pytest.raises(ValueError, match="stand still"):
        synthesize(identity_map(), odd_polynomial(1.5, -0.5))
    with pytest.raises(ValueError, match=r"T\(-1\) is -0.9"):
        synthesize(identity_map(), odd_polynomial(0.9))
    with pytest.raises(ValueError, match="P falls near"):
        synthesize(lambda w: torch.sin(w), odd_polynomial(1.0))
    with pytest.raises(ValueError, match="both have a schedule"):
        synthesize(soft_threshold_map(linear(0, 1)), SmoothMap(torch.tanh, torch.tanh, {"prox_strength": linear(0, 1)}))


def test_soft_threshold_is_the_best_point_of_its_proximal_problem():
    z = np.linspace(-3, 3, 6001)
    for strength in (0.0, 0.3, 0.7):
        for w in (-2.2, -1.1, -0.6, 0.2, 0.5, 0.95, 1.6):
            best = z[np.argmin((z - w) ** 2 / 2 + strength * np.abs(np.abs(z) - 1))]
            value = soft_threshold_map(lambda p: 0.0).value(torch.tensor(w).double(), prox_strength=strength)
            assert float(value) == pytest.approx(best, abs=1.1e-3)


@pytest.mark.parametrize(
    "closed,pair", [(poly_plus(), "approx_sign"), (ede_plus(), ede()), (fda_plus(), fda())], ids=["poly", "ede", "fda"]
)
def test_plus_is_the_closed_form_repair(closed, pair):
    base = scalar_pair(pair) if isinstance(pair, str) else pair
    repaired = plus(base)
    values = base.values_at(0.7)
    x = torch.linspace(-3.9, 3.9, 1001, dtype=torch.float64)
    want = x.clamp(-1, 1) * (2 - x.clamp(-1, 1).abs()) if isinstance(pair, str) else closed.forward(x, **values)
    torch.testing.assert_close(repaired.forward(x, **values), want, atol=1e-6, rtol=0)
    assert check_pair(repaired, progress=0.7, lo=-3.9, hi=3.9).exact and not check_pair(base, progress=0.7).exact


def test_bnn_plus_plus_is_the_identity_followed_by_swish():
    report = check_pair(bnn_plus_plus(5.0, 30.0), progress=1.0)
    d = report.decomposition
    assert d is not None and report.integral
    w = np.linspace(-0.9, 0.9, 501)  # beyond, SS is 1 to ten digits and P may rest
    np.testing.assert_allclose(d.P(w), w, atol=5e-9)
