"""Sums of products and arithmetic as nets: xnor_*, int_*, affine, prelu, clip, add."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bitwright.backends.verilog.moving import window
from bitwright.backends.verilog.netlist import ONE, ZERO, Net, Netlist, constant, number, plus, total, width_of
from bitwright.backends.verilog.rules import Nets, as_nets, invert, rule
from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Op


@rule("xnor_linear")
def xnor_linear(netlist: Netlist, op: Op, x: Nets) -> Nets:
    w = op.consts["w"]
    return as_nets([_agreeing(netlist, op, x.tolist(), row, len(x)) for row in w], (len(w),))


@rule("xnor_conv2d")
def xnor_conv2d(netlist: Netlist, op: Op, x: Nets) -> Nets:
    def agreeing(seen: Nets, row: np.ndarray) -> Net:
        kept = [(net, bit) for net, bit in zip(seen, row, strict=True) if net is not None]
        return _agreeing(netlist, op, [net for net, _ in kept], [bit for _, bit in kept], len(kept))

    return _slide(op, x, op.consts["w"], {-1: ZERO, 0: None, 1: ONE}[op.attrs["pad_value"]], agreeing)


def _slide(op: Op, x: Nets, w: np.ndarray, outside: Net | None, sum_of: Callable[[Nets, np.ndarray], Net]) -> Nets:
    """sum_of(what a window sees, the output's weights) at every place; w: (outputs, channels a group, kernel)."""
    windows = window(x, op, outside)
    nets = np.empty((len(w), *windows.shape[3:]), object)
    per_group, outputs = w.shape[1], len(w) // op.attrs["groups"]
    for o, i, j in np.ndindex(*nets.shape):
        first = o // outputs * per_group
        nets[o, i, j] = sum_of(windows[first : first + per_group, :, :, i, j].reshape(-1), w[o].reshape(-1))
    return nets


def _agreeing(netlist: Netlist, op: Op, bits: Sequence[Net], weights: Iterable[int], n: int) -> Net:
    """Twice the number of bits that equal their weight, less n; then the accumulator."""
    same = total(netlist, [net if weight else invert(netlist, net) for net, weight in zip(bits, weights, strict=True)])
    if same.constant is not None:
        return constant(_wrapped(2 * same.constant - n, op.attrs["accumulator"]))
    lo, hi = 2 * same.lo - n, 2 * same.hi - n
    wide = max(width_of(lo, hi), width_of(-n, 2 * same.hi))
    name = CHOICES["accumulator"][op.attrs["accumulator"]]
    least = number(n, wide)
    s = netlist.integer([same], lambda x: f"({x.signed} <<< 1) - {least}", min(lo, -n), max(hi, 2 * same.hi))
    if name == "int32":
        return Net(s.name, s.width, lo, hi, s.level, s.stage)
    if name == "wrap8_half":
        s = netlist.integer([s], lambda x: f"{x} >>> 1", s.lo >> 1, s.hi >> 1, level=0)
    return netlist.integer([s], str, -128, 127, level=0)


def _wrapped(s: int, accumulator: int) -> int:
    name = CHOICES["accumulator"][accumulator]
    return s if name == "int32" else ((s >> (name == "wrap8_half")) + 128) % 256 - 128


@rule("affine", "prelu")
def affine(netlist: Netlist, op: Op, x: Nets) -> Nets:
    flat, consts = x.reshape(len(x), -1), {name: value.tolist() for name, value in op.consts.items()}
    muls = (consts["mul"],) * 2 if op.name == "affine" else (consts["pos"], consts["neg"])
    nets = [_scaled(netlist, net, muls[0][c], muls[1][c], consts["add"][c], consts["shift"][c])
            for c in range(len(x)) for net in flat[c]]  # fmt: skip
    return as_nets(nets, x.shape)


def _scaled(netlist: Netlist, x: Net, pos: int, neg: int, add: int, shift: int) -> Net:
    """floor((x * (x >= 0 ? pos : neg) + add) / 2^shift)."""
    corners = {x.lo, x.hi} | ({-1, 0} if x.lo < 0 <= x.hi else set())
    products = [v * (pos if v >= 0 else neg) for v in corners]
    if x.constant is not None:
        return constant((products[0] + add) >> shift)
    lo, hi = min(products) + add, max(products) + add
    reach = [*products, add, lo, hi, pos, neg, x.lo, x.hi]
    wide = width_of(min(reach), max(reach))
    a, b, c = number(pos, wide), number(neg, wide), number(add, wide)
    times = (lambda name: f"{name} * {a}") if pos == neg else (lambda name: f"{name} * (({name} < 0) ? {b} : {a})")
    whole = netlist.integer([x], lambda name: f"{times(name)} + {c}", -(1 << (wide - 1)), (1 << (wide - 1)) - 1)
    if shift == 0:
        return Net(whole.name, whole.width, lo, hi, whole.level, whole.stage)
    return netlist.integer([whole], lambda name: f"{name} >>> {shift}", lo >> shift, hi >> shift, level=0)


@rule("clip")
def clip(netlist: Netlist, op: Op, x: Nets) -> Nets:
    low, high = op.attrs["lo"], op.attrs["hi"]

    def one(net: Net) -> Net:
        lo, hi = (min(max(v, low), high) for v in (net.lo, net.hi))
        if lo == hi:
            return constant(lo)
        if (lo, hi) == (net.lo, net.hi):
            return net
        a, b = number(lo, net.width), number(hi, net.width)
        return netlist.integer([net], lambda v: f"({v} < {a}) ? {a} : ({v} > {b}) ? {b} : {v}", lo, hi)

    return as_nets([one(net) for net in x.reshape(-1)], x.shape)


@rule("add")
def add(netlist: Netlist, op: Op, x: Nets, y: Nets | None = None) -> Nets:
    if y is not None:
        nets = [total(netlist, pair) for pair in zip(x.reshape(-1), y.reshape(-1), strict=True)]
        return as_nets(nets, x.shape)
    b = op.consts["b"]
    b = np.broadcast_to(b.reshape(b.shape if b.ndim == x.ndim else (-1, *(1,) * (x.ndim - 1))), x.shape).reshape(-1)
    return as_nets([plus(netlist, net, int(v)) for net, v in zip(x.reshape(-1), b, strict=True)], x.shape)


@rule("int_linear")
def int_linear(netlist: Netlist, op: Op, x: Nets) -> Nets:
    rows = weights(op)
    return as_nets([_weighted(netlist, x.tolist(), row) for row in rows.tolist()], (len(rows),))


@rule("int_conv2d")
def int_conv2d(netlist: Netlist, op: Op, x: Nets) -> Nets:
    bits = not x.reshape(-1)[0].width
    pad_value = op.attrs["pad_value"]
    outside = {-1: ZERO, 0: None, 1: ONE}[pad_value] if bits else constant(pad_value)
    return _slide(op, x, weights(op), outside, lambda seen, row: _weighted(netlist, seen.tolist(), row.tolist()))


def weights(op: Op) -> np.ndarray:
    w = op.consts["w"].astype(np.int64)
    return 2 * w - 1 if op.weight_dtype == "bit" else w


def _weighted(netlist: Netlist, nets: Sequence[Net], row: Sequence[int]) -> Net:
    """Sum of x * w; a bit is the sign 2b - 1, so that it adds 2w where it is 1, and -w always."""
    terms, offset = [], 0
    for net, w in zip(nets, row, strict=True):
        if w == 0 or net is None:
            continue
        if not net.width:
            offset -= w
        factor = w if net.width else 2 * w
        if net.constant is not None:
            offset += factor * net.constant
        elif factor == 1:
            terms.append(net)
        else:
            ends = (net.lo * factor, net.hi * factor)
            lo, hi = min(*ends, 0), max(*ends, 0)
            text = number(factor, width_of(min(lo, factor), max(hi, factor)))
            product = (f"{{}} * {text}" if net.width else f"{{}} ? {text} : 2'sd0").format
            terms.append(netlist.integer([net], product, lo, hi))
    return total(netlist, terms, offset)
