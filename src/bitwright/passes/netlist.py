"""A net of logic gates, and its simplification: constants, wires, inverters, equal gates and dead gates, in one sweep.

Signals are numbered: 0 is the constant 0, then the inputs, then the gates in an order in which each reads earlier
signals only. A literal is a signal and a flag that inverts it; the constant 1 is the inverted signal 0.
"""

from dataclasses import dataclass, field

import numpy as np

from bitwright.passes.tables import N_INPUTS, cofactors, with_input_inverted, with_inputs_equal, with_inputs_swapped

ABSENT = np.iinfo(np.int32).max  # an input that a gate does not have; sorts last


@dataclass
class Netlist:
    """wires: int32 (G, 6) signals, ABSENT where a gate has fewer inputs; table: uint64 (G,) over six inputs
    (tables.py).
    """

    n_inputs: int
    wires: np.ndarray
    table: np.ndarray

    @property
    def first_gate(self) -> int:
        return 1 + self.n_inputs

    @property
    def n_gates(self) -> int:
        return len(self.table)


@dataclass
class Removed:
    """How many gates each reason removed."""

    constants: int = 0
    wires: int = 0
    merged: int = 0
    dead: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass
class Swept:
    """A simplified net, and for every old signal the literal that replaces it."""

    net: Netlist
    signal: np.ndarray  # int32 (old signals,)
    inverted: np.ndarray  # bool (old signals,)
    removed: Removed = field(default_factory=Removed)


def depths(net: Netlist, of_inputs: np.ndarray | None = None) -> np.ndarray:
    """int32 (signals,): 0 for constant and inputs (or `of_inputs`), one more than its deepest input for a gate."""
    depth = np.zeros(net.first_gate + net.n_gates, np.int32)
    if of_inputs is not None:
        depth[1 : net.first_gate] = of_inputs
    pending = np.arange(net.n_gates)
    padded = np.where(net.wires == ABSENT, 0, net.wires)
    while len(pending):  # each round settles a gate once all its inputs stopped moving; at most depth rounds
        new = depth[padded[pending]].max(axis=1) + 1
        moved = new != depth[net.first_gate + pending]
        if not moved.any():
            break
        depth[net.first_gate + pending] = new
    return depth


def sweep(net: Netlist) -> Swept:
    """Fold constants, absorb wires and inverters, and merge equal and complementary gates, level by level."""
    n_signals = net.first_gate + net.n_gates
    signal, inverted = np.arange(n_signals, dtype=np.int32), np.zeros(n_signals, bool)
    depth = depths(net)[net.first_gate :]
    order = np.argsort(depth, kind="stable")
    levels = np.split(order, np.flatnonzero(np.diff(depth[order])) + 1) if len(order) else []
    removed, known = Removed(), {}
    wires_out, tables_out, next_signal = [], [], net.first_gate
    for gates in levels:
        wires, table = _canonical(net.wires[gates], net.table[gates], signal, inverted)
        n_essential = (wires != ABSENT).sum(1)
        flipped = (table & np.uint64(1)).astype(bool)  # every kept gate gives 0 at address 0
        table = np.where(flipped, ~table, table)
        old = net.first_gate + gates
        constant, wire, gate = n_essential == 0, n_essential == 1, n_essential > 1
        signal[old] = np.where(constant, 0, np.where(wire, wires[:, 0], -1))
        inverted[old] = flipped
        keys = np.ascontiguousarray(np.concatenate([wires.view(np.uint32), table[:, None].view(np.uint32)], axis=1))
        rows = keys.view(np.dtype((np.void, keys.dtype.itemsize * keys.shape[1]))).reshape(-1)
        fresh = []
        for place in np.flatnonzero(gate):
            key = rows[place].tobytes()
            number = known.get(key)
            if number is None:
                number = known[key] = next_signal + len(fresh)
                fresh.append(place)
            signal[old[place]] = number
        wires_out.append(wires[fresh])
        tables_out.append(table[fresh])
        next_signal += len(fresh)
        removed += Removed(int(constant.sum()), int(wire.sum()), int(gate.sum()) - len(fresh))
    empty = np.empty((0, N_INPUTS), np.int32)
    swept = Netlist(
        net.n_inputs, np.concatenate([empty, *wires_out]), np.concatenate([np.empty(0, np.uint64), *tables_out])
    )
    return Swept(swept, signal, inverted, removed)


