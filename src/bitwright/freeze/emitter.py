"""Writes two things at once: the Program, and its torch twin value by value.

The twin's meaning of a value comes from the model wherever the model is exact (its own convolutions, its own batch
norms before a sign), so that comparing the two compares thresholds, packing and order, not one formula with itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bitwright.ir import Builder, ProgramError, Value

# Twin values are float64 tensors: ints as they are, bits as 0 and 1; exact up to 2^53.
TwinFunction = Callable[..., Tensor]


@dataclass(frozen=True)
class TwinStep:
    """How the twin computes value `number` from earlier values."""

    number: int
    inputs: tuple[int, ...]
    function: TwinFunction


def _no_floats(stream: Any) -> Any:
    raise ProgramError("real-valued features met no thermometer and no calibration samples")


@dataclass
class Emitter:
    """Builder of the Program and of the twin. fraction_bits, stream_bits: grid of real-valued streams."""

    builder: Builder
    fraction_bits: int
    stream_bits: int = 16
    steps: list[TwinStep] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)  # what stays wider than a bit, and why
    grid_closings: set[str] = field(default_factory=set)  # layers whose inputs were rounded to the grid
    layer: str = ""  # name of the layer being lowered
    encode: Callable[[Any], Any] = _no_floats  # a stream of real features -> codes; set by freeze
    encoded: bool = False  # real features were put on a grid
    rounded: bool = False  # real weights were rounded
    embedding: Any = None  # how cosine layers are said: an embedding.Embedding, a limit.Limit, or None

    def emit(self, value: Value, inputs: list[Value], function: TwinFunction) -> Value:
        self.steps.append(TwinStep(value.number, tuple(v.number for v in inputs), function))
        return value

    def note(self, what: str, why: str) -> None:
        """Remember that something of the current layer stays wider than a bit."""
        entry = {"layer": self.layer, "what": what, "why": why}
        if entry not in self.notes:
            self.notes.append(entry)

    def affine(self, x: Value, mul: np.ndarray, add: np.ndarray, shift: np.ndarray) -> Value:
        m, a, s = (_column(v, x) for v in (mul, add, 2.0 ** np.asarray(shift)))
        return self.emit(self.builder.affine(x, mul, add, shift), [x], lambda v: torch.floor((v * m + a) / s))

    def prelu(self, x: Value, pos: np.ndarray, neg: np.ndarray, add: np.ndarray, shift: np.ndarray) -> Value:
        p, n, a, s = (_column(v, x) for v in (pos, neg, add, 2.0 ** np.asarray(shift)))
        value = self.builder.prelu(x, pos, neg, add, shift)
        return self.emit(value, [x], lambda v: torch.floor((torch.where(v >= 0, v * p, v * n) + a) / s))

    def clip(self, x: Value, lo: int, hi: int) -> Value:
        return self.emit(self.builder.clip(x, lo, hi), [x], lambda v: v.clamp(lo, hi))

    def add(self, x: Value, y: Value) -> Value:
        return self.emit(self.builder.add(x, y), [x, y], torch.add)

    def to_signs(self, x: Value) -> Value:
        return self.emit(self.builder.to_int(x, "signs"), [x], lambda v: 2 * v - 1)

    def to_bits(self, x: Value) -> Value:
        return self.emit(self.builder.to_int(x, "bits"), [x], lambda v: v)

    def reshape(self, x: Value, shape: tuple[int, ...]) -> Value:
        return self.emit(self.builder.reshape(x, shape), [x], lambda v: v.reshape(v.shape[0], *shape))

    def concat(self, values: list[Value]) -> Value:
        return self.emit(self.builder.concat(values), values, lambda *parts: torch.cat(parts, 1))

    def max_pool2d(self, x: Value, kernel, stride, padding) -> Value:
        value = self.builder.max_pool2d(x, kernel, stride, padding)
        return self.emit(value, [x], lambda v: F.max_pool2d(v, kernel, stride, padding))

    def sum_pool2d(self, x: Value, kernel, stride, padding) -> Value:
        value = self.builder.sum_pool2d(x, kernel, stride, padding)
        return self.emit(value, [x], lambda v: F.avg_pool2d(v, kernel, stride, padding, divisor_override=1))


def _column(value: np.ndarray, x: Value) -> Tensor:
    return torch.from_numpy(np.asarray(value, np.float64)).reshape(-1, *(1,) * (len(x.shape) - 1))
