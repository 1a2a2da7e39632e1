"""ReSTE: sign forward, backward the slope of a power function that starts as the straight line and bends to the sign.

Source: Wu et al. 2023 (ReSTE), arXiv:2308.06689, with the numbers of the authors' code: (1/o) |x|^((1-o)/o) where
0.1 < |x| <= 1.5, the secant 0.1^(1/o) / 0.1 nearer to zero, 0 beyond; o = 1 + (end - 1)(1 - cos(pi progress / 2)).
"""

import math

import torch
from torch import Tensor

from .pair import QuantizerPair, Schedule, hard_sign

NEAR, FAR = 0.1, 1.5


def _quarter_cosine(end: float) -> Schedule:
    return lambda progress: end if progress >= 1 else 1 + (end - 1) * (1 - math.cos(math.pi * progress / 2))


def reste(end: float = 3.0) -> QuantizerPair:
    """forward hard sign, backward as above, `power` o from 1 to exactly end. Computed in float32 at least.

    Raises ValueError if end is below 1.
    """
    if not end >= 1:
        raise ValueError(f"reste: the power must be at least 1, got {end}")

    def backward(x: Tensor, grad: Tensor, power: float) -> Tensor:
        size = x.to(torch.promote_types(x.dtype, torch.float32)).abs()
        slope = size.clamp(NEAR, FAR).pow((1 - power) / power) / power
        slope = torch.where(size <= NEAR, torch.full_like(slope, NEAR ** (1 / power) / NEAR), slope)
        return (torch.where(size <= FAR, slope, torch.zeros_like(slope)) * grad).to(x.dtype)

    return QuantizerPair(hard_sign, backward, {"power": _quarter_cosine(end)})
