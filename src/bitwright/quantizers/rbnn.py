"""RBNN's estimator: sign forward, backward a triangle that narrows and grows. The rotation of weights is rotation.py.

Source: Lin et al. 2020 (RBNN), arXiv:2009.13055, with the numbers of the authors' code:
k t max(sqrt 2 - |t x|, 0), k = max(1/t, 1); on activations t is max(t, 1) and k is 1; t from 1e-2 to 10.
"""

import math

from torch import Tensor

from .pair import QuantizerPair, hard_sign
from .schedules import geometric


def _triangle(x: Tensor, t: float, k: float) -> Tensor:
    return (math.sqrt(2) - (x * t).abs()).clamp_min(0) * (k * t)


def rbnn(start: float = 1e-2, end: float = 10.0) -> QuantizerPair:
    """Weights: forward hard sign, backward(x, g) = g k t max(sqrt 2 - |t x|, 0), k = max(1/t, 1); t in equal factors.

    Raises ValueError unless start and end are positive.
    """
    return QuantizerPair(
        hard_sign, lambda x, grad, t: grad * _triangle(x, t, max(1 / t, 1.0)), {"t": geometric(start, end)}
    )


def rbnn_activation(start: float = 1e-2, end: float = 10.0) -> QuantizerPair:
    """Activations: the same with t no smaller than 1, and k = 1."""
    return QuantizerPair(hard_sign, lambda x, grad, t: grad * _triangle(x, max(t, 1.0), 1.0),
                         {"t": geometric(start, end)})  # fmt: skip
