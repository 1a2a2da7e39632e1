"""Error decay estimator: sign forward, backward the slope of a tanh that starts almost straight and becomes steep.

Source: Qin et al. 2020 (IR-Net), arXiv:1909.10788: k t (1 - tanh^2(t x)) with k = max(1/t, 1), weights standardised a
filter; t from 1e-3 to 10 in equal factors is the range of the authors' ResNet-20 code.
EDE+ takes the antiderivative k tanh(t x) as its forward as well, which makes the pair consistent (see theory/).
"""

import torch
from torch import Tensor

from .pair import QuantizerPair, hard_sign
from .schedules import geometric
from .standardized import standardize
from .swish_sign import sech2


def ede_slope(x: Tensor, t: float) -> Tensor:
    """k t sech^2(t x), k = max(1/t, 1)."""
    return sech2(x * t) * (max(1 / t, 1.0) * t)


def ede(start: float = 1e-3, end: float = 10.0) -> QuantizerPair:
    """forward(x) = +1 if x >= 0 else -1;  backward(x, g) = g k t (1 - tanh^2(t x)), k = max(1/t, 1).

    `t` grows from start to exactly end in equal factors. Raises ValueError unless both are positive.
    """
    return QuantizerPair(hard_sign, lambda x, grad, t: grad * ede_slope(x, t), {"t": geometric(start, end)})


def irnet_weights(start: float = 1e-3, end: float = 10.0) -> QuantizerPair:
    """EDE on weights standardised a filter, w (out, ...); take scale="power_of_two" for the method's shift."""
    pair = ede(start, end)
    return QuantizerPair(pair.forward, pair.backward, pair.schedules, prepare=lambda w, t: standardize(w))


def ede_plus(start: float = 1e-3, end: float = 10.0) -> QuantizerPair:
    """forward(x) = k tanh(t x) and backward its true derivative; hard sign in eval."""
    return QuantizerPair(
        lambda x, t: torch.tanh(x * t) * max(1 / t, 1.0),
        lambda x, grad, t: grad * ede_slope(x, t),
        {"t": geometric(start, end)},
    )
