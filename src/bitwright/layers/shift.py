"""A learned offset a channel, for layers that have none of their own."""

import torch
from torch import Tensor, nn

from ..ir import lower


class Shift(nn.Module):
    """x (batch, channels, ...) -> x + bias[c]; bias (channels,) is learned and begins at 0."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias.reshape(-1, *(1,) * (x.dim() - 2))


@lower.register
def _(layer: Shift, x):
    return x.shift(layer.bias)
