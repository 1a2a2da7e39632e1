"""Windows, pools and moves as nets."""

from collections.abc import Sequence

import numpy as np

from bitwright.backends.verilog.netlist import ONE, ZERO, Net, Netlist, constant, total
from bitwright.backends.verilog.rules import Nets, as_nets, rule
from bitwright.ir.program import Op
from bitwright.ir.windows import output_size


def window(x: Nets, op: Op, outside: Net | None) -> Nets:
    """(C, kernel_h, kernel_w, H', W') of nets; `outside` stands where a window leaves the image."""
    a, size = op.attrs, output_size(op.attrs, *x.shape[1:])
    nets = np.empty((len(x), a["kernel_h"], a["kernel_w"], *size), object)
    for c, dy, dx, i, j in np.ndindex(*nets.shape):
        row = i * a["stride_h"] - a["pad_top"] + dy * a.get("dilation_h", 1)
        column = j * a["stride_w"] - a["pad_left"] + dx * a.get("dilation_w", 1)
        inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
        nets[c, dy, dx, i, j] = x[c, row, column] if inside else outside
    return nets


@rule("max_pool2d", "sum_pool2d")
def pool2d(netlist: Netlist, op: Op, x: Nets) -> Nets:
    windows = window(x, op, None)
    nets = np.empty((len(x), *windows.shape[3:]), object)
    for c, i, j in np.ndindex(*nets.shape):
        members = [net for net in windows[c, :, :, i, j].reshape(-1) if net is not None]
        if op.name == "sum_pool2d":
            nets[c, i, j] = total(netlist, members)
        else:
            nets[c, i, j] = largest(netlist, members) if members[0].width else any_of(netlist, members)
    return nets


def any_of(netlist: Netlist, bits: Sequence[Net]) -> Net:
    bits = [net for net in bits if net is not ZERO]
    if not bits or any(net is ONE for net in bits):
        return ONE if bits else ZERO
    return bits[0] if len(bits) == 1 else netlist.bit(bits, lambda *names: " | ".join(names))


def largest(netlist: Netlist, numbers: Sequence[Net]) -> Net:
    numbers = list(numbers)
    while len(numbers) > 1:
        a, b, *rest = numbers
        text = "({0} > {1}) ? {0} : {1}".format
        numbers = [*rest, netlist.integer([a, b], text, max(a.lo, b.lo), max(a.hi, b.hi))]
    return numbers[0]


@rule("patches")
def patches(netlist: Netlist, op: Op, x: Nets) -> Nets:
    windows = window(x, op, _padding(op, x))
    return windows.reshape(-1, *windows.shape[3:])


def _padding(op: Op, x: Nets) -> Net:
    value = op.attrs["pad_value"]
    return constant(value) if x.reshape(-1)[0].width else (ONE if value else ZERO)


@rule("pad")
def pad(netlist: Netlist, op: Op, x: Nets) -> Nets:
    a = op.attrs
    sides = ((a["pad_before"], a["pad_after"]), (a["pad_top"], a["pad_bottom"]), (a["pad_left"], a["pad_right"]))
    shape = tuple(before + size + after for size, (before, after) in zip(x.shape, sides, strict=False))
    nets = np.empty(shape, object)
    nets.fill(_padding(op, x))
    nets[tuple(slice(sides[i][0], sides[i][0] + size) for i, size in enumerate(x.shape))] = x
    return nets


@rule("gather")
def gather(netlist: Netlist, op: Op, x: Nets) -> Nets:
    return x[op.consts["index"].astype(np.int64)]


@rule("reshape")
def reshape(netlist: Netlist, op: Op, x: Nets) -> Nets:
    return x.reshape(tuple(op.attrs[f"dim{i}"] for i in range(op.attrs["ndim"])))


@rule("concat")
def concat(netlist: Netlist, op: Op, *values: Nets) -> Nets:
    return np.concatenate(values)


@rule("output")
def output(netlist: Netlist, op: Op, x: Nets) -> Nets:
    return x


@rule("to_int")
def to_int(netlist: Netlist, op: Op, x: Nets) -> Nets:
    signs = op.attrs["mode"] == 1

    def one(net: Net) -> Net:
        if net.constant is not None:
            return constant(2 * net.constant - 1 if signs else net.constant)
        if signs:
            return netlist.integer([net], lambda b: f"{{~{b}, 1'b1}}", -1, 1, level=0)
        return netlist.integer([net], lambda b: f"{{1'b0, {b}}}", 0, 1, level=0)

    return as_nets([one(net) for net in x.reshape(-1)], x.shape)
