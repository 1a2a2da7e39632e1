"""A Program again from a simplified net: gates by level, inverters pushed into counts, everything else copied."""

from dataclasses import dataclass, field

import numpy as np

from bitwright.ir import Builder, Op, Program, Value
from bitwright.passes.extract import Flat
from bitwright.passes.netlist import ABSENT, Swept, depths
from bitwright.passes.tables import to_program


@dataclass
class _Rebuild:
    program: Program
    flat: Flat
    swept: Swept
    builder: Builder = field(default_factory=Builder)
    values: dict[int, Value] = field(default_factory=dict)  # old value -> new
    holder: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # new signal -> new value that holds it
    place: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # ... and where
    by_number: dict[int, Value] = field(default_factory=dict)


def rebuild(program: Program, flat: Flat, swept: Swept) -> Program:
    """The Program with the simplified net in place of the old one; every output value is the same."""
    work = _Rebuild(program, flat, swept)
    net = swept.net
    n_signals = net.first_gate + net.n_gates
    work.holder, work.place = np.full(n_signals, -1, np.int64), np.zeros(n_signals, np.int64)
    stage, level = when(flat, swept)
    needed = sorted({i for number, op in enumerate(program.ops) if number not in flat.inside for i in op.inputs})
    for number, op in enumerate(program.ops[:-1]):
        if number in flat.inside:
            continue
        if op.name == "count" and op.inputs[0] in flat.signals:
            work.values[number] = _count(work, op)
        else:
            inputs = [_value(work, i) for i in op.inputs]
            work.values[number] = work.builder.add_op(op.name, inputs, op.attrs, op.consts, op.weight_dtype)
        if number in flat.sources:
            _hold(work, flat.signals[number], number, work.values[number])
            _emit_gates(work, np.flatnonzero(stage == number), level)
    assert needed[-1] == program.ops[-1].inputs[0]
    return work.builder.finish(_value(work, program.ops[-1].inputs[0]), program.header)


def when(flat: Flat, swept: Swept) -> tuple[np.ndarray, np.ndarray]:
    """For every gate: the source value after which it can be computed, and its depth."""
    net = swept.net
    depth = depths(net)[net.first_gate :]
    stage = np.zeros(net.first_gate + net.n_gates, np.int64)
    stage[: net.first_gate] = flat.stage
    padded = np.where(net.wires == ABSENT, 0, net.wires)
    for level in range(1, int(depth.max(initial=0)) + 1):
        gates = np.flatnonzero(depth == level)
        stage[net.first_gate + gates] = stage[padded[gates]].max(axis=1)
    return stage[net.first_gate :], depth


def _hold(work: _Rebuild, signals: np.ndarray, old: int, value: Value) -> None:
    """New value holds the inputs of source `old` (all of them, constants among them too)."""
    own = np.flatnonzero(work.flat.stage == old)
    own = own[own > 0]
    work.holder[own], work.place[own] = value.number, own - own[0]
    work.by_number[value.number] = value


def _emit_gates(work: _Rebuild, gates: np.ndarray, level: np.ndarray) -> None:
    net = work.swept.net
    for depth in np.unique(level[gates]):
        here = gates[level[gates] == depth]
        wires, k = net.wires[here], int((net.wires[here] != ABSENT).sum(1).max())
        wires = np.where(wires[:, :k] == ABSENT, wires[:, :1], wires[:, :k])  # an input that does not matter
        source, index = _together(work, wires.reshape(-1))
        value = work.builder.lut(source, index.reshape(wires.shape), to_program(net.table[here], k))
        work.holder[net.first_gate + here], work.place[net.first_gate + here] = value.number, np.arange(len(here))
        work.by_number[value.number] = value


def _together(work: _Rebuild, signals: np.ndarray) -> tuple[Value, np.ndarray]:
    """One value that holds all these signals (the constant excepted), and the place of each in it."""
    holders = np.unique(work.holder[signals])
    parts = [work.by_number[int(number)] for number in holders]
    start = np.concatenate([[0], np.cumsum([part.shape[0] for part in parts])[:-1]])
    offset = dict(zip(holders.tolist(), start.tolist(), strict=True))
    index = np.array([offset[h] for h in work.holder[signals].tolist()], np.int64) + work.place[signals]
    return (parts[0] if len(parts) == 1 else work.builder.concat(parts)), index


def _literals(work: _Rebuild, old: int) -> tuple[np.ndarray, np.ndarray]:
    """New signals and inversions of an old value."""
    signals, flat_inverted = work.flat.signals[old], work.flat.inverted[old]
    return work.swept.signal[signals], work.swept.inverted[signals] ^ flat_inverted


def _count(work: _Rebuild, op: Op) -> Value:
    """The count with inverters and constants absorbed, and x with NOT x cancelled to one."""
    signals, inverted = _literals(work, op.inputs[0])
    start, read = op.consts["start"].astype(np.int64), op.consts["signal"]
    signal = signals[read].astype(np.int64)
    flips = inverted[read] ^ op.consts["invert"].astype(bool)
    offset = op.consts["offset"].astype(np.int64).copy()
    group = np.repeat(np.arange(len(offset)), np.diff(start))
    np.add.at(offset, group[(signal == 0) & flips], 1)
    keep = signal != 0
    signal, flips, group = signal[keep], flips[keep], group[keep]
    signal, flips, group, cancelled = _cancel(signal, flips, group)
    np.add.at(offset, cancelled, 1)
    if not len(signal):  # all constant: any signal once and inverted once adds one
        signal, flips, group = np.array([1, 1]), np.array([False, True]), np.array([0, 0])
        offset[0] -= 1
    source, index = _together(work, signal)
    start = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=len(offset)))])
    consts = {"start": start, "signal": index, "invert": flips.astype(np.uint8), "offset": offset}
    return work.builder.add_op("count", [source], None, consts)


def _cancel(signal: np.ndarray, flips: np.ndarray, group: np.ndarray):
    """Pairs of a signal and its complement in one group, removed; returns the rest and the groups of the pairs."""
    order = np.lexsort((flips, signal, group))
    signal, flips, group = signal[order], flips[order], group[order]
    change = np.ones(len(signal), bool)
    change[1:] = (signal[1:] != signal[:-1]) | (group[1:] != group[:-1])
    run = np.cumsum(change) - 1
    n_inverted = np.bincount(run, weights=flips).astype(np.int64)
    n_all = np.bincount(run)
    n_pairs = np.minimum(n_inverted, n_all - n_inverted)
    rank = np.arange(len(signal)) - np.flatnonzero(change)[run]  # plain ones stand before inverted ones in a run
    n_plain = (n_all - n_inverted)[run]
    drop = np.where(flips, rank - n_plain < n_pairs[run], rank < n_pairs[run])
    groups_of_pairs = np.repeat(group[change], n_pairs)
    return signal[~drop], flips[~drop], group[~drop], groups_of_pairs


def _value(work: _Rebuild, old: int) -> Value:
    """An old value as a new one: copied, or put together from the net, inverters and constants as gates."""
    if old in work.values:
        return work.values[old]
    signals, inverted = _literals(work, old)
    constant = signals == 0
    anything = int(np.flatnonzero(work.holder >= 0)[0])
    source, index = _together(work, np.where(constant, anything, signals))
    if constant.any() or inverted.any():
        tables = np.where(constant, np.where(inverted, 0b11, 0b00), np.where(inverted, 0b01, 0b10))
        value = work.builder.lut(source, index[:, None], tables)
    elif len(index) == source.shape[0] and (index == np.arange(len(index))).all():
        value = source
    else:
        value = work.builder.gather(source, index)
    work.values[old] = value
    return value
