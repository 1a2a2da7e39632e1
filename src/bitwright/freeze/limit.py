"""What codes of cosine layers tend to as they grow: with TASU, signs of sums with real weights, here of few bits.

sign(z) is the sign of w . (x + shift), so between TASU layers neither lengths nor arcsin matter: one-bit activations
and weights of 4 bits, each row on its own scale. The head needs the lengths of its rows only, as a factor a class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bitwright.freeze.window import window_of
from bitwright.ir import ProgramError

CLIPS = np.linspace(1.0, 0.1, 19)  # ends of the grid of weights, in shares of a row's largest
DTYPES = {4: "i4", 8: "i8", 16: "i16"}


@dataclass
class Limit:
    """weight_bits: 4, 8 or 16. Raises ValueError for others."""

    weight_bits: int = 4
    n_layers: int = 0

    def __post_init__(self) -> None:
        if self.weight_bits not in DTYPES:
            raise ValueError(f"freeze: limit_bits is {self.weight_bits}; choose one of 4, 8, 16")

    def describe(self) -> dict[str, Any]:
        """For the Program's header."""
        return {"limit": True, "weight_bits": self.weight_bits}


def closest_directions(real: np.ndarray, top: int) -> np.ndarray:
    """Integers within -top..top, int64 (O, p), each row the nearest in angle to real's (O, p) among CLIPS.

    A grid up to the row's largest number would leave most of a long row in its middle; so it ends at a share of it.
    """
    largest = np.abs(real).max(1, keepdims=True)
    unit = real / np.where(largest > 0, largest, 1.0)
    best, rows = np.full(len(real), -np.inf), np.zeros(real.shape, np.int64)
    for clip in CLIPS:
        tried = np.clip(np.rint(unit / clip * top), -top, top)
        cos = (tried * unit).sum(1) / np.sqrt(np.maximum((tried**2).sum(1), 1))
        better = cos > best
        best[better], rows[better] = cos[better], tried[better].astype(np.int64)
    return rows


def limit_cosines(stream: Any, layer: nn.Module, pad_value: float) -> Any:
    """The stream of w . (x + shift) over the row's length and sqrt(p), the length of p signs, so that it stays within 1
    but for the shift: its sign is the layer's, its order the classes'.

    Raises ProgramError behind an activation that is not a sign: there the length of the input counts.
    """
    limit: Limit = stream.emitter.embedding
    if stream.chain:
        raise ProgramError(
            "the limit of cosines behind values that are not signs needs the input's length; it is for TASU networks, "
            "embed this one: hyperdimensions=2047"
        )
    limit.n_layers += 1
    dtype, top = DTYPES[limit.weight_bits], (1 << limit.weight_bits - 1) - 1
    real = layer.weight.detach().double().numpy()  # type: ignore[union-attr,operator]
    rows = closest_directions(real.reshape(len(real), -1), top).reshape(real.shape)
    window = window_of(layer, pad_value) if isinstance(layer, nn.Conv2d) else None
    total = stream.sums(rows, dtype, window)
    flat = rows.reshape(len(rows), -1)
    shift = float(layer.input_shift().detach())  # type: ignore[operator]
    moved = total.shift(torch.from_numpy(shift * flat.sum(1)).float())
    lengths = np.sqrt(np.maximum((flat**2).sum(1), 1) * flat.shape[1])
    return moved.scale(torch.from_numpy(1 / lengths).float())
