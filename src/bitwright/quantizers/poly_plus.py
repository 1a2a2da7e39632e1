"""Poly+: the piecewise quadratic whose slope is ApproxSign's triangle, in the forward too.

The slope is that of Liu et al. 2018 (Bi-Real net), arXiv:1808.00278; taking its antiderivative as the forward makes
the pair consistent in the sense of Lu et al. 2023 (PC++), arXiv:2402.17710. `sharpness` m stretches both: F(m x).
"""

from torch import Tensor

from .pair import QuantizerPair
from .schedules import linear


def poly_plus(start: float = 1.0, end: float = 10.0) -> QuantizerPair:
    """forward(x) = u (2 - |u|), u = m x clipped to [-1, 1];  backward(x, g) = g m max(2 - 2|m x|, 0); m `sharpness`.

    The hard sign in eval. Raises ValueError unless start and end are positive.
    """
    if not (start > 0 and end > 0):
        raise ValueError(f"poly_plus: sharpness must be positive, got {start} and {end}")

    def forward(x: Tensor, sharpness: float) -> Tensor:
        u = (x * sharpness).clamp(-1, 1)
        return u * (2 - u.abs())

    def backward(x: Tensor, grad: Tensor, sharpness: float) -> Tensor:
        return grad * (2 - 2 * (x * sharpness).abs()).clamp_min(0) * sharpness

    return QuantizerPair(forward, backward, {"sharpness": linear(start, end)})
