"""The Program: operations and their meaning, builder, checker, file format, interpreter. NumPy only."""

from bitwright.ir.builder import Builder, Value
from bitwright.ir.executors import EXECUTORS, executor, join_backends
from bitwright.ir.interpreter import execute
from bitwright.ir.load import from_bytes, load
from bitwright.ir.lower import lower
from bitwright.ir.ops import CHOICES, OPS
from bitwright.ir.program import Op, Program
from bitwright.ir.types import Limits, ProgramError, ValueType

__all__ = [
    "CHOICES",
    "EXECUTORS",
    "OPS",
    "Builder",
    "Limits",
    "Op",
    "Program",
    "ProgramError",
    "Value",
    "ValueType",
    "execute",
    "executor",
    "from_bytes",
    "join_backends",
    "load",
    "lower",
]
