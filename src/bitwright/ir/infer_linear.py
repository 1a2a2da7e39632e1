"""Types and ranges of sums of products: xnor_*, int_*, count, project."""

from collections.abc import Sequence

import numpy as np

from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Op
from bitwright.ir.rules import INT32, image_of, kind_of, need, per_channel, rule, within
from bitwright.ir.types import ValueType
from bitwright.ir.windows import output_size


def _conv_shape(op: Op, x: ValueType) -> tuple[int, int, int]:
    image_of(x)
    weights, attrs = op.consts["w"], op.attrs
    groups = attrs["groups"]
    need(1 <= groups <= x.shape[0] and x.shape[0] % groups == 0, f"groups {groups} do not divide {x.shape[0]} channels")
    need(weights.shape[0] % groups == 0, f"groups {groups} do not divide {weights.shape[0]} output channels")
    expected = (x.shape[0] // groups, attrs["kernel_h"], attrs["kernel_w"])
    need(weights.shape[1:] == expected, f"weights are {weights.shape}, expected (O, {', '.join(map(str, expected))})")
    return (weights.shape[0], *output_size(attrs, *x.shape[1:]))


def _accumulated(op: Op, n_products: int) -> tuple[int, int]:
    return (-n_products, n_products) if op.attrs["accumulator"] == 0 else (-128, 127)


@rule("xnor_linear")
def _xnor_linear(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits")
    n, k = op.consts["w"].shape
    need(x.shape == (k,), f"weights take {k} bits, got {x}")
    return ValueType("int", (n,), *_accumulated(op, k))


@rule("xnor_conv2d")
def _xnor_conv2d(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits")
    shape = _conv_shape(op, x)
    need(op.attrs["pad_value"] in (-1, 0, 1), f"pad_value is {op.attrs['pad_value']}, expected -1, 0 or +1")
    return ValueType("int", shape, *_accumulated(op, int(np.prod(op.consts["w"].shape[1:], dtype=object))))


def _weighted_hull(op: Op, lo: int, hi: int) -> tuple[int, int]:
    weights = op.consts["w"].reshape(op.consts["w"].shape[0], -1).astype(np.int64)
    if op.weight_dtype == "bit":
        weights = 2 * weights - 1
    positive = [int(v) for v in np.maximum(weights, 0).sum(1)]
    negative = [int(v) for v in np.minimum(weights, 0).sum(1)]
    rows = list(zip(positive, negative, strict=True))
    within(max(p - n for p, n in rows) * max(abs(lo), abs(hi)))  # any part of a sum, in any order
    return min(p * lo + n * hi for p, n in rows), max(p * hi + n * lo for p, n in rows)


def _int_input(op: Op, x: ValueType) -> tuple[int, int]:
    kind_of(x, "bits", "int")
    if x.kind == "bits":
        need(op.weight_dtype != "bit", "bits with 1-bit weights are xnor_linear or xnor_conv2d")
        return -1, 1
    need(INT32[0] <= x.lo and x.hi <= INT32[1], f"takes ints within int32, got {x}; clip or shift them first")
    return x.lo, x.hi


@rule("int_linear")
def _int_linear(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    lo, hi = _int_input(op, x)
    n, k = op.consts["w"].shape
    need(x.shape == (k,), f"weights take {k} values, got {x}")
    return ValueType("int", (n,), *_weighted_hull(op, lo, hi))


@rule("int_conv2d")
def _int_conv2d(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    lo, hi = _int_input(op, x)
    shape, pad_value = _conv_shape(op, x), op.attrs["pad_value"]
    if x.kind == "bits":
        need(pad_value in (-1, 0, 1), f"pad_value is {pad_value}, expected -1, 0 or +1 for bits")
    need(INT32[0] <= pad_value <= INT32[1], f"pad_value is {pad_value}, beyond int32")
    if any(op.attrs[name] for name in ("pad_top", "pad_bottom", "pad_left", "pad_right")):
        lo, hi = min(lo, pad_value), max(hi, pad_value)
    return ValueType("int", shape, *_weighted_hull(op, lo, hi))


@rule("count")
def _count(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits")
    need(len(x.shape) == 1, f"takes bits [S], got {x}; reshape it first")
    start, signal, invert, offset = (op.consts[name] for name in ("start", "signal", "invert", "offset"))
    need(len(start) == len(offset) + 1, f"start has {len(start)} entries for {len(offset)} groups, expected one more")
    need(len(invert) == len(signal), f"invert has {len(invert)} bits for {len(signal)} signals")
    bounds = [int(s) for s in start]
    need(
        bounds[0] == 0 and bounds[-1] == len(signal), f"start runs {bounds[0]}..{bounds[-1]}, expected 0..{len(signal)}"
    )
    need(all(a <= b for a, b in zip(bounds, bounds[1:], strict=False)), "start decreases")
    need(int(signal.max()) < x.shape[0], f"signal {int(signal.max())} of only {x.shape[0]}")
    offsets = [int(o) for o in offset]
    tops = [o + b - a for o, a, b in zip(offsets, bounds, bounds[1:], strict=False)]
    return ValueType("int", (len(offsets),), min(offsets), max(tops))


@rule("project")
def _project(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits", "int")
    n, p, attrs = op.attrs["n_out"], x.shape[0], op.attrs
    kind = CHOICES["kind"][attrs["kind"]]
    need(1 <= n <= 1 << 24, f"n_out is {n}, expected 1..2^24")
    need(0 <= attrs["layer"] < 1 << 32, f"layer is {attrs['layer']}, expected 0..2^32-1")
    reach = 1 if x.kind == "bits" else max(abs(x.lo), abs(x.hi))
    if kind == "hadamard":
        need(1 <= attrs["rounds"] <= 8, f"rounds is {attrs['rounds']}, expected 1..8")
        need(0 <= attrs["shift"] <= 31, f"shift is {attrs['shift']}, expected 0..31")
        q = 1 << (p - 1).bit_length()
        for r in range(attrs["rounds"]):
            reach *= q
            within(reach)
            if r + 1 < attrs["rounds"]:
                reach = -(-reach >> attrs["shift"])  # floor of the negative end is the larger one
    else:
        need(attrs["rounds"] == attrs["shift"] == 0, f"rounds and shift belong to hadamard; {kind} takes 0, 0")
        within(reach * p * (64 if kind == "gaussian" else 1))
    if "t" in op.consts:
        need(len(op.consts["t"]) == n, f"t has {len(op.consts['t'])} thresholds for {n} outputs")
    return ValueType("bits", (n, *x.shape[1:]))


@rule("threshold")
def _threshold(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "int", "float")
    thresholds = _thresholds(op, x)
    n_bits = x.shape[0] * thresholds.shape[1]
    need(len(op.consts["flip"]) == n_bits, f"flip has {len(op.consts['flip'])} bits for {n_bits} outputs")
    return ValueType("bits", (n_bits, *x.shape[1:]))


@rule("digitize")
def _digitize(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "int", "float")
    thresholds = _thresholds(op, x)
    need(thresholds.shape[1] <= 32767, f"{thresholds.shape[1]} thresholds, the limit is 32767")
    need((thresholds[:, 1:] >= thresholds[:, :-1]).all(), "thresholds are not sorted along their second axis")
    return ValueType("int", x.shape, 0, thresholds.shape[1])


def _thresholds(op: Op, x: ValueType) -> np.ndarray:
    thresholds = per_channel(op, "t", x)
    is_float = thresholds.dtype.kind == "f"
    need(is_float == (x.kind == "float"), f"thresholds are {thresholds.dtype} for {x.kind} values; they must match")
    need(not is_float or not np.isnan(thresholds).any(), "a threshold is NaN")
    return thresholds
