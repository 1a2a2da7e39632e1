"""Random changes of a batch of images, as tensors: affine and elastic maps, mirror, erased rectangles, noise.

All random numbers are drawn on the CPU from the generator given, so a batch is the same on every device.
Source of the elastic idea: Simard, Steinkraus, Platt 2003, ICDAR; of erasing: Zhong et al. 2017, arXiv:1708.04896.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from .recipe import Augment


def beside(drawn: Tensor, x: Tensor) -> Tensor:
    """What was drawn on the CPU, on x's device; the CPU does not wait for it to arrive."""
    return drawn.to(x.device, non_blocking=True)


def _uniform(n: int, reach: float, generator: Generator) -> Tensor:
    return (torch.rand(n, generator=generator) * 2 - 1) * reach


def _affine(batch: int, height: int, width: int, options: Augment, generator: Generator) -> Tensor:
    """(batch, 2, 3) in grid_sample's coordinates, where the image spans [-1, 1]."""
    angle = _uniform(batch, math.radians(options.rotate), generator)
    scale_x, scale_y = (1 / (1 + _uniform(batch, options.scale, generator)) for _ in range(2))
    shear = _uniform(batch, options.shear, generator)
    shift_x = _uniform(batch, options.shift, generator) * 2 / width
    shift_y = _uniform(batch, options.shift, generator) * 2 / height
    cos, sin = angle.cos(), angle.sin()
    top = torch.stack([cos * scale_x, (shear * cos - sin) * scale_y, shift_x], 1)
    bottom = torch.stack([sin * scale_x, (shear * sin + cos) * scale_y, shift_y], 1)
    return torch.stack([top, bottom], 1)


def _grid(x: Tensor, options: Augment, generator: Generator) -> Tensor:
    batch, _, height, width = x.shape
    theta = beside(_affine(batch, height, width, options, generator), x)  # a few numbers; the grid is large
    grid = F.affine_grid(theta, [batch, 1, height, width], align_corners=False)
    if options.elastic:
        points = beside(torch.randn(batch, 2, options.elastic_grid, options.elastic_grid, generator=generator), x)
        field = F.interpolate(points, (height, width), mode="bicubic", align_corners=True)
        field[:, 0] *= options.elastic * 2 / width
        field[:, 1] *= options.elastic * 2 / height
        grid = grid + field.permute(0, 2, 3, 1)
    return grid


def _whole_shift(x: Tensor, reach: int, generator: Generator) -> Tensor:
    """Whole pixels, so that no image is blurred by interpolation."""
    batch, _, height, width = x.shape
    down, right = (beside(torch.randint(-reach, reach + 1, (batch,), generator=generator), x) for _ in range(2))
    places = F.pad(x, (reach, reach, reach, reach)).unfold(2, height, 1).unfold(3, width, 1)
    return places[torch.arange(batch, device=x.device), :, reach - down, reach - right]


def _erase(x: Tensor, chance: float, generator: Generator) -> Tensor:
    batch, _, height, width = x.shape
    hit = torch.rand(batch, generator=generator) < chance
    tall, wide = ((torch.rand(batch, generator=generator) * 0.4 + 0.1) * side for side in (height, width))
    top = torch.rand(batch, generator=generator) * (height - tall)
    left = torch.rand(batch, generator=generator) * (width - wide)
    rows, columns = torch.arange(height)[None, :, None], torch.arange(width)[None, None, :]
    inside = (rows >= top[:, None, None]) & (rows < (top + tall)[:, None, None])
    inside = inside & (columns >= left[:, None, None]) & (columns < (left + wide)[:, None, None])
    return x.masked_fill(beside((inside & hit[:, None, None])[:, None], x), 0.0)


def augment(x: Tensor, options: Augment, generator: Generator) -> Tensor:
    """x: float (batch, C, H, W), or (batch, features) where only noise applies -> changed copy of the same shape.

    What comes from outside the image is 0. Raises ValueError for a change of images asked of another shape.
    """
    bends = any((options.rotate, options.scale, options.shear, options.elastic))
    if (bends or options.shift or options.flip or options.erase) and x.dim() != 4:
        raise ValueError(f"augment: x has shape {tuple(x.shape)}, but shift, flip and the like need (batch, C, H, W)")
    if options.flip:
        mirrored = torch.rand(len(x), generator=generator) < 0.5
        x = torch.where(beside(mirrored[:, None, None, None], x), x.flip(3), x)
    if options.shift and not bends and float(options.shift).is_integer():
        x = _whole_shift(x, int(options.shift), generator)
    elif options.shift or bends:
        x = F.grid_sample(x, _grid(x, options, generator), mode="bilinear", align_corners=False)
    if options.erase:
        x = _erase(x, options.erase, generator)
    if options.noise:
        x = x + beside(torch.randn(x.shape, generator=generator), x) * options.noise
    return x
