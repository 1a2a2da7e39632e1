"""The verdicts of our own quantizers in closed form, derived by hand; `check_pair` finds the same numerically.

For a sign forward, P is two-valued, so B must be constant on each half (0 is free) or, jump-aware, a staircase. For a
forward that is an antiderivative of the backward, P(w) = w and T is the forward. A slope that varies beside a sign has
no T: it would be constant on a set with accumulation points, so T' = 0 there.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..pair import QuantizerPair
from ..parq import clamp_map
from ..ste import sign_ste

# max |SS''| / sharpness^2: the largest |sech^2 v (2 v tanh^2 v - v sech^2 v - 3 tanh v)| / 2 over v = sharpness * w / 2
SWISH_BEND = 0.6163630315912674
TANH_BEND = 4 / (3 * math.sqrt(3))  # max |d sech^2 x / dx|

Number = Callable[[Mapping[str, float]], float]  # of a pair's schedule values


@dataclass(frozen=True)
class ClosedForm:
    """integral, exact: the two verdicts. P, T: formulas in words. lip, lip_slope: of T and T', None without T.

    where: on which the criteria fail. The values are those of the schedules; w is what the pair's `prepare` returns.
    """

    integral: bool
    exact: bool
    P: str = ""
    T: str = ""
    lip: Number | None = None
    lip_slope: Number | None = None
    where: str = ""


def _yes(p: str, t: str, lip: Number, lip_slope: Number) -> ClosedForm:
    return ClosedForm(True, True, p, t, lip, lip_slope)


def _no(where: str) -> ClosedForm:
    return ClosedForm(False, False, where=f"F is constant while B moves, {where}")


def _over(a: float, b: float) -> float:
    return a / b if b else math.inf


def _growth(t: float) -> float:
    return max(1 / t, 1.0) * t


SIGN = _yes("sign(w)", "p", lambda v: 1.0, lambda v: 0.0)
CLIPPED = _yes("sign(w), 2 sign(w) where |w| > 1", "p, beyond |p| = 1 a cubic that is flat at |p| = 2",
               lambda v: 1.0, lambda v: 4.0)  # fmt: skip

CLOSED_FORMS: dict[str, ClosedForm] = {
    "latent": _yes("w", "p", lambda v: 1.0, lambda v: 0.0),
    "identity": SIGN,
    "ste": CLIPPED,
    "approx_sign": _no("for 0 < |w| < 1"),
    "swish_sign": _no("for w != 0"),
    "bnn++": _yes("w", "SS_m(p)", lambda v: v["sharpness"], lambda v: SWISH_BEND * v["sharpness"] ** 2),
    "bnn++_mean": _yes("w, in units of mean |w|", "SS_m(p)", lambda v: v["sharpness"],
                       lambda v: SWISH_BEND * v["sharpness"] ** 2),
    "poly+": _yes("w", "u (2 - |u|), u = m p within [-1, 1]", lambda v: 2 * v["sharpness"],
                  lambda v: 2 * v["sharpness"] ** 2),
    "reactnet": CLIPPED,
    "ede": _no("for w != 0"),
    "irnet": _no("for w != 0"),
    "ede+": _yes("w", "k tanh(t p), k = max(1/t, 1)", lambda v: _growth(v["t"]),
                 lambda v: TANH_BEND * _growth(v["t"]) * v["t"]),
    "rbnn": _no("for 0 < |t w| < sqrt 2"),
    "rbnn_activation": _no("for 0 < |t w| < sqrt 2"),
    "rbnn_rotated": _no("for 0 < |t w| < sqrt 2"),
    "siman": SIGN,
    "recu": SIGN,
    "recu_activation": CLIPPED,
    "adabin": SIGN,
    "reste": _no("for 0.1 < |w| < 1.5, once the power is above 1"),
    "dsq": _no("for 0 < |w| < 1"),
    "biper": SIGN,
    "parq": _yes("clamp(w / s, -1, 1), w in units of mean |w|", "p", lambda v: 1.0, lambda v: 0.0),
    "clamp_poly": _yes("clamp(w / s, -1, 1), w in units of mean |w|", "1.06 p + 0.02 p^3 - 0.08 p^5",
                       lambda v: 1.06225, lambda v: 1.48),
    "binary_relax": _yes("(1 - theta) w + theta sign(w)", "p", lambda v: 1.0, lambda v: 0.0),
    "soft_threshold": _yes("the proximal map of lambda | |w| - 1 |", "p", lambda v: 1.0, lambda v: 0.0),
    "progressive": _yes("w within 1 - T, one step more beyond", "p / (1 - T), then a cubic that is flat a step on",
                        lambda v: _over(1, 1 - v["hardness"]), lambda v: _over(4, 1 - v["hardness"])),
    "fda": _no("for w != 0"),
    "fda+": _yes("w", "s_n(p)", lambda v: 4 * 0.1 / math.pi * (v["terms"] + 1),
                 lambda v: 4 * 0.1**2 / math.pi * (v["terms"] + 1) ** 2),
    "fda_noise": _no("for w != 0, the module aside"),
}  # fmt: skip
BOUNDS = frozenset({"fda+"})  # lip_slope is an upper bound here, not the value


def scalar_pair(name: str) -> QuantizerPair:
    """A pair of QUANTIZERS as functions of one number: those that look at a whole filter, with its mean size 1."""
    from .. import make_quantizer

    pair = make_quantizer(name, features=1).pair
    if name == "bnn++_mean":
        plain = make_quantizer("bnn++").pair
        return QuantizerPair(plain.forward, plain.backward, pair.schedules)
    if name == "clamp_poly":
        return make_quantizer({"name": name, "unit": "one"}).pair
    if name == "parq":
        return QuantizerPair(lambda x, inverse_slope: clamp_map(x, inverse_slope), pair.backward, pair.schedules)
    return sign_ste() if name in ("reactnet", "recu_activation") else pair
