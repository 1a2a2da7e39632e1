"""The Program: operations in order, and a header for people. Plain data; what to do with it lives beside it.

`run`, `predict` and `verify` choose among executors; the interpreter is always there, the packed engine when built.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from bitwright.ir.types import ValueType


@dataclass(frozen=True, eq=False)
class Op:
    """One operation. It makes the value that has its own number.

    inputs: numbers of earlier values. attrs: integers by name (a named choice is its index in ops.CHOICES).
    consts: arrays by name, already unpacked: bits as uint8 of 0 and 1, i4 as int8; absent ones are missing.
    """

    name: str
    inputs: tuple[int, ...] = ()
    attrs: Mapping[str, int] = field(default_factory=dict)
    consts: Mapping[str, np.ndarray] = field(default_factory=dict)
    weight_dtype: str = ""  # of a constant named w: bit, i4, i8 or i16; how it is stored and read


@dataclass(eq=False)
class Program:
    """ops: operations in order. types[i]: type of value i, as derived by the checker. header: JSON for people.

    Build one with `Builder`, `freeze` or `load`; each checks it, so a Program that exists is valid.
    """

    ops: tuple[Op, ...]
    types: tuple[ValueType, ...]
    header: dict[str, Any] = field(default_factory=dict)
    frozen: Any = field(default=None, repr=False)  # freeze.Frozen of a Program just frozen; not saved

    @property
    def input_type(self) -> ValueType:
        return self.types[0]

    @property
    def n_classes(self) -> int:
        return self.types[-1].shape[0]

    @property
    def classes(self) -> list[str]:
        """Class names of the header, else "0", "1", ..."""
        names = self.header.get("classes")
        if isinstance(names, list) and len(names) == self.n_classes:
            return [str(name) for name in names]
        return [str(i) for i in range(self.n_classes)]

    def run(self, x: np.ndarray, backend: str = "auto", threads: int = 1) -> np.ndarray:
        """Integer scores (batch, classes): int32 where the range allows, else int64.

        x: (batch, *input shape). int inputs: any integer dtype within the stated range; bits: 0 and 1; floats: float32
            without NaN. Anything else is an error that says what to change.
        backend: "auto" (the fastest this machine has), "interpreter", or a kernel set such as "cpu:avx2".
        """
        from bitwright.ir.executors import executor

        return executor(backend).run(self, x, threads)

    def predict(self, x: np.ndarray, backend: str = "auto", threads: int = 1) -> np.ndarray:
        """Index of the largest score, int64 (batch,); the lowest index wins a tie. x as in `run`."""
        return np.argmax(self.run(x, backend, threads), axis=1)

    def verify(
        self,
        x: np.ndarray,
        backends: list[str] | str | None = None,
        batch: int | None = None,
        progress: Callable[[int], object] | None = None,
    ):
        """Run every backend on x and compare every value with the interpreter. See `bitwright.ir.verify`."""
        from bitwright.ir.verify import verify

        return verify(self, x, backends, batch, progress)

    def summary(self):
        """What each operation is and costs: bits, bytes, products; which values stay wider than a bit, and why.

        Print it, or read `.rows`. See `bitwright.ir.summary`.
        """
        from bitwright.ir.summary import summarize

        return summarize(self)

    def save(self, path: str | PathLike, short: bool = True) -> int:
        """Write the .bw file (atomically) and return its number of bytes.

        short: version 2 of the file, smaller; False writes version 1.
        """
        from bitwright.ir.file import save

        return save(self, path, short)

    def to_bytes(self, short: bool = False) -> bytes:
        """The .bw file as bytes: version 1, as the engine reads it in place, or, short, what `save` writes."""
        from bitwright.ir.file import to_bytes

        return to_bytes(self, short)
