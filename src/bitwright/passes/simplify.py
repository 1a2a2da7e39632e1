"""`simplify`: the same Program with fewer gates. Meaning unchanged on every input; a report says what went and why."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bitwright.ir import Op, Program
from bitwright.ir.checker import infer
from bitwright.passes.extract import Flat, extract
from bitwright.passes.netlist import ABSENT, Netlist, Removed, Swept, depths, sweep, with_polarity, without_dead
from bitwright.passes.rebuild import rebuild
from bitwright.passes.tables import N_INPUTS, from_program, to_program

# A net and the signals that are read from outside -> the same outputs with fewer gates, dead ones dropped.
Reduce = Callable[[Netlist, np.ndarray], Swept]


@dataclass
class SimplifyReport:
    """Gates before and after (of a `lut_conv2d` once, not per position), what removed them, and the net's depth."""

    gates_before: int
    gates_after: int
    removed: Removed
    depth: int

    def __str__(self) -> str:
        gone = self.removed
        return (
            f"{self.gates_before:,} gates -> {self.gates_after:,} (constant {gone.constants:,}, wires and inverters "
            f"{gone.wires:,}, equal {gone.merged:,}, dead {gone.dead:,}), depth {self.depth}"
        )


def n_gates(program: Program) -> int:
    """Tables of all lut and lut_conv2d operations."""
    return sum(len(op.consts["table"]) for op in program.ops if op.name in ("lut", "lut_conv2d"))


def simplify(program: Program) -> tuple[Program, SimplifyReport]:
    """Fold constants, absorb wires and inverters (into counts too), merge equal gates, drop dead ones, to the end.

    One sweep over the gates in order of depth is the fixed point of the first three, since a gate is judged when its
    inputs are final; a count in which signals cancel may leave more gates dead, so the flat net is swept until none
    goes.
    """
    before = n_gates(program)
    program, removed = reduce_windows(program, without_superfluous)
    depth = 0
    while True:
        gates, flat = n_gates(program), extract(program)
        if flat is None:
            break
        swept = reduce_flat(program, flat, without_superfluous)
        depth = int(depths(swept.net).max(initial=0))
        program, removed = rebuild(program, flat, swept), removed + swept.removed
        if n_gates(program) == gates:
            break
    return program, SimplifyReport(before, n_gates(program), removed, depth)


def without_superfluous(net: Netlist, outputs: np.ndarray) -> Swept:
    """The Reduce of `simplify`."""
    return without_dead(sweep(net), outputs)


def reduce_flat(program: Program, flat: Flat, reduce: Reduce) -> Swept:
    """The Program's flat net, reduced, its gates' polarity as readers want it."""
    listed, whole = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]  # read by counts; read as bits by anything else
    flips = [np.zeros(0, bool)]
    for number, op in enumerate(program.ops):
        for i in op.inputs if number not in flat.inside else ():
            if i in flat.signals and op.name == "count":
                listed.append(flat.signals[i][op.consts["signal"]])
            elif i in flat.signals and i not in flat.sources:
                whole.append(flat.signals[i])
                flips.append(flat.inverted[i])
    as_bits = np.concatenate(whole)
    swept = reduce(flat.net, np.unique(np.concatenate([*listed, as_bits])))
    return with_polarity(swept, swept.signal[as_bits], swept.inverted[as_bits] ^ np.concatenate(flips))


def reduce_windows(program: Program, reduce: Reduce) -> tuple[Program, Removed]:
    """Every lut_conv2d's own net reduced, its outputs as before."""
    removed, ops = Removed(), []
    for op in program.ops:
        if op.name == "lut_conv2d":
            op, gone = _reduce_window(op, reduce)
            removed += gone
        ops.append(op)
    return Program(tuple(ops), infer(ops), program.header), removed


def _reduce_window(op: Op, reduce: Reduce) -> tuple[Op, Removed]:
    taps, wiring, k = op.consts["taps"], op.consts["wiring"].astype(np.int64), op.attrs["k"]
    outputs = op.consts["outputs"].astype(np.int64)
    wires = np.full((len(wiring), N_INPUTS), ABSENT, np.int32)
    wires[:, :k] = wiring + 1
    net = Netlist(len(taps), wires, from_program(op.consts["table"], k))
    swept = reduce(net, outputs + 1)
    swept = with_polarity(swept, swept.signal[outputs + 1], swept.inverted[outputs + 1])
    return _window_op(op, swept, outputs + 1), swept.removed


def _window_op(op: Op, swept: Swept, outputs: np.ndarray) -> Op:
    """The operation again; inverted and constant outputs get a gate of their own."""
    net = swept.net
    signal, inverted = swept.signal[outputs].astype(np.int64), swept.inverted[outputs]
    n_used = int((net.wires != ABSENT).sum(1).max(initial=1))
    wires = np.where(net.wires[:, :n_used] == ABSENT, net.wires[:, :1], net.wires[:, :n_used]).astype(np.int64)
    extra = np.unique(np.stack([signal, inverted], 1)[(signal == 0) | inverted], axis=0)
    extra_wires = np.repeat(np.maximum(extra[:, :1], 1), n_used, axis=1)
    identity = from_program(np.array([0b10]), 1)[0]
    full = np.uint64(0xFFFFFFFFFFFFFFFF)
    extra_tables = np.array([full * bool(flip) if s == 0 else identity ^ full for s, flip in extra], np.uint64)
    wires = np.concatenate([wires, extra_wires.astype(np.int64)]) - 1
    table = to_program(np.concatenate([net.table, extra_tables]), n_used)
    if not len(table):  # the format wants at least one table; nothing reads it
        wires, table = np.zeros((1, n_used), np.int64), np.zeros(1, np.uint64)
    place = {(int(s), bool(f)): net.first_gate + net.n_gates + i - 1 for i, (s, f) in enumerate(extra)}
    named = [place.get((int(s), bool(f)), int(s) - 1) for s, f in zip(signal, inverted, strict=True)]
    consts = {"taps": op.consts["taps"], "wiring": wires, "table": table, "outputs": np.array(named, np.int64)}
    return Op(op.name, op.inputs, {**op.attrs, "k": n_used}, consts, op.weight_dtype)
