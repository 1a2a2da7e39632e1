"""Mixup and CutMix: every image of a batch joined with another one of it, labels in the same proportion.

Sources: Zhang et al. 2018, arXiv:1710.09412; Yun et al. 2019, arXiv:1905.04899.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .augment import beside
from .recipe import Augment


class Mixed(NamedTuple):
    """x: (batch, ...) joined; partner: (batch,) long, whom each was joined with; share: what each kept, in [0, 1]."""

    x: Tensor
    partner: Tensor
    share: float


def mix(x: Tensor, options: Augment, generator: Generator) -> Mixed:
    """One share for the batch, from Beta(a, a) with a = options.mixup or options.cutmix; where both are on, a coin.

    CutMix keeps the share that its rectangle really left. Raises ValueError where it is asked for and x is not images,
    (batch, channels, height, width).
    """
    if options.cutmix and x.dim() != 4:
        raise ValueError(f"mix: cutmix needs images (batch, C, H, W), but x has shape {tuple(x.shape)}; mixup does not")
    cut = bool(options.cutmix) and (not options.mixup or bool(torch.rand((), generator=generator) < 0.5))
    share = _beta(options.cutmix if cut else options.mixup, generator)
    partner = torch.randperm(len(x), generator=generator)
    other = x[beside(partner, x)]
    if not cut:
        return Mixed(share * x + (1 - share) * other, partner, share)
    height, width = x.shape[2:]
    tall, wide = round(height * (1 - share) ** 0.5), round(width * (1 - share) ** 0.5)
    top = int(torch.randint(height - tall + 1, (), generator=generator))
    left = int(torch.randint(width - wide + 1, (), generator=generator))
    x = x.clone()
    x[:, :, top : top + tall, left : left + wide] = other[:, :, top : top + tall, left : left + wide]
    return Mixed(x, partner, 1 - tall * wide / (height * width))


def _beta(a: float, generator: Generator) -> float:
    """A draw from Beta(a, a), by the ratio of two Gamma(a, 1): torch's own draws take no generator for Beta."""
    x, y = torch._standard_gamma(torch.tensor([a, a], dtype=torch.float64), generator=generator).tolist()
    return x / (x + y) if x + y > 0 else 0.5
