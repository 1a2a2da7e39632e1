"""Who can run a Program: a small registry that backends join, so that `ir` needs to know none of them.

The interpreter is always here. Importing `bitwright.backends` (done by name, on first use) adds the packed engine.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Protocol

import numpy as np

from bitwright.ir.interpreter import execute
from bitwright.ir.program import Program


class Executor(Protocol):
    """A way to run Programs. name as users give it; `run` as Program.run.

    `values` gives every value it materialises by number (the batch axis first; bits as 0/1 uint8), for `verify`.
    """

    name: str

    def run(self, program: Program, x: np.ndarray, threads: int = 1) -> np.ndarray: ...

    def values(self, program: Program, x: np.ndarray, threads: int = 1) -> Mapping[int, np.ndarray]: ...


class Interpreter:
    """The specification in NumPy. Slow and plain; ignores threads."""

    name = "interpreter"

    def run(self, program: Program, x: np.ndarray, threads: int = 1) -> np.ndarray:
        return execute(program, x)[-1]

    def values(self, program: Program, x: np.ndarray, threads: int = 1) -> Mapping[int, np.ndarray]:
        return dict(enumerate(execute(program, x, keep=True)))


# Name -> executor, fastest last: "auto" takes the last one.
EXECUTORS: dict[str, Executor] = {"interpreter": Interpreter()}
_joined = False


def join_backends(load: Callable[[str], object] = import_module) -> dict[str, Executor]:
    """All executors of this machine, by name, slowest first."""
    global _joined
    if not _joined:
        load("bitwright.backends")
        _joined = True
    return EXECUTORS


def executor(name: str = "auto") -> Executor:
    """The executor of that name; raises ValueError naming those there are."""
    if name == "interpreter":
        return EXECUTORS[name]
    known = join_backends()
    if name == "auto":
        return known[list(known)[-1]]
    if name not in known:
        raise ValueError(
            f"backend {name!r} is not on this machine; it has {', '.join(known)} (bitwright doctor says more)"
        )
    return known[name]
