"""PARQ's proximal map: a clamp whose slope grows until it is the sign; the gradient passes straight.

Source: Jin et al. 2025 (PARQ), arXiv:2503.15748, and its released code: clamp(w / s, -v, v) with v the mean size, s
from 1 down to 0 along a mirrored sigmoid of steepness 10 about the middle. Levels are +-1 here; v is the layer's scale.
"""

import math

from torch import Tensor

from .pair import QuantizerPair, Schedule, hard_sign
from .straight import filter_mean_size


def mirrored_sigmoid(steepness: float = 10.0, centre: float = 0.5) -> Schedule:
    """From exactly 1 at progress 0 to exactly 0 at 1, falling; steepest at `centre`. Raises ValueError if flat."""
    if not steepness > 0:
        raise ValueError(f"mirrored_sigmoid: steepness must be positive, got {steepness}")

    def sigmoid(progress: float) -> float:
        return 1 / (1 + math.exp(steepness * (progress - centre)))

    first, last = sigmoid(0.0), sigmoid(1.0)
    return lambda p: 0.0 if p >= 1 else 1.0 if p <= 0 else (sigmoid(p) - last) / (first - last)


def clamp_map(x: Tensor, slope: float) -> Tensor:
    """clamp(x / slope, -1, 1), the hard sign for slope 0."""
    return hard_sign(x) if slope <= 0 else (x / slope).clamp(-1, 1)


def parq(steepness: float = 10.0, centre: float = 0.5) -> QuantizerPair:
    """On weights (out, ...): forward(w) = clamp(w / (s mean|w|), -1, 1), the mean a filter's; backward(w, g) = g.

    `inverse_slope` s falls from 1 to exactly 0, where the forward is the hard sign.
    """

    def forward(x: Tensor, inverse_slope: float) -> Tensor:
        return clamp_map(x / filter_mean_size(x), inverse_slope)

    schedules = {"inverse_slope": mirrored_sigmoid(steepness, centre)}
    return QuantizerPair(forward, lambda x, grad, inverse_slope: grad, schedules)
