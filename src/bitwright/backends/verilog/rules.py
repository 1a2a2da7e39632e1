"""What the rules for operations share. A value is the array of its nets, in its shape; moving values costs nothing."""

from collections.abc import Callable, Sequence

import numpy as np

from bitwright.backends.verilog.netlist import ONE, ZERO, Net, Netlist, number

Nets = np.ndarray  # of Net, in the shape of the value
Rule = Callable[..., Nets]  # (netlist, op, *inputs) -> nets
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Decorator: this function writes these operations."""

    def add(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return add


def as_nets(nets: Sequence[Net], shape: tuple[int, ...]) -> Nets:
    array = np.empty(len(nets), object)
    array[:] = nets
    return array.reshape(shape)


def invert(netlist: Netlist, net: Net) -> Net:
    if net.constant is not None:
        return ZERO if net.constant else ONE
    return netlist.bit([net], lambda x: f"~{x}", level=0)


def at_least(netlist: Netlist, x: Net, limit: int, flip: int) -> Net:
    """(x >= limit) XOR flip."""
    if limit <= x.lo or limit > x.hi:
        return ONE if (limit <= x.lo) ^ flip else ZERO
    literal = number(limit, x.width)
    return netlist.bit([x], lambda name: f"{name.signed} {'<' if flip else '>='} {literal}")
