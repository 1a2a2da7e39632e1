"""ReCU: weights standardised a filter, then clamped at a quantile that rises, so that far-out weights come back.

Source: Xu et al. 2021 (ReCU), arXiv:2103.12369, with the numbers of the authors' code: standardised to deviation
2 sqrt 2, clamped to +-Q, Q = -mean|w'| ln(2 - 2 tau), the tau-quantile of a Laplace distribution of that mean size;
tau from 0.85 to 0.99 exponentially. Activations are divided by their deviation in training.
"""

import math

import torch
from torch import Tensor

from .native_backward import NativeBackward
from .native_signs import WINDOW, variance
from .pair import QuantizerPair, hard_sign
from .schedules import geometric
from .standardized import per_filter, standardize


def recu_weights(start: float = 0.85, end: float = 0.99) -> QuantizerPair:
    """On weights (out, ...): forward hard sign of w', backward 1 to w' where |w'| <= Q, and through the standardising.

    Raises ValueError unless start and end lie in (1/2, 1).
    """
    if not (0.5 < start < 1 and 0.5 < end < 1):
        raise ValueError(f"recu_weights: tau must lie between 1/2 and 1, got {start} and {end}")

    def prepare(w: Tensor, tau: float) -> Tensor:
        scaled = standardize(w) * (2 * math.sqrt(2))
        size = scaled.detach().abs().flatten(1).mean(1) * -math.log(2 - 2 * tau)
        bound = per_filter(size, w)
        return torch.minimum(torch.maximum(scaled, -bound), bound)

    return QuantizerPair(hard_sign, lambda x, grad, tau: grad, {"tau": geometric(start, end)}, prepare)


def recu_activation() -> QuantizerPair:
    """forward hard sign;  backward(x, g) = g where |x| <= s, divided by s, the deviation of x over the whole batch."""

    def backward(x: Tensor, grad: Tensor) -> Tensor:
        if not x.numel():
            return grad
        size = x.std(correction=0).clamp_min(1e-8)
        return torch.where(x.abs() <= size, grad / size, torch.zeros_like(grad))

    def window(x: Tensor) -> Tensor:
        return variance(x).sqrt().clamp_min(1e-8)

    return QuantizerPair(hard_sign, NativeBackward(backward, WINDOW, window))
