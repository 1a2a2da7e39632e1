"""Types and ranges of integer arithmetic, value by value: affine, prelu, clip, add, to_int."""

from collections.abc import Sequence

from bitwright.ir.program import Op
from bitwright.ir.rules import constant_hull, kind_of, need, per_channel, rule, within
from bitwright.ir.types import ValueType


def _shifts(op: Op, x: ValueType) -> list[int]:
    shifts = [int(s) for s in per_channel(op, "shift", x)]
    need(all(0 <= s <= 31 for s in shifts), "a shift leaves 0..31")
    return shifts


@rule("affine")
def _affine(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "int")
    muls, adds, shifts = per_channel(op, "mul", x), per_channel(op, "add", x), _shifts(op, x)
    ends = []
    for mul, add, shift in zip(muls.tolist(), adds.tolist(), shifts, strict=True):
        for value in {x.lo, x.hi}:
            within(value * mul, value * mul + add)
            ends.append((value * mul + add) >> shift)
    return ValueType("int", x.shape, min(ends), max(ends))


@rule("prelu")
def _prelu(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "int")
    positives, negatives, adds = (per_channel(op, name, x).tolist() for name in ("pos", "neg", "add"))
    corners = {x.lo, x.hi} | ({-1, 0} if x.lo < 0 <= x.hi else set())
    ends = []
    for pos, neg, add, shift in zip(positives, negatives, adds, _shifts(op, x), strict=True):
        for value in corners:
            product = value * (pos if value >= 0 else neg)
            within(product, product + add)
            ends.append((product + add) >> shift)
    return ValueType("int", x.shape, min(ends), max(ends))


@rule("clip")
def _clip(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "int")
    lo, hi = op.attrs["lo"], op.attrs["hi"]
    need(lo <= hi, f"lo {lo} is above hi {hi}")
    return ValueType("int", x.shape, min(max(x.lo, lo), hi), min(max(x.hi, lo), hi))


@rule("add")
def _add(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    x = inputs[0]
    kind_of(x, "int")
    need((len(inputs) == 2) != ("b" in op.consts), "takes either a second value or the constant b, not both or neither")
    if len(inputs) == 2:
        y = inputs[1]
        kind_of(y, "int")
        need(x.shape == y.shape, f"shapes differ: {x} and {y}")
        return ValueType("int", x.shape, x.lo + y.lo, x.hi + y.hi)
    constant = op.consts["b"]
    need(
        constant.shape in (x.shape, x.shape[:1]), f"constant b is {constant.shape}, expected {x.shape[:1]} or {x.shape}"
    )
    lo, hi = constant_hull(constant)
    return ValueType("int", x.shape, x.lo + lo, x.hi + hi)


@rule("to_int")
def _to_int(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    kind_of(inputs[0], "bits")
    return ValueType("int", inputs[0].shape, -op.attrs["mode"], 1)
