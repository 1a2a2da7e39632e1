"""Builds a Program operation by operation, checking each one as it is added."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from bitwright.ir.checker import infer, infer_one
from bitwright.ir.ops import CHOICES, OPS
from bitwright.ir.program import Op, Program
from bitwright.ir.types import KINDS, ProgramError, ValueType
from bitwright.ir.windows import Pair, Sides, window_attrs


@dataclass(frozen=True)
class Value:
    """A value of a Program under construction: its number and its type."""

    number: int
    type: ValueType

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape


class Builder:
    """Add operations in order, each method returning the new Value; `finish` gives the Program.

    Methods are named after the operations; arguments are NumPy arrays and torch-like window numbers (an int or a pair;
    padding also (top, bottom, left, right)). Every method raises ProgramError where docs/program.md is broken.
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.types: list[ValueType] = []

    def add_op(self, name: str, inputs: Sequence[Value] = (), attrs=None, consts=None, weight_dtype: str = "") -> Value:
        """The general form that all methods use. consts: arrays, None for an absent one."""
        given = {key: _own(value) for key, value in (consts or {}).items() if value is not None}
        plain = {key: _integer(key, value) for key, value in (attrs or {}).items()}
        op = Op(name, tuple(value.number for value in inputs), plain, given, weight_dtype)
        try:
            type_ = infer_one(op, len(self.ops), -1, self.types)
        except ProgramError as error:
            raise ProgramError(f"operation {len(self.ops)} ({name}): {error}") from None
        self.ops.append(op)
        self.types.append(type_)
        return Value(len(self.ops) - 1, type_)

    def finish(self, scores: Value, header: dict[str, Any] | None = None) -> Program:
        """End with `output` and return the checked Program. Raises ValueError for a header that is not JSON."""
        from bitwright.ir.file import header_json

        self.add_op("output", [scores])
        header = dict(header or {})
        header_json(header)
        return Program(tuple(self.ops), infer(self.ops), header)

    def input(self, kind: str, shape: tuple[int, ...], lo: int = 0, hi: int = 0) -> Value:
        """kind: "bits", "int" (range lo..hi) or "float"; shape: (C,) or (C, H, W)."""
        dims = [*shape, 0, 0][:3]
        attrs = {"value": KINDS.index(kind), "ndim": len(shape), "lo": lo, "hi": hi}
        return self.add_op("input", (), attrs | {f"dim{i}": d for i, d in enumerate(dims)})

    def threshold(self, x: Value, t: np.ndarray, flip: np.ndarray | None = None) -> Value:
        """t: (C, J) or (C,); flip: (C * J,) of 0 and 1, default 0."""
        t = _thresholds(t, x)
        flip = np.zeros(t.size, np.uint8) if flip is None else np.asarray(flip, np.uint8).reshape(-1)
        return self.add_op("threshold", [x], consts={"t": t, "flip": flip})

    def digitize(self, x: Value, t: np.ndarray) -> Value:
        """t: (C, K), each row sorted."""
        return self.add_op("digitize", [x], consts={"t": _thresholds(t, x)})

    def xnor_linear(self, x: Value, w: np.ndarray, accumulator: str = "int32") -> Value:
        """w: (N, K) bits, 1 for +1."""
        attrs = {"accumulator": CHOICES["accumulator"].index(accumulator)}
        return self.add_op("xnor_linear", [x], attrs, {"w": _bits(w)}, "bit")

    def xnor_conv2d(
        self, x: Value, w: np.ndarray, stride=1, padding=0, dilation=1, groups=1, pad_value=0, accumulator="int32"
    ) -> Value:
        """w: (O, C / groups, kernel_h, kernel_w) bits, 1 for +1."""
        attrs = window_attrs(np.shape(w)[2:], stride, padding, dilation) | {"groups": groups, "pad_value": pad_value}
        attrs["accumulator"] = CHOICES["accumulator"].index(accumulator)
        return self.add_op("xnor_conv2d", [x], attrs, {"w": _bits(w)}, "bit")

    def int_linear(self, x: Value, w: np.ndarray, weight_dtype: str) -> Value:
        """w: (N, K); weight_dtype: "bit" (then 0 and 1 for -1 and +1), "i4", "i8" or "i16"."""
        return self.add_op("int_linear", [x], None, {"w": _weights(w, weight_dtype)}, weight_dtype)

    def int_conv2d(
        self, x: Value, w: np.ndarray, weight_dtype: str, stride=1, padding=0, dilation=1, groups=1, pad_value=0
    ) -> Value:
        """w: (O, C / groups, kernel_h, kernel_w), as in int_linear."""
        attrs = window_attrs(np.shape(w)[2:], stride, padding, dilation) | {"groups": groups, "pad_value": pad_value}
        return self.add_op("int_conv2d", [x], attrs, {"w": _weights(w, weight_dtype)}, weight_dtype)

    def lut(self, x: Value, wiring: np.ndarray, table: np.ndarray) -> Value:
        """wiring: (G, k) signal numbers; table: (G,) integers, bit a the output at address a.

        The first of the k signals is the most significant bit of the address.
        """
        return self.add_op("lut", [x], {"k": np.shape(wiring)[1]}, {"wiring": wiring, "table": table})

    def lut_conv2d(
        self, x: Value, taps, wiring, table, outputs, kernel, stride: Pair = 1, padding: Sides = 0, pad_value: int = 0
    ) -> Value:
        """taps: (T, 3) of (channel, dy, dx); wiring: (M, k) earlier signals; outputs: (O,) signals."""
        attrs = window_attrs(kernel, stride, padding) | {"pad_value": pad_value, "k": np.shape(wiring)[1]}
        consts = {"taps": taps, "wiring": wiring, "table": table, "outputs": outputs}
        return self.add_op("lut_conv2d", [x], attrs, {key: np.asarray(value) for key, value in consts.items()})

    def count(self, x: Value, groups: Sequence[Sequence[int]], invert=None, offset=None) -> Value:
        """groups: for each output its list of signals; invert: flags alike; offset: (G,) integers."""
        start = np.cumsum([0, *(len(group) for group in groups)])
        signal = np.array([s for group in groups for s in group], np.int64)
        flags = np.zeros(len(signal)) if invert is None else np.array([f for group in invert for f in group])
        offset = np.zeros(len(groups), np.int64) if offset is None else np.asarray(offset)
        consts = {"start": start, "signal": signal, "invert": flags.astype(np.uint8), "offset": offset}
        return self.add_op("count", [x], None, consts)

    def project(
        self, x: Value, n_out: int, kind: str, seed: int, layer: int = 0, rounds: int = 0, shift: int = 0, t=None
    ) -> Value:
        """kind: "rademacher", "gaussian" or "hadamard" (then rounds >= 1); seed: 64 bits.

        t: (n_out,) thresholds, or None for 0.
        """
        signed = (seed & ((1 << 64) - 1)) - ((seed >> 63 & 1) << 64)
        attrs = {"kind": CHOICES["kind"].index(kind), "n_out": n_out, "seed": signed, "layer": layer}
        return self.add_op("project", [x], attrs | {"rounds": rounds, "shift": shift}, {"t": t})

    def affine(self, x: Value, mul, add, shift) -> Value:
        """floor((x * mul + add) / 2^shift); each (C,) or one number for all channels."""
        consts = {"mul": _channels(mul, x), "add": _channels(add, x), "shift": _channels(shift, x)}
        return self.add_op("affine", [x], None, consts)

    def prelu(self, x: Value, pos, neg, add, shift) -> Value:
        """floor((x * (pos or neg) + add) / 2^shift); each (C,) or one number for all channels."""
        given = {"pos": pos, "neg": neg, "add": add, "shift": shift}
        return self.add_op("prelu", [x], None, {key: _channels(value, x) for key, value in given.items()})

    def clip(self, x: Value, lo: int, hi: int) -> Value:
        return self.add_op("clip", [x], {"lo": lo, "hi": hi})

    def add(self, x: Value, y: Value | np.ndarray) -> Value:
        """x + y, or x + constant of shape (C,) or x's."""
        if isinstance(y, Value):
            return self.add_op("add", [x, y])
        return self.add_op("add", [x], None, {"b": np.asarray(y)})

    def max_pool2d(self, x: Value, kernel, stride=None, padding=0) -> Value:
        return self.add_op("max_pool2d", [x], window_attrs(kernel, kernel if stride is None else stride, padding))

    def sum_pool2d(self, x: Value, kernel, stride=None, padding=0) -> Value:
        return self.add_op("sum_pool2d", [x], window_attrs(kernel, kernel if stride is None else stride, padding))

    def patches(self, x: Value, kernel, stride=1, padding=0, dilation=1, pad_value: int = 0) -> Value:
        attrs = window_attrs(kernel, stride, padding, dilation) | {"pad_value": pad_value}
        return self.add_op("patches", [x], attrs)

    def gather(self, x: Value, index: np.ndarray) -> Value:
        """index: (N,) numbers of channels of x."""
        return self.add_op("gather", [x], None, {"index": np.asarray(index)})

    def reshape(self, x: Value, shape: tuple[int, ...]) -> Value:
        dims = [*shape, 0, 0][:3]
        return self.add_op("reshape", [x], {"ndim": len(shape)} | {f"dim{i}": d for i, d in enumerate(dims)})

    def concat(self, values: Sequence[Value]) -> Value:
        return self.add_op("concat", values)

    def pad(self, x: Value, channels: tuple[int, int] = (0, 0), padding=(0, 0, 0, 0), value: int = 0) -> Value:
        names = ("pad_before", "pad_after", "pad_top", "pad_bottom", "pad_left", "pad_right")
        return self.add_op("pad", [x], dict(zip(names, (*channels, *padding), strict=True)) | {"pad_value": value})

    def to_int(self, x: Value, mode: str) -> Value:
        """mode: "bits" for 0 and 1, "signs" for -1 and +1."""
        return self.add_op("to_int", [x], {"mode": CHOICES["mode"].index(mode)})


