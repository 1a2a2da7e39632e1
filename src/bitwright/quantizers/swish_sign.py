"""The sign-Swish SS and its derivative: backward of BNN+, forward and backward of BNN++.

SS(x) = tanh(u/2) + (u/2) sech^2(u/2),  SS'(x) = mu sech^2(u/2) (1 - (u/2) tanh(u/2)),  u = mu x, mu the sharpness.
SS' (0) = mu; SS peaks at 1.19968 for |u| = 2.3994 and falls back to 1, so SS' is negative beyond.
Source: Darabi et al. 2018 (BNN+), arXiv:1812.11800 (backward with mu = 5); Lu et al. 2023 (PC++, BNN++),
arXiv:2402.17710 (SS in the forward too).
"""

import torch
from torch import Tensor

from .pair import QuantizerPair, Schedule, hard_sign
from .schedules import geometric, linear
from .straight import in_mean_sizes


def sech2(x: Tensor) -> Tensor:
    """1 / cosh(x)^2 for any finite x: written with exp(-2|x|), which cannot overflow where cosh does (|x| > 88)."""
    decay = torch.exp(-2 * x.abs())
    return 4 * decay / (1 + decay) ** 2


def swish_sign_value(x: Tensor, sharpness: float) -> Tensor:
    """SS(x), in x's shape and dtype; computed in float32 at least."""
    half = x.to(torch.promote_types(x.dtype, torch.float32)) * (sharpness / 2)
    return (torch.tanh(half) + half * sech2(half)).to(x.dtype)


def swish_sign_slope(x: Tensor, sharpness: float) -> Tensor:
    """SS'(x), in x's shape and dtype; computed in float32 at least."""
    half = x.to(torch.promote_types(x.dtype, torch.float32)) * (sharpness / 2)
    return (sharpness * sech2(half) * (1 - half * torch.tanh(half))).to(x.dtype)


def _checked(who: str, sharpness: float) -> float:
    if not sharpness > 0:
        raise ValueError(f"{who}: sharpness must be positive, got {sharpness}")
    return float(sharpness)


def swish_sign(sharpness: float = 5.0) -> QuantizerPair:
    """BNN+: forward(x) = +1 if x >= 0 else -1;  backward(x, g) = g * SS'(x). Raises ValueError if sharpness <= 0."""
    mu = _checked("swish_sign", sharpness)
    return QuantizerPair(hard_sign, lambda x, grad: grad * swish_sign_slope(x, mu))


def _relaxed(schedule: Schedule) -> QuantizerPair:
    return QuantizerPair(
        lambda x, sharpness: swish_sign_value(x, sharpness),
        lambda x, grad, sharpness: grad * swish_sign_slope(x, sharpness),
        {"sharpness": schedule},
    )


def bnn_plus_plus(start: float = 5.0, end: float = 30.0) -> QuantizerPair:
    """BNN++: forward(x) = SS(x) and backward(x, g) = g * SS'(x), the true derivative; hard sign in eval.

    `sharpness` grows linearly from start to exactly end over the training. The relaxed forward is near +-1 only where
    sharpness * |x| is well above 6: choose `end` by the size of the latent weights, and judge by the eval accuracy.
    Raises ValueError if start or end is not positive.
    """
    return _relaxed(linear(_checked("bnn_plus_plus", start), _checked("bnn_plus_plus", end)))


def bnn_plus_plus_mean(start: float = 0.5, end: float = 30.0) -> QuantizerPair:
    """BNN++ on weights (out, ...) measured in mean |w| of their filter, so that one sharpness suits small weights too.

    `sharpness` grows by equal factors from start to exactly end. Ours, since 30 times a weight of a float network, some
    hundredths, is far from a sign. Raises ValueError if start or end is not positive.
    """
    schedule = geometric(_checked("bnn_plus_plus_mean", start), _checked("bnn_plus_plus_mean", end))
    return in_mean_sizes(_relaxed(schedule))
