"""A clamp that steepens into the sign, bent by an odd polynomial: pairs put together by PC++'s rule and searched among.

P(w) = clamp(w / (s u), -1, 1), u the unit of w and s falling to 0 along PARQ's mirrored sigmoid; T(p) = (1 - a - b) p +
a p^3 + b p^5. Source of the rule F = T o P, B = T' o P: Lu et al. 2023 (PC++), arXiv:2402.17710; of the clamp: Jin et
al. 2025 (PARQ), arXiv:2503.15748. The defaults are ours, from docs/methods-results.md; a = b = 0 with reach 1 is PARQ.
"""

from .pair import QuantizerPair
from .parq import mirrored_sigmoid
from .straight import in_unit


def clamp_poly(reach: float = 0.5, steepness: float = 10.0, centre: float = 0.7, cubic: float = 0.02,
               quintic: float = -0.08, unit: str = "mean") -> QuantizerPair:  # fmt: skip
    """On weights (out, ...): forward(w) = T(P(w)), backward(w, g) = g T'(P(w)).

    reach: where the clamp ends at first, in units of w; steepness, centre: of the schedule `inverse_slope`, from reach
    to exactly 0, where the forward is the hard sign. cubic, quintic: a and b. Raises ValueError for an unknown unit and
    where `synthesize` does.
    """
    from .theory import odd_polynomial, piecewise_affine_map, synthesize

    falling = mirrored_sigmoid(steepness, centre)
    clamp = piecewise_affine_map(lambda progress: reach * falling(progress))
    pair = synthesize(clamp, odd_polynomial(1 - cubic - quintic, cubic, quintic))
    return in_unit(pair, unit, "clamp_poly")