def _own(value: Any) -> np.ndarray:
    """A copy that nobody else changes: what comes in may be the live weights of a model."""
    copy = np.array(value, order="C")
    if copy.dtype == bool:
        copy = copy.astype(np.uint8)
    copy.flags.writeable = False
    return copy


def _integer(name: str, value: Any) -> int:
    try:
        return index(value)
    except TypeError:
        raise ProgramError(f"attribute {name} is {value!r}, expected an integer; round it first") from None


def _bits(w: np.ndarray) -> np.ndarray:
    w = np.asarray(w)
    if w.dtype.kind not in "iub" or w.min(initial=0) < 0 or w.max(initial=0) > 1:
        raise ProgramError(
            f"1-bit weights must be 0 (for -1) and 1 (for +1), got {w.dtype} in {w.min()}..{w.max()}; use (w > 0)"
        )
    return w.astype(np.uint8)


def _weights(w: np.ndarray, weight_dtype: str) -> np.ndarray:
    if weight_dtype == "bit":
        return _bits(w)
    w = np.asarray(w)
    return w.astype(np.int64) if w.dtype.kind in "iub" else w


def _thresholds(t: np.ndarray, x: Value) -> np.ndarray:
    t = _rounded_up(np.asarray(t)) if x.type.kind == "float" else np.asarray(t)
    return t[:, None] if t.ndim == 1 else t


def _rounded_up(t: np.ndarray) -> np.ndarray:
    """The smallest float32 that is not below t: for a float32 x, x >= t keeps its meaning exactly."""
    with np.errstate(over="ignore"):
        rounded = t.astype(np.float32)
    return np.where(rounded < t, np.nextafter(rounded, np.float32(np.inf)), rounded)


def _channels(value, x: Value) -> np.ndarray:
    value = np.asarray(value)
    return np.full(x.shape[0], value) if value.ndim == 0 else value


assert all(hasattr(Builder, name) for name in OPS if name != "output")
