"""`rewrite`: fewer gates by rewriting an and-inverter graph, with the library aigverse (the extra `aig`).

A net of gates becomes a graph of two-input ANDs and inverters, which is rewritten cut by cut and window by window
until that saves nothing more. On the way back inverters are absorbed, and ANDs that together read two signals, such
as the three of an XOR, are one gate again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitwright.ir import Program
from bitwright.passes.extract import Flat, extract
from bitwright.passes.netlist import ABSENT, Netlist, Swept, without_dead
from bitwright.passes.rebuild import rebuild, when
from bitwright.passes.simplify import n_gates, reduce_flat, reduce_windows, simplify, without_superfluous
from bitwright.passes.tables import N_INPUTS

METHODS = ("aig_cut_rewriting", "aig_resubstitution", "sop_refactoring")
ROUNDS = 10  # at most; a round that saves nothing ends it
TWO_INPUTS = np.uint64(0x1111111111111111)  # times a table of two inputs: the same over six
Say = Callable[[str], None]


@dataclass
class RewriteReport:
    """Gates of the simplified Program and after rewriting (those of a `lut_conv2d` once), and the graphs' ANDs."""

    gates_before: int
    gates_after: int
    ands_before: int
    ands_after: int

    def __str__(self) -> str:
        kept = "" if self.gates_after < self.gates_before else "; nothing saved, the gates stay as they were"
        return (
            f"{self.gates_before:,} gates -> {self.gates_after:,} by rewriting (and-inverter graph "
            f"{self.ands_before:,} -> {self.ands_after:,}){kept}"
        )


def rewrite(program: Program, say: Say = lambda line: None) -> tuple[Program, RewriteReport]:
    """The same scores on every input from fewer gates, or the simplified Program where rewriting saves none.

    say: hears how far it is, a line each. Raises ModuleNotFoundError naming the extra where aigverse is not installed.
    """
    _library()
    program, _ = simplify(program)
    ands: list[tuple[int, int]] = []

    def reduce(net: Netlist, outputs: np.ndarray) -> Swept:
        plain = without_superfluous(net, outputs)
        graph, found = _rewritten(net, outputs, say)
        ands.append(graph)
        return found if found.net.n_gates < plain.net.n_gates else plain

    smaller, _ = reduce_windows(program, reduce)
    flat = extract(smaller)
    if flat is not None:
        swept = reduce_flat(smaller, flat, reduce)
        smaller = rebuild(smaller, flat, swept) if _in_time(flat, swept) else smaller
    smaller, _ = simplify(smaller)
    before, after = n_gates(program), n_gates(smaller)
    report = RewriteReport(before, min(before, after), sum(n for n, _ in ands), sum(n for _, n in ands))
    return (smaller if after < before else program), report


def _library() -> tuple[Any, Any]:
    try:
        from aigverse import algorithms, networks  # type: ignore[import-not-found]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"rewrite: needs {error.name}, which is not installed; pip install 'bitwright[aig]'", name=error.name
        ) from error
    return algorithms, networks


def _rewritten(net: Netlist, outputs: np.ndarray, say: Say) -> tuple[tuple[int, int], Swept]:
    """(ANDs of the graph before and after, the rewritten net and the literals in it of inputs and outputs)."""
    (algorithms, _), graph = _library(), _graph_of(net, outputs)
    n_before = n_ands = graph.num_gates
    for round_ in range(ROUNDS):
        for method in METHODS:
            graph = algorithms.cleanup_dangling(getattr(algorithms, method)(graph))
        say(f"rewriting, round {round_ + 1}: {n_ands:,} ANDs -> {graph.num_gates:,}")
        if graph.num_gates >= n_ands:
            break
        n_ands = graph.num_gates
    fresh, literals = _net_of(graph)
    signal, inverted = np.zeros(net.first_gate + net.n_gates, np.int32), np.zeros(net.first_gate + net.n_gates, bool)
    signal[: net.first_gate] = np.arange(net.first_gate)
    signal[outputs], inverted[outputs] = literals[:, 0], literals[:, 1]
    return (n_before, graph.num_gates), without_dead(Swept(fresh, signal, inverted), outputs)


def _graph_of(net: Netlist, outputs: np.ndarray) -> Any:
    """aigverse's graph of the net, an output for each of these signals, in order."""
    algorithms, networks = _library()
    graph = networks.Aig()
    signals = [graph.get_constant(False), *(graph.create_pi() for _ in range(net.n_inputs))]
    n_wires = (net.wires != ABSENT).sum(1).tolist()
    for wires, n, table in zip(net.wires.tolist(), n_wires, net.table.tolist(), strict=True):
        signals.append(_function(graph, table & (1 << (1 << n)) - 1, [signals[wire] for wire in wires[:n]]))
    for output in outputs.tolist():
        graph.create_po(signals[output])
    return algorithms.cleanup_dangling(graph)


def _function(graph: Any, table: int, inputs: list[Any]) -> Any:
    """The signal of a table, split at its last input; the graph knows constants and equal nodes."""
    if not inputs:
        return graph.get_constant(bool(table))
    *others, last = inputs
    half = 1 << len(others)
    at_0, at_1 = table & (1 << half) - 1, table >> half
    low, high, ones = _function(graph, at_0, others), _function(graph, at_1, others), (1 << half) - 1
    if at_0 == at_1:
        return low
    if at_0 ^ at_1 == ones:  # by name what needs one AND less than as a choice
        return graph.create_xor(last, low)
    if not at_0 or at_0 == ones:
        return graph.create_or(~last, high) if at_0 else graph.create_and(last, high)
    if not at_1 or at_1 == ones:
        return graph.create_or(last, low) if at_1 else graph.create_and(~last, low)
    return graph.create_ite(last, high, low)


def _net_of(graph: Any) -> tuple[Netlist, np.ndarray]:
    """The graph as a net, every AND a gate, and its outputs' literals, (outputs, 2). ANDs of ANDs that read the same
    two signals read these themselves; what they no longer need is dead."""
    inputs, gates = graph.pis(), graph.gates()
    number = {node: i for i, node in enumerate([graph.get_node(graph.get_constant(False)), *inputs, *gates])}

    def literal(signal: Any) -> tuple[int, int]:
        return number[graph.get_node(signal)], int(graph.is_complemented(signal))

    pairs: list[tuple[int, int]] = [(-1, 0)] * (1 + len(inputs))  # what a gate reads; sources read nothing
    tables = [0] * len(pairs)
    for node in gates:
        (first, not_first), (second, not_second) = sorted(map(literal, graph.fanins(node)))
        if pairs[first] == pairs[second] != (-1, 0):
            pairs.append(pairs[first])
            tables.append((tables[first] ^ 15 * not_first) & (tables[second] ^ 15 * not_second))
        else:
            pairs.append((first, second))
            tables.append(1 << (3 ^ (not_first | not_second << 1)))
    wires = np.full((len(gates), N_INPUTS), ABSENT, np.int32)
    wires[:, :2] = np.array(pairs[1 + len(inputs) :], np.int32).reshape(-1, 2)
    net = Netlist(len(inputs), wires, np.array(tables[1 + len(inputs) :], np.uint64) * TWO_INPUTS)
    return net, np.array([literal(signal) for signal in graph.pos()], np.int64).reshape(-1, 2)


def _in_time(flat: Flat, swept: Swept) -> bool:
    """Whether no signal waits for a source of the net that comes later than those it waited for."""
    whole = Swept(flat.net, swept.signal, swept.inverted)
    before, after = (np.concatenate([flat.stage, when(flat, net)[0]]) for net in (whole, swept))
    return bool((after[swept.signal] <= before).all())
