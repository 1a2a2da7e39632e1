"""Two proximal maps as pairs with a straight gradient: BinaryRelax's mixture and ProxQuant's soft threshold.

Source: Yin et al. 2018 (BinaryRelax), arXiv:1801.06313, (1 - theta) w + theta sign(w), theta from 0 to 1 linearly as in
PARQ's code; Bai et al. 2019 (ProxQuant), arXiv:1810.00861, the map of strength lambda. A gradient that passes straight
makes both of them ProxConnect, arXiv:2110.13220, with that map.
"""

from torch import Tensor

from .pair import QuantizerPair, hard_sign
from .schedules import linear
from .straight import in_unit
from .theory.synthesize import soft_threshold_map


def binary_relax(unit: str = "one") -> QuantizerPair:
    """forward(w) = (1 - theta) w + theta sign(w), theta (`mixture`) from 0 to exactly 1;  backward(w, g) = g.

    unit: of w, "one" or "mean", |w| of its filter: with scale="channel" the paper's mixture of w and mean |w| sign(w).
    Raises ValueError for another unit.
    """
    pair = QuantizerPair(
        lambda x, mixture: x * (1 - mixture) + hard_sign(x) * mixture,
        lambda x, grad, mixture: grad,
        {"mixture": linear(0.0, 1.0)},
    )
    return in_unit(pair, unit, "binary_relax")


def soft_threshold(end: float = 1.0) -> QuantizerPair:
    """forward(w) = the proximal map of lambda | |w| - 1 |, lambda the buffer `prox_strength` from 0 to exactly end;
    backward(w, g) = g. With latent weights in [-1, 1] the end 1 is the sign. Raises ValueError unless end is positive.
    """
    if not end > 0:
        raise ValueError(f"soft_threshold: the end of prox_strength must be positive, got {end}")
    map_ = soft_threshold_map(linear(0.0, end))

    def forward(x: Tensor, prox_strength: float) -> Tensor:
        return map_.value(x, prox_strength=prox_strength)

    return QuantizerPair(forward, lambda x, grad, prox_strength: grad, map_.schedules or {})
