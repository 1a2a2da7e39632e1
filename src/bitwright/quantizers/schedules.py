"""Shapes of a number over the training: progress in [0, 1] -> value, exact at both ends."""

import math

from .pair import Schedule


def linear(start: float, end: float) -> Schedule:
    """start + (end - start) * progress; exactly end at 1."""
    return lambda progress: end if progress >= 1 else start + (end - start) * progress


def cosine(start: float, end: float) -> Schedule:
    """Half a cosine wave from start to end: flat at both ends, exactly end at 1."""
    return lambda progress: end if progress >= 1 else end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def geometric(start: float, end: float) -> Schedule:
    """start * (end / start)^progress, equal factors in equal times. Raises ValueError unless both are positive."""
    if not (start > 0 and end > 0):
        raise ValueError(f"geometric: start and end must be positive, got {start} and {end}; use linear")
    return lambda progress: end if progress >= 1 else start * (end / start) ** progress
