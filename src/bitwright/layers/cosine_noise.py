"""Noise of an embedding: what a code of N_t signs would add to a cosine layer's output, added while training.

The agreement of two random-hyperplane codes of length N has mean z = (2/pi) arcsin(cos) and variance exactly
(1 - z^2) / N (N independent signs, each the product of two signs with mean z). A network trained with it is ready for
short codes.
"""

import math

import torch
from torch import Tensor, nn

from ..quantizers.numbers import read_number, register_number, write_number


class EmbeddingNoise(nn.Module):
    """z -> z + sqrt((1 - z^2) / N_t) * normal while training; z in eval mode.

    start, end: N_t at the beginning and the end of the training, in equal factors between; end 0 keeps it at start.
    sweep: N_t is drawn log-uniformly between start and end for every call instead. start 0: no noise at all.
    The present 1 / N_t is the float64 buffer `inverse`, saved with the weights. Raises ValueError for negative numbers,
    and for an end or a sweep without a start.
    """

    inverse: Tensor

    def __init__(self, start: float = 0.0, end: float = 0.0, sweep: bool = False):
        super().__init__()
        if start < 0 or end < 0 or (start == 0 and (end or sweep)) or (sweep and not end):
            raise ValueError(
                f"EmbeddingNoise: start={start}, end={end}, sweep={sweep}; both are dimensions, 0 or more, an end "
                "needs a start, and a sweep needs both"
            )
        self.start, self.end, self.sweep = float(start), float(end or start), sweep
        register_number(self, "inverse", 1 / start if start else 0.0)

    def set_progress(self, progress: float) -> None:
        """Moves N_t to `progress`, the share of the training that is done; 1 is exactly its end."""
        if self.start:
            n = self.end if progress >= 1 else self.start * (self.end / self.start) ** progress
            write_number(self, "inverse", 1 / n)

    @property
    def active(self) -> bool:
        return self.training and self.start > 0

    def draw(self) -> float:
        """1 / N_t of the next call; drawn if it is swept."""
        if self.sweep:
            return 1 / (self.start * (self.end / self.start) ** float(torch.rand(())))
        return read_number(self, "inverse")

    def forward(self, z: Tensor) -> Tensor:
        if not self.active:
            return z
        inverse = self.draw()
        with torch.no_grad():  # the spread's own dependence on z is left out of the gradient
            noise = _normal_like(z)
            spread = torch.addcmul(z.new_ones(()), z, z, value=-1).clamp_min_(0).sqrt_().mul_(noise)
        return torch.add(z, spread, alpha=math.sqrt(inverse))

    def extra_repr(self) -> str:
        if not self.start:
            return "off"
        return f"N_t {'swept' if self.sweep else 'from'} {self.start:g} to {self.end:g}"


def _normal_like(z: Tensor) -> Tensor:
    """As torch.randn_like, but many times faster where channels come last in memory."""
    if z.dim() == 4 and not z.is_contiguous():
        n, c, h, w = z.shape
        return torch.randn(n, h, w, c, dtype=z.dtype, device=z.device).permute(0, 3, 1, 2)
    return torch.randn(z.shape, dtype=z.dtype, device=z.device)
