"""Ways to run a Program faster than the interpreter.

Importing this joins them to `bitwright.ir.executors`, slowest first.
"""

from bitwright.backends.cpu import cpu_executors
from bitwright.ir.executors import EXECUTORS, Executor

BACKENDS: dict[str, Executor] = cpu_executors()
EXECUTORS.update(BACKENDS)

__all__ = ["BACKENDS"]
