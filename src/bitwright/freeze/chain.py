"""The pending chain: a layer's own elementwise functions, kept in order until something closes them.

A value under freezing is an integer of the Program and the functions that the model still applies to it, channel by
channel. Each step keeps the model's own evaluation (for exact thresholds) and its real coefficients (for the grid).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Evaluate = Callable[[Tensor], Tensor]  # float32, channels on axis 1 -> the same shape


@dataclass(frozen=True, eq=False)
class Affine:
    """x -> a[c] * x + b[c]; a, b: float64 scalars or (C,). evaluate: the model's own float32 form of it."""

    evaluate: Evaluate
    a: np.ndarray
    b: np.ndarray

    @property
    def monotone(self) -> bool:
        return True

    @property
    def scale(self) -> float | None:
        """The factor, if this is one positive number for all channels without a shift; such a step passes through
        sums.
        """
        a = np.unique(self.a)
        return float(a[0]) if a.size == 1 and a[0] > 0 and not np.any(self.b) else None


@dataclass(frozen=True, eq=False)
class TwoSlopes:
    """x -> pos[c] * x where x >= 0, else neg[c] * x; float64 scalars or (C,)."""

    evaluate: Evaluate
    pos: np.ndarray
    neg: np.ndarray

    @property
    def monotone(self) -> bool:
        return bool(np.all(np.asarray(self.pos) * np.asarray(self.neg) >= 0))


@dataclass(frozen=True, eq=False)
class Clamp:
    """x -> min(max(x, lo), hi); either bound may be infinite."""

    evaluate: Evaluate
    lo: float
    hi: float

    @property
    def monotone(self) -> bool:
        return True


Step = Affine | TwoSlopes | Clamp
Numbers = Tensor | np.ndarray | float


def scaling(factor: float) -> Affine:
    """The step x -> factor * x."""
    return Affine(lambda x: x * factor, np.asarray(factor, np.float64), np.zeros(()))


def uniform_scale(chain: Sequence[Step]) -> float | None:
    """The product of a chain of plain positive scalings (1.0 for an empty one), or None if it is anything else."""
    factor = 1.0
    for step in chain:
        scale = step.scale if isinstance(step, Affine) else None
        if scale is None:
            return None
        factor *= scale
    return factor


def alike_everywhere(step: Step) -> bool:
    """True if the step is one function for all channels, so that values may move between them."""
    return isinstance(step, Clamp) or (isinstance(step, Affine) and np.ndim(step.a) == 0 == np.ndim(step.b))


def increasing(chain: Sequence[Step]) -> bool:
    """True if every step is non-decreasing on every channel, so that a maximum may pass it."""
    for step in chain:
        if isinstance(step, Affine) and not np.all(np.asarray(step.a) >= 0):
            return False
        if isinstance(step, TwoSlopes) and not (
            np.all(np.asarray(step.pos) >= 0) and np.all(np.asarray(step.neg) >= 0)
        ):
            return False
    return True


def evaluate(chain: Sequence[Step], x: Tensor) -> Tensor:
    """The chain as the model computes it: x float32, channels on axis 1. No gradient."""
    with torch.no_grad():
        for step in chain:
            x = step.evaluate(x)
    return x


def coefficients(value: Numbers) -> np.ndarray:
    """A tensor's values as float64, detached."""
    return np.asarray(value.detach().double().cpu().numpy() if isinstance(value, Tensor) else value, np.float64)
