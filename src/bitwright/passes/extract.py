"""The flat logic of a Program as one net: every `lut` on [S], with the gathers and concatenations between them."""

from dataclasses import dataclass, field

import numpy as np

from bitwright.ir import Program
from bitwright.passes.netlist import ABSENT, Netlist
from bitwright.passes.tables import N_INPUTS, from_program, with_input_inverted


@dataclass
class Flat:
    """signals[v]: the net's signals of value v, for every flat bits value the net knows; inverted[v] alike.

    inside: values the net computes. sources: values it reads, in order; stage[s]: for input signal s (from 1), the
    number of the value that brings it.
    """

    net: Netlist
    signals: dict[int, np.ndarray]
    inverted: dict[int, np.ndarray]
    inside: set[int] = field(default_factory=set)
    sources: list[int] = field(default_factory=list)
    stage: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))


def extract(program: Program) -> Flat | None:
    """The net, or None if the Program has no flat `lut`."""
    inside = {i for i, op in enumerate(program.ops) if op.name == "lut" and len(program.types[i].shape) == 1}
    if not inside:
        return None
    sources, inside = _sources(program, inside)
    signals: dict[int, np.ndarray] = {}
    inverted: dict[int, np.ndarray] = {}
    stages, n_inputs = [], 0
    for value in sources:
        n = program.types[value].shape[0]
        signals[value] = np.arange(1 + n_inputs, 1 + n_inputs + n, dtype=np.int32)
        inverted[value] = np.zeros(n, bool)
        stages.append(np.full(n, value, np.int32))
        n_inputs += n
        _known_thresholds(program, value, signals[value], inverted[value])
    wires, tables, n_gates = [np.empty((0, N_INPUTS), np.int32)], [np.empty(0, np.uint64)], 0
    for number in sorted(inside):
        op = program.ops[number]
        if op.name == "lut":
            read, flips = signals[op.inputs[0]], inverted[op.inputs[0]]
            gates = _gates(op, read, flips)
            wires.append(gates[0])
            tables.append(gates[1])
            first = 1 + n_inputs + n_gates
            n_gates += len(gates[1])
            signals[number] = np.arange(first, first + len(gates[1]), dtype=np.int32)
            inverted[number] = np.zeros(len(gates[1]), bool)
        elif op.name == "gather":
            index = op.consts["index"]
            signals[number], inverted[number] = signals[op.inputs[0]][index], inverted[op.inputs[0]][index]
        else:  # concat, or a reshape of [S] to [S]
            signals[number] = np.concatenate([signals[i] for i in op.inputs])
            inverted[number] = np.concatenate([inverted[i] for i in op.inputs])
    net = Netlist(n_inputs, np.concatenate(wires), np.concatenate(tables))
    stage = np.concatenate([np.zeros(1, np.int32), *stages])
    return Flat(net, signals, inverted, inside, sources, stage)


def _sources(program: Program, luts: set[int]) -> tuple[list[int], set[int]]:
    """Values the net reads from outside, and all operations inside it: luts and the moves that feed or follow them."""
    inside = set(luts)
    for number, op in enumerate(program.ops):
        flat = program.types[number].kind == "bits" and len(program.types[number].shape) == 1
        if flat and op.name in ("gather", "concat", "reshape") and all(_is_flat(program, i) for i in op.inputs):
            inside.add(number)
    read = {i for number in inside for i in program.ops[number].inputs}
    return sorted(read - inside), inside


def _is_flat(program: Program, value: int) -> bool:
    return program.types[value].kind == "bits" and len(program.types[value].shape) == 1


def _known_thresholds(program: Program, value: int, signals: np.ndarray, inverted: np.ndarray) -> None:
    """Threshold bits that the range of their input decides become constants."""
    op = program.ops[value]
    if op.name != "threshold" or program.types[op.inputs[0]].kind != "int":
        return
    type_ = program.types[op.inputs[0]]
    t, flip = op.consts["t"].reshape(-1), op.consts["flip"].astype(bool)
    always, never = t <= type_.lo, t > type_.hi
    signals[always | never] = 0
    inverted[:] = np.where(always, ~flip, np.where(never, flip, False))


def _gates(op, read: np.ndarray, flips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wiring, k = op.consts["wiring"].astype(np.int64), op.attrs["k"]
    wires = np.full((len(wiring), N_INPUTS), ABSENT, np.int32)
    wires[:, :k] = read[wiring]
    table = from_program(op.consts["table"], k)
    for j in range(k):
        table = np.where(flips[wiring[:, j]], with_input_inverted(table, j), table)
    return wires, table
