"""Real-valued features become signs: each is compared with its own rising thresholds, like the marks of a thermometer.

Source: Bacellar et al. 2022, "Distributive thermometer: a new unary encoding for weightless neural networks", ESANN:
thresholds at quantiles of the training data. The comparison is exact, so the frozen Program takes the same floats.
"""

import numpy as np
import torch
from torch import Tensor, nn

from bitwright.ir import lower


def quantile_thresholds(x: np.ndarray, n_thresholds: int) -> np.ndarray:
    """x: float (N, F), finite, N >= 1 -> float32 (F, n_thresholds), each row rising.

    A feature of few distinct values gets the midpoints between them, then +inf (a mark never reached); another gets the
    midpoints nearest to its quantiles. Raises ValueError for n_thresholds < 1.
    """
    if n_thresholds < 1:
        raise ValueError(f"quantile_thresholds: n_thresholds must be at least 1, got {n_thresholds}")
    thresholds = np.full((x.shape[1], n_thresholds), np.inf, np.float32)
    for feature, column in enumerate(np.asarray(x, np.float32).T):
        values, counts = np.unique(column, return_counts=True)
        marks = values[:-1] + (values[1:] - values[:-1]) / 2
        marks = np.where(marks > values[:-1], marks, values[1:])  # neighbouring floats have no midpoint
        if len(marks) > n_thresholds:
            below = np.cumsum(counts)[:-1] / len(column)  # share of the rows below each mark
            wanted = np.arange(1, n_thresholds + 1) / (n_thresholds + 1)
            chosen = np.abs(below[None, :] - wanted[:, None]).argmin(1)
            marks = np.unique(marks[chosen])
        thresholds[feature, : len(marks)] = marks
    return thresholds


def uniform_thresholds(lo: float, hi: float, n_thresholds: int) -> np.ndarray:
    """float32 (n_thresholds,): the marks that cut lo..hi into equal parts. Raises ValueError for n_thresholds < 1."""
    if n_thresholds < 1:
        raise ValueError(f"uniform_thresholds: n_thresholds must be at least 1, got {n_thresholds}")
    return np.linspace(lo, hi, n_thresholds + 2, dtype=np.float32)[1:-1]


class Thermometer(nn.Module):
    """x: float (batch, C, ...) -> bits (batch, C * J, ...); bit c * J + j is x[c] >= thresholds[c, j].

    Bits are -1 and +1, or with zero_one=True 0 and 1, as logic gates read them.
    thresholds: (C, J), a buffer saved with the weights; +inf is never reached by finite x. Nothing here is trained.
    """

    thresholds: Tensor

    def __init__(self, thresholds: np.ndarray, zero_one: bool = False):
        super().__init__()
        self.zero_one = zero_one
        self.register_buffer("thresholds", torch.from_numpy(np.array(thresholds, np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        marks = self.thresholds.reshape(*self.thresholds.shape, *(1,) * (x.dim() - 2))
        bits = (x.unsqueeze(2) >= marks).flatten(1, 2).float()
        return bits if self.zero_one else 2 * bits - 1

    def extra_repr(self) -> str:
        return "features={}, thresholds={}, zero_one={}".format(*self.thresholds.shape, self.zero_one)


@lower.register
def _(layer: Thermometer, x):
    return x.thermometer(layer.thresholds, layer.zero_one)
