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


def limit_cosines(stream: Any, layer: nn.Module, pad_value: float) -> Any:
    """The stream of w . (x + shift) over the row's length: its sign is the layer's, its order the classes'.

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
    largest = np.abs(real).reshape(len(real), -1).max(1).reshape(-1, *(1,) * (real.ndim - 1))
    rows = np.rint(real / np.where(largest > 0, largest, 1.0) * top).astype(np.int64)
    window = window_of(layer, pad_value) if isinstance(layer, nn.Conv2d) else None
    total = stream.sums(rows, dtype, window)
    flat = rows.reshape(len(rows), -1)
    shift = float(layer.input_shift().detach())  # type: ignore[operator]
    moved = total.shift(torch.from_numpy(shift * flat.sum(1)).float())
    lengths = np.sqrt(np.maximum((flat**2).sum(1), 1))
    return moved.scale(torch.from_numpy(1 / lengths).float())
