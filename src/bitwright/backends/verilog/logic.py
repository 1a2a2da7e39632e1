"""Tables and comparisons as nets: threshold, digitize, lut, lut_conv2d, count."""

from collections.abc import Sequence

import numpy as np

from bitwright.backends.tables import expression
from bitwright.backends.verilog.netlist import ONE, ZERO, Net, Netlist, total
from bitwright.backends.verilog.rules import Nets, as_nets, at_least, invert, rule
from bitwright.ir.program import Op
from bitwright.ir.windows import output_size


@rule("threshold")
def threshold(netlist: Netlist, op: Op, x: Nets) -> Nets:
    t, flip = op.consts["t"], op.consts["flip"].reshape(op.consts["t"].shape)
    channels, planes = t.shape
    flat = x.reshape(channels, -1)
    nets = [at_least(netlist, net, int(t[c, j]), int(flip[c, j]))
            for c in range(channels) for j in range(planes) for net in flat[c]]  # fmt: skip
    return as_nets(nets, (channels * planes, *x.shape[1:]))


@rule("digitize")
def digitize(netlist: Netlist, op: Op, x: Nets) -> Nets:
    t = op.consts["t"]
    flat = x.reshape(len(t), -1)
    nets = [total(netlist, [at_least(netlist, net, int(limit), 0) for limit in t[c]])
            for c in range(len(t)) for net in flat[c]]  # fmt: skip
    return as_nets(nets, x.shape)


def look_up(netlist: Netlist, table: int, inputs: Sequence[Net]) -> Net:
    """One table; inputs that are constant are cut out of it first."""
    kept = list(inputs)
    for place in reversed(range(len(kept))):
        known = kept[place].constant
        if known is not None:
            table = restricted(table, len(kept), place, known)
            del kept[place]
    text, cost = expression(table, [f"{{{i}}}" for i in range(len(kept))])
    if text in "01":
        return ONE if text == "1" else ZERO
    if cost == 0:  # a wire
        return kept[int(text[1:-1])]
    return netlist.bit(kept, text.format)


def restricted(table: int, k: int, place: int, value: int) -> int:
    """The table of k - 1 inputs that is left where the input at `place` has that value."""
    weight, left = k - 1 - place, 0
    for address in range(1 << (k - 1)):
        above, below = address >> weight, address & ((1 << weight) - 1)
        left |= (table >> (above << (weight + 1) | value << weight | below) & 1) << address
    return left


@rule("lut")
def lut(netlist: Netlist, op: Op, x: Nets) -> Nets:
    flat = x.reshape(len(x), -1)
    wiring, table = op.consts["wiring"].astype(np.int64), op.consts["table"]
    nets = [look_up(netlist, int(table[g]), [flat[s, p] for s in wiring[g]])
            for g in range(len(table)) for p in range(flat.shape[1])]  # fmt: skip
    return as_nets(nets, (len(table), *x.shape[1:]))


@rule("lut_conv2d")
def lut_conv2d(netlist: Netlist, op: Op, x: Nets) -> Nets:
    """Unrolled: every position has its own tables."""
    size = output_size(op.attrs, *x.shape[1:])
    outside = ONE if op.attrs["pad_value"] else ZERO
    taps, wiring = op.consts["taps"].astype(np.int64).tolist(), op.consts["wiring"].astype(np.int64).tolist()
    tables, outputs = op.consts["table"].tolist(), op.consts["outputs"].tolist()
    nets = np.empty((len(outputs), *size), object)
    for i, j in np.ndindex(*size):
        top, left = i * op.attrs["stride_h"] - op.attrs["pad_top"], j * op.attrs["stride_w"] - op.attrs["pad_left"]
        signals = [_pixel(x, channel, top + dy, left + dx, outside) for channel, dy, dx in taps]
        for wires, table in zip(wiring, tables, strict=True):
            signals.append(look_up(netlist, table, [signals[s] for s in wires]))
        nets[:, i, j] = [signals[s] for s in outputs]
    return nets


def _pixel(x: Nets, channel: int, row: int, column: int, outside: Net) -> Net:
    inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
    return x[channel, row, column] if inside else outside


@rule("count")
def count(netlist: Netlist, op: Op, x: Nets) -> Nets:
    start, signal, flags = (op.consts[name].astype(np.int64) for name in ("start", "signal", "invert"))
    sums, nets = [], x.tolist()
    for g, offset in enumerate(op.consts["offset"].tolist()):
        members = range(start[g], start[g + 1])
        read = [(nets[signal[i]], flags[i]) for i in members]
        terms = [invert(netlist, net) if flag else net for net, flag in read]
        sums.append(total(netlist, terms, offset))
    return as_nets(sums, (len(sums),))
