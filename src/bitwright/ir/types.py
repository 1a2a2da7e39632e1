"""What a value is: its kind, shape and range; and the limits that keep a hostile file from costing its reader much."""

from dataclasses import dataclass

import numpy as np

BOUND = 1 << 62
KINDS = ("bits", "int", "float")


class ProgramError(ValueError):
    """A Program, or a file that should hold one, that breaks a rule of docs/program.md."""


@dataclass(frozen=True)
class Limits:
    """Largest Program a loader takes. Counts are per sample."""

    ops: int = 1 << 16
    tensor: int = 1 << 24
    total: int = 1 << 26
    steps: int = 1 << 40
    json_bytes: int = 1 << 24


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class ValueType:
    """kind: "bits", "int" or "float"; shape: (C,) or (C, H, W), the batch axis left out.

    lo, hi: range of an int, else 0.
    """

    kind: str
    shape: tuple[int, ...]
    lo: int = 0
    hi: int = 0

    @property
    def n_values(self) -> int:
        return int(np.prod(self.shape, dtype=object))

    def __str__(self) -> str:
        shape = "x".join(str(n) for n in self.shape)
        return f"int[{shape}] in {self.lo}..{self.hi}" if self.kind == "int" else f"{self.kind}[{shape}]"


def smallest_dtype(lo: int, hi: int, allowed: tuple[str, ...] = ("i8", "i16", "i32", "i64")) -> str:
    """The first dtype of `allowed` that holds lo and hi; raises ProgramError if none does."""
    for name in allowed:
        signed = name[0] == "i"
        width = int(name[1:]) - signed
        if -(1 << width) * signed <= lo and hi < 1 << width:
            return name
    raise ProgramError(f"constant in {lo}..{hi} fits none of {', '.join(allowed)}")
