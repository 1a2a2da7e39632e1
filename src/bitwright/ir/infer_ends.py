"""Types of the two ends of a Program: input and output."""

from collections.abc import Sequence

from bitwright.ir.program import Op
from bitwright.ir.rules import INT32, kind_of, need, rule
from bitwright.ir.types import KINDS, ValueType


@rule("input")
def _input(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    kind, ndim = KINDS[op.attrs["value"]], op.attrs["ndim"]
    need(ndim in (1, 3), f"ndim is {ndim}, expected 1 or 3")
    dims = tuple(op.attrs[f"dim{i}"] for i in range(3))
    need(all(d == 0 for d in dims[ndim:]), f"unused dims must be 0, got {dims}")
    lo, hi = op.attrs["lo"], op.attrs["hi"]
    if kind == "int":
        need(INT32[0] <= lo <= hi <= INT32[1], f"range {lo}..{hi}, expected lo <= hi within int32")
    else:
        need(lo == hi == 0, f"range {lo}..{hi}, expected 0, 0 for {kind}")
    return ValueType(kind, dims[:ndim], lo, hi)


@rule("output")
def _output(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    kind_of(inputs[0], "int")
    need(len(inputs[0].shape) == 1, f"scores must be [C], got {inputs[0]}")
    return inputs[0]