def _canonical(
    wires: np.ndarray, table: np.ndarray, signal: np.ndarray, inverted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs replaced by their literals and folded into the table; what matters sorted by signal, the rest ABSENT."""
    wires, present = wires.copy(), wires != ABSENT
    safe = np.where(present, wires, 0)
    inverts = inverted[safe] & present
    wires = np.where(present, signal[safe], ABSENT)
    n_used = int(present.sum(1).max(initial=0))
    for j in range(n_used):
        table = np.where(inverts[:, j], with_input_inverted(table, j), table)
        at_0, _ = cofactors(table, j)
        table = np.where(wires[:, j] == 0, at_0, table)  # the constant's own inversion is folded already
    for i in range(n_used):
        for j in range(i + 1, n_used):
            same = (wires[:, i] == wires[:, j]) & (wires[:, i] != ABSENT)
            table = np.where(same, with_inputs_equal(table, i, j), table)
    for j in range(n_used):
        at_0, at_1 = cofactors(table, j)
        wires[:, j] = np.where(at_0 == at_1, ABSENT, wires[:, j])
    for end in range(n_used - 1, 0, -1):
        for i in range(end):
            swap = wires[:, i] > wires[:, i + 1]
            table = np.where(swap, with_inputs_swapped(table, i, i + 1), table)
            wires[swap, i], wires[swap, i + 1] = wires[swap, i + 1], wires[swap, i]
    return wires, table


def with_polarity(swept: Swept, signals: np.ndarray, inverted: np.ndarray) -> Swept:
    """Gates that are read from outside as complements only (literals `signals`, `inverted`) give the complement
    themselves.
    """
    net, first = swept.net, swept.net.first_gate
    flip = np.zeros(first + net.n_gates, bool)
    flip[signals[inverted]] = True
    flip[signals[~inverted]] = False
    flip[:first] = False
    table = np.where(flip[first:], ~net.table, net.table)
    padded = np.where(net.wires == ABSENT, 0, net.wires)
    for j in range(N_INPUTS):
        table = np.where(flip[padded[:, j]], with_input_inverted(table, j), table)
    turned = Netlist(net.n_inputs, net.wires, table)
    return Swept(turned, swept.signal, swept.inverted ^ flip[swept.signal], swept.removed)


def without_dead(swept: Swept, outputs: np.ndarray) -> Swept:
    """Drop the gates that no output needs. outputs: old signals that are read from outside."""
    net = swept.net
    alive = np.zeros(net.first_gate + net.n_gates, bool)
    alive[: net.first_gate] = True
    alive[swept.signal[outputs]] = True
    depth = depths(net)
    for level in range(int(depth.max(initial=0)), 0, -1):
        gates = np.flatnonzero(alive & (depth == level)) - net.first_gate
        wires = net.wires[gates]
        alive[wires[wires != ABSENT]] = True
    number = np.cumsum(alive, dtype=np.int32) - 1
    keep = alive[net.first_gate :]
    wires = net.wires[keep]
    wires = np.where(wires == ABSENT, ABSENT, number[np.where(wires == ABSENT, 0, wires)])
    pruned = Netlist(net.n_inputs, wires.astype(np.int32), net.table[keep])
    signal = np.where(alive[swept.signal], number[swept.signal], 0)
    return Swept(pruned, signal.astype(np.int32), swept.inverted, swept.removed + Removed(dead=int((~keep).sum())))
