"""Pixels to the numbers a network was trained on: (x - mean) / std a channel, both fixed."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..ir import lower


class Normalize(nn.Module):
    """x (batch, channels, ...), raw pixels -> (x - mean[c]) / std[c]. mean, std: of raw pixels, one a channel; buffers.

    Raises ValueError if they differ in length or a std is not positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]):
        super().__init__()
        if len(mean) != len(std) or not all(s > 0 for s in std):
            raise ValueError(f"Normalize: mean {list(mean)} and std {list(std)}; give one of each a channel, std > 0")
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1, *[1] * (x.dim() - 2))
        return (x - self.mean.reshape(shape)) / self.std.reshape(shape)


@lower.register
def _(layer: Normalize, x):
    mean, std = layer.mean.double(), layer.std.double()
    return x.affine(layer, 1 / std, -mean / std)
