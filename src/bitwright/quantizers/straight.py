"""Straight-through gradients with a memory of the weight's size.

Source: Liu et al. 2020 (ReActNet), arXiv:2003.03488, as its code has it: the forward weight is mean|w| sign(w) and the
gradient passes to w where |w| <= 1, whatever the mean is. (With `scale="channel"` and the plain clipped pair the mean
multiplies the gradient too; that is the derivative Bi-Real net calls magnitude-aware.)
"""

import torch
from torch import Tensor

from .pair import QuantizerPair, hard_sign

TINY = 1e-12


def filter_mean_size(x: Tensor) -> Tensor:
    """mean |x| of each filter (index of axis 0), shaped to broadcast over x; at least TINY."""
    return x.abs().flatten(1).mean(1).clamp_min(TINY).reshape(-1, *[1] * (x.dim() - 1))


def in_mean_sizes(pair: QuantizerPair) -> QuantizerPair:
    """`pair` on weights (out, ...) measured in the mean size of their filter, which counts as a constant: how large
    the weights are does not matter then, nor to the size of the gradient. `pair` has no `prepare`.
    """
    return QuantizerPair(
        lambda w, **values: pair.forward(w / filter_mean_size(w), **values),
        lambda w, grad, **values: pair.backward(w / filter_mean_size(w), grad, **values),
        pair.schedules,
    )


UNITS = ("one", "mean")  # of w: as it is, or in mean sizes of its filter


def in_unit(pair: QuantizerPair, unit: str, who: str) -> QuantizerPair:
    """`pair` on weights in one of UNITS. Raises ValueError, beginning with `who`, for another."""
    if unit not in UNITS:
        raise ValueError(f"{who}: unit is {unit!r}, expected one of {', '.join(UNITS)}")
    return in_mean_sizes(pair) if unit == "mean" else pair


def reactnet_weights() -> QuantizerPair:
    """forward(w) = +1 if w >= 0 else -1;  backward(w, g) = g / mean|w| if |w| <= 1 else 0, the mean a filter's.

    w: (out, ...). For a layer with scale="channel": the scaled weight mean|w| sign(w) then has the derivative 1.
    """

    def backward(x: Tensor, grad: Tensor) -> Tensor:
        return torch.where(x.abs() <= 1, grad / filter_mean_size(x), torch.zeros_like(grad))

    return QuantizerPair(hard_sign, backward)
