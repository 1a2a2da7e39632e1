"""Sign forward, straight-through backward: the gradient passes everywhere (identity) or where |x| <= clip.

Source: Hubara et al. 2016, arXiv:1602.02830, Eq. 1 (forward) and Eq. 4 (backward, clip = 1).
"""

from functools import cache

import torch
from torch import Tensor

from .pair import QuantizerPair, hard_sign


def identity_ste() -> QuantizerPair:
    """forward(x) = +1 if x >= 0 else -1;  backward(x, g) = g.

    For weights it needs latent clipping in the optimizer step, or weights drift away and never flip again.
    """
    return QuantizerPair(hard_sign, lambda x, grad: grad)


@cache
def _next_up(number: float, dtype: torch.dtype) -> float:
    return float(torch.nextafter(torch.tensor(number, dtype=dtype), torch.tensor(torch.inf, dtype=dtype)))


def sign_ste(clip: float = 1.0) -> QuantizerPair:
    """forward(x) = +1 if x >= 0 else -1;  backward(x, g) = g if |x| <= clip else 0.

    x, g: float, any shape; both results have x's shape and dtype. forward(nan) is -1.
    clip: same unit as x. Raises ValueError if it is not positive.
    """
    if not clip > 0:
        raise ValueError(f"sign_ste: clip must be positive, got {clip}")

    def backward(x: Tensor, grad: Tensor) -> Tensor:
        edge = _next_up(clip, x.dtype)
        return torch.ops.aten.hardtanh_backward(grad, x, -edge, edge)  # one pass; strict, hence the next float

    return QuantizerPair(hard_sign, backward)
