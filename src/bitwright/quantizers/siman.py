"""SiMaN: weights become +1 or -1 by their size, half of a filter each, not by their sign.

Source: Lin et al. 2022 (SiMaN), arXiv:2102.07981, the encoding: +1 where |w| lies above the filter's median, else -1;
there of standardised weights, here of the weights as they are. The gradient here is ours: straight through
|w| - median, the median held fixed, so dz/dw = sign(w).
"""

import torch
from torch import Tensor

from .pair import QuantizerPair, hard_sign
from .standardized import per_filter


def above_median(w: Tensor) -> Tensor:
    """|w| minus the median size of its filter: (out, ...) -> the same. Of an even number, the middle of the middle two,
    so that exactly half lie above unless sizes are equal."""
    sizes = w.detach().abs().flatten(1)
    n = sizes.shape[1]
    ordered = sizes.sort(1).values
    median = (ordered[:, (n - 1) // 2] + ordered[:, n // 2]) / 2
    return torch.abs(w) - per_filter(median, w)


def siman_weights() -> QuantizerPair:
    """On weights (out, ...): forward(w) = +1 if |w| >= median else -1;  backward(w, g) = g sign(w), 0 at w = 0."""
    return QuantizerPair(hard_sign, lambda x, grad: grad, prepare=above_median)
