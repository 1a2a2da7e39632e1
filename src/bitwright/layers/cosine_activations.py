"""Activations behind cosine layers: RASU and TASU, and the temperature of class cosines.

Source: G-Net, NeurIPS 2025, arXiv:2511.21063: an elementwise map behind the arcsin, relu or tanh.
"""

import math

import torch
from torch import Tensor, nn

from ..ir import lower
from ..quantizers import hard_sign
from . import native_rasu


class RASU(nn.Module):
    """relu(alpha * z), alpha > 0 learned: after an embedding the values are integers.

    The next cosine layer feels alpha only through its shift. Raises ValueError for an alpha that is not positive.
    """

    def __init__(self, alpha: float = 5.0):
        super().__init__()
        self.log_alpha = nn.Parameter(_logarithm("RASU: alpha", alpha))

    def forward(self, input: Tensor) -> Tensor:
        alpha = self.log_alpha.exp()
        return native_rasu.rasu(input, alpha) if native_rasu.takes(input, alpha) else torch.relu(input * alpha)


class TASU(nn.Module):
    """tanh(alpha * z) while training, alpha > 0 learned; the sign in eval mode, what ships: after an embedding one bit.

    Raises ValueError for an alpha that is not positive.
    """

    def __init__(self, alpha: float = 10.0):
        super().__init__()
        self.log_alpha = nn.Parameter(_logarithm("TASU: alpha", alpha))

    def forward(self, input: Tensor) -> Tensor:
        return torch.tanh(input * self.log_alpha.exp()) if self.training else hard_sign(input)


class Temperature(nn.Module):
    """x * factor, one learned positive number: logits from class cosines, whose order it keeps.

    Raises ValueError for a factor that is not positive.
    """

    def __init__(self, factor: float = 16.0):
        super().__init__()
        self.log_factor = nn.Parameter(_logarithm("Temperature: factor", factor))

    def forward(self, input: Tensor) -> Tensor:
        return input * self.log_factor.exp()


def _logarithm(who: str, value: float) -> Tensor:
    if not 0 < value < float("inf"):
        raise ValueError(f"{who} must be positive and finite, got {value}")
    return torch.tensor(math.log(value))


@lower.register
def _(layer: RASU, x):
    return x.scale(layer.log_alpha.exp()).clamp(0.0, float("inf"))


@lower.register
def _(layer: TASU, x):
    return x.sign()


@lower.register
def _(layer: Temperature, x):
    return x.scale(layer.log_factor.exp())
