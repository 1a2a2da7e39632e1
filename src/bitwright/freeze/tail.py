"""The last layers of an embedded network as a torch module, from a stored value on to the scores, weights trainable.

Where the first trained layer is linear, its codes are what is stored of each sample. A convolution has a code at every
place, N times as many numbers as its image has pixels: there the image is stored, and its codes are made anew for each
batch, few samples at a time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bitwright.data.progress import Progress
from bitwright.freeze.embedded import is_agreement
from bitwright.freeze.tail_steps import over_channels, step_of
from bitwright.ir import Builder, Program, ProgramError, Value
from bitwright.ir.ops import CHOICES

CHUNK = 500  # samples the Program runs at a time
BLOCK_VALUES = 1 << 25  # values of all operations that are held at a time in training


@dataclass(frozen=True)
class Tail:
    """start: number of the value that is stored of each sample. sums: numbers of the sums whose codes are trained."""

    start: int
    sums: tuple[int, ...]


def find_tail(program: Program, layers: int, who: str) -> Tail:
    """The last `layers` embedded layers. Raises ValueError for fewer than one, or more than there are."""
    sums = [i for i, op in enumerate(program.ops) if is_agreement(program, op)]
    if not 1 <= layers <= len(sums):
        raise ValueError(
            f"{who}: layers is {layers}; this Program has {len(sums)} embedded layers, so give 1 to {len(sums)}"
            if sums else f"{who}: this Program has no embedded layer; freeze a G-Net"
        )  # fmt: skip
    first = sums[-layers]
    start = program.ops[first].inputs[0]
    if program.ops[first].name == "xnor_conv2d":
        while program.ops[start].name in ("threshold", "int_conv2d", "project"):
            start = program.ops[start].inputs[0]
        start = program.ops[start].inputs[0] if program.ops[start].name == "patches" else start
    return Tail(start, tuple(sums[-layers:]))


def stored_values(program: Program, number: int, x: np.ndarray) -> Tensor:
    """Value `number` of all samples, (n, *shape), bits as 0 and 1, in the smallest integers: by the fastest backend."""
    builder, type_ = Builder(), program.types[number]
    builder.ops, builder.types = list(program.ops[: number + 1]), list(program.types[: number + 1])
    last = Value(number, type_)
    if type_.kind == "bits":
        last = builder.add_op("to_int", [last], {"mode": CHOICES["mode"].index("bits")})
    flat = builder.finish(builder.reshape(last, (type_.n_values,)))
    lo, hi = last.type.lo, last.type.hi
    smallest = np.uint8 if 0 <= lo and hi < 256 else np.int16 if -(1 << 15) <= lo and hi < 1 << 15 else np.int32
    stored = np.empty((len(x), *type_.shape), smallest)
    with Progress("values before the trained layers", len(x)) as bar:
        for first in range(0, len(x), CHUNK):
            part = flat.run(x[first : first + CHUNK])
            stored[first : first + CHUNK] = part.reshape(len(part), *type_.shape)
            bar.advance(len(part))
    return torch.from_numpy(stored)


class TailNet(nn.Module):
    """stored values (batch, *shape) -> scores in logits' size. weights: latent numbers -> what stands for their codes.

    `latent` are a tenth of the codes to begin with; `heat` is the logarithm of what scores are multiplied by.
    """

    def __init__(self, program: Program, tail: Tail, weights: Callable[[Tensor], Tensor], reach: float = 2.0):
        super().__init__()
        self.program, self.tail, self.weights = program, tail, weights
        codes = {i: 2.0 * program.ops[i].consts["w"].astype(np.float32) - 1 for i in tail.sums}
        self.latent = nn.ParameterList(torch.from_numpy(0.1 * w.reshape(len(w), -1)) for w in codes.values())
        head = find_tail(program, 1, "TailNet").start
        n = program.types[head].shape[0]
        self.heat = nn.Parameter(torch.tensor(math.log(20.0 / n)))
        later = range(tail.start + 1, len(program.ops))
        self.steps = {i: step_of(program, i, reach) for i in later if i not in tail.sums}
        if any(j < tail.start for i in later for j in program.ops[i].inputs):
            raise ProgramError("the trained layers read what was made before them; train fewer or more layers")

    def values(self, stored: Tensor) -> dict[int, Tensor]:
        """Every value from the stored one on: integers as float32 or float64, bits as signs."""
        first = stored.float()
        values = {self.tail.start: 2 * first - 1 if self.program.types[self.tail.start].kind == "bits" else first}
        trained = dict(zip(self.tail.sums, self.latent))
        for i in range(self.tail.start + 1, len(self.program.ops)):
            inputs = [values[j] for j in self.program.ops[i].inputs]
            if i in trained:
                values[i] = over_channels(inputs[0], self.weights(trained[i]))
            else:
                values[i] = self.steps[i](*inputs)
        return values

    def forward(self, stored: Tensor) -> Tensor:
        return self.values(stored)[len(self.program.ops) - 1] * self.heat.exp()

    @property
    def block(self) -> int:
        """Samples whose values are held at a time."""
        return max(1, BLOCK_VALUES // sum(t.n_values for t in self.program.types[self.tail.start :]))

    def codes(self) -> dict[int, np.ndarray]:
        """Signs of the latent numbers, 0 and 1, in the shape of the sums' weights."""
        shapes = {i: self.program.ops[i].consts["w"].shape for i in self.tail.sums}
        return {i: (w.detach() >= 0).numpy().astype(np.uint8).reshape(shapes[i])
                for i, w in zip(self.tail.sums, self.latent)}  # fmt: skip
