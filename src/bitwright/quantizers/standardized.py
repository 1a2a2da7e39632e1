"""Weights standardised a filter before their sign: zero mean, unit deviation, differentiated through.

Source: Qin et al. 2020 (IR-Net), arXiv:1909.10788 (standardised weights); Tu et al. 2022 (AdaBin), arXiv:2208.08084
(the sign of centred weights, with levels mean +- deviation).
"""

from torch import Tensor

from .pair import QuantizerPair, hard_sign

TINY = 1e-8


def per_filter(vector: Tensor, x: Tensor) -> Tensor:
    """(out,) shaped to broadcast over x (out, ...)."""
    return vector.reshape(-1, *[1] * (x.dim() - 1))


def standardize(w: Tensor) -> Tensor:
    """(w - mean) / deviation of each filter (index of axis 0), the deviation with n - 1; (out, ...) -> the same."""
    flat = w.flatten(1)
    centred = w - per_filter(flat.mean(1), w)
    if flat.shape[1] < 2:
        return centred
    return centred / per_filter(flat.std(1) + TINY, w)


def adabin_weights() -> QuantizerPair:
    """On weights (out, ...): forward(w) = +1 where w is at least its filter's mean, else -1; backward straight through
    to the standardised weight. For a layer with scale="two_level".
    """
    return QuantizerPair(hard_sign, lambda x, grad: grad, prepare=standardize)
