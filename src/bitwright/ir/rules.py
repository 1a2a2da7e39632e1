"""What the checker's rules share: the table of rules, and the conditions they demand.

Each rule takes an operation and its inputs' types and returns the type of its value, or raises ProgramError. All
arithmetic is Python's, so a range is exact however large. The rules are those of docs/program.md, "Ranges".
"""

from collections.abc import Callable, Sequence

import numpy as np

from bitwright.ir.program import Op
from bitwright.ir.types import BOUND, ProgramError, ValueType

Rule = Callable[[Op, Sequence[ValueType]], ValueType]
RULES: dict[str, Rule] = {}
INT32 = (-(1 << 31), (1 << 31) - 1)


def rule(name: str) -> Callable[[Rule], Rule]:
    """Decorator: this function is the rule of the operation `name`."""

    def add(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return add


def need(condition: object, message: str) -> None:
    if not condition:
        raise ProgramError(message)


def within(*numbers: int) -> None:
    worst = max(numbers, key=abs)
    need(abs(worst) <= BOUND, f"a value could reach {worst}, beyond 2^62; scale the input or the constants down")


def kind_of(value: ValueType, *kinds: str) -> None:
    need(value.kind in kinds, f"takes {' or '.join(kinds)}, got {value}")


def image_of(value: ValueType) -> None:
    need(len(value.shape) == 3, f"takes [C,H,W], got {value}; reshape it first")


def per_channel(op: Op, name: str, value: ValueType) -> np.ndarray:
    const = op.consts[name]
    need(const.shape[0] == value.shape[0], f"constant {name} has {const.shape[0]} rows for {value.shape[0]} channels")
    return const


def constant_hull(value: np.ndarray) -> tuple[int, int]:
    return int(value.min()), int(value.max())
