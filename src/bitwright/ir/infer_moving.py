"""Types and ranges of pooling and of moving values: pools, patches, gather, reshape, concat, pad."""

from collections.abc import Sequence

from bitwright.ir.ops import PADDING
from bitwright.ir.program import Op
from bitwright.ir.rules import image_of, kind_of, need, rule
from bitwright.ir.types import ValueType
from bitwright.ir.windows import output_size


def _pool_shape(op: Op, x: ValueType) -> tuple[int, int, int]:
    image_of(x)
    for axis, before, after in (("h", "pad_top", "pad_bottom"), ("w", "pad_left", "pad_right")):
        kernel = op.attrs[f"kernel_{axis}"]
        need(
            max(op.attrs[before], op.attrs[after]) < kernel, f"padding reaches kernel {kernel}; a window could be empty"
        )
    return (x.shape[0], *output_size(op.attrs, *x.shape[1:]))


def _widened(op: Op, x: ValueType) -> tuple[int, int]:
    """Range of x with the pad value, where the operation pads at all."""
    pad_value = op.attrs["pad_value"]
    if x.kind == "bits":
        need(pad_value in (0, 1), f"pad_value is {pad_value}, expected 0 or 1 for bits")
        return 0, 0
    pads = any(op.attrs[name] for name in (*PADDING, "pad_before", "pad_after") if name in op.attrs)
    return (min(x.lo, pad_value), max(x.hi, pad_value)) if pads else (x.lo, x.hi)


@rule("max_pool2d")
def _max_pool2d(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits", "int")
    return ValueType(x.kind, _pool_shape(op, x), x.lo, x.hi)


@rule("sum_pool2d")
def _sum_pool2d(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "int")
    places = op.attrs["kernel_h"] * op.attrs["kernel_w"]
    lo, hi = places * x.lo, places * x.hi
    if any(op.attrs[name] for name in PADDING):
        lo, hi = min(lo, 0), max(hi, 0)
    return ValueType("int", _pool_shape(op, x), lo, hi)


@rule("patches")
def _patches(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits", "int")
    image_of(x)
    size = output_size(op.attrs, *x.shape[1:])
    n_rows = x.shape[0] * op.attrs["kernel_h"] * op.attrs["kernel_w"]
    return ValueType(x.kind, (n_rows, *size), *_widened(op, x))


@rule("gather")
def _gather(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    index = op.consts["index"]
    need(0 <= int(index.min()) and int(index.max()) < x.shape[0], f"index {int(index.max())} of only {x.shape[0]}")
    return ValueType(x.kind, (len(index), *x.shape[1:]), x.lo, x.hi)


@rule("reshape")
def _reshape(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    ndim = op.attrs["ndim"]
    dims = tuple(op.attrs[f"dim{i}"] for i in range(3))
    need(
        ndim in (1, 3) and all(d == 0 for d in dims[ndim:]),
        f"ndim {ndim}, dims {dims}: expected [C] or [C,H,W], the rest 0",
    )
    need(all(1 <= d < 1 << 32 for d in dims[:ndim]), f"dims {dims[:ndim]} leave 1..2^32-1")
    shaped = ValueType(x.kind, dims[:ndim], x.lo, x.hi)
    need(shaped.n_values == x.n_values, f"{dims[:ndim]} holds {shaped.n_values} values, the input {x.n_values}")
    return shaped


@rule("concat")
def _concat(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    first = inputs[0]
    for x in inputs[1:]:
        need(x.kind == first.kind and x.shape[1:] == first.shape[1:], f"kinds or sizes differ: {first} and {x}")
        need(len(x.shape) == len(first.shape), f"axes differ: {first} and {x}")
    channels = sum(x.shape[0] for x in inputs)
    return ValueType(first.kind, (channels, *first.shape[1:]), min(x.lo for x in inputs), max(x.hi for x in inputs))


@rule("pad")
def _pad(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits", "int")
    names = ("pad_before", "pad_after", *PADDING)
    need(all(0 <= op.attrs[name] <= 1 << 24 for name in names), "a padding leaves 0..2^24")
    before, after, top, bottom, left, right = (op.attrs[name] for name in names)
    channels = before + x.shape[0] + after
    if len(x.shape) == 1:
        need(not (top or bottom or left or right), f"rows and columns cannot be padded on {x}")
        return ValueType(x.kind, (channels,), *_widened(op, x))
    return ValueType(x.kind, (channels, top + x.shape[1] + bottom, left + x.shape[2] + right), *_widened(op, x))
