"""Progressive sign: a Hardtanh that steepens into the sign.

Source: the progressive sign of the bitorch library (Bethge et al.): hardtanh(x / (1 - T)), T from 0 to 1.
"""

import torch
from torch import Tensor

from .pair import QuantizerPair
from .parq import clamp_map
from .schedules import linear


def progressive_sign(end: float = 1.0) -> QuantizerPair:
    """forward(x) = clamp(x / (1 - T), -1, 1);  backward(x, g) = g / (1 - T) where |x| < 1 - T, else 0: its derivative.

    `hardness` T grows linearly from 0 to exactly end; at T = 1 the forward is the hard sign and no gradient passes.
    Raises ValueError unless 0 < end <= 1.
    """
    if not 0 < end <= 1:
        raise ValueError(f"progressive_sign: the end of T must lie in (0, 1], got {end}")

    def backward(x: Tensor, grad: Tensor, hardness: float) -> Tensor:
        left = 1 - hardness
        return torch.where(x.abs() < left, grad / max(left, 1e-12), torch.zeros_like(grad))

    return QuantizerPair(lambda x, hardness: clamp_map(x, 1 - hardness), backward, {"hardness": linear(0.0, end)})
