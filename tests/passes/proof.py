"""Equality of two Programs of logic, proved by a SAT solver for all inputs."""

import pytest

from bitwright.ir import Builder, Program, Value


def each_gate_a_score(program: Program) -> Program:
    """Outputs of the last layer one by one: a count a gate, so that equal scores mean equal bits."""
    last_layer = program.ops[-3]
    builder = Builder()
    builder.ops, builder.types = list(program.ops[:-2]), list(program.types[:-2])
    last = Value(len(builder.ops) - 1, builder.types[-1])
    return builder.finish(builder.count(last, [[g] for g in range(len(last_layer.consts["table"]))]))


def proved_equal(one: Program, other: Program) -> bool:
    """Programs of luts, concats, gathers and counts of at most one signal each, on equally many input bits."""
    solver_module = pytest.importorskip("pysat.solvers", reason="python-sat is not installed: pip install python-sat")
    n_inputs = one.types[0].shape[0]
    with solver_module.Solver(name="cadical153") as solver:
        fresh = iter(range(n_inputs + 1, 10_000_000))
        inputs, differing = list(range(1, n_inputs + 1)), []
        scores = (_scores(solver, program, inputs, fresh) for program in (one, other))
        for a, b in zip(*scores, strict=True):
            d = next(fresh)  # d -> a != b
            solver.add_clause([-d, a, b])
            solver.add_clause([-d, -a, -b])
            differing.append(d)
        solver.add_clause(differing)
        return not solver.solve()


def _scores(solver, program, inputs, fresh) -> list[int]:
    """One literal a score of a Program of luts, concats, gathers and counts of at most one signal each."""
    true = next(fresh)
    solver.add_clause([true])
    values = {0: inputs}
    for number, op in enumerate(program.ops):
        if op.name == "lut":
            values[number] = [
                _gate(solver, [values[op.inputs[0]][int(w)] for w in wires], int(table), next(fresh))
                for wires, table in zip(op.consts["wiring"], op.consts["table"], strict=True)
            ]
        elif op.name == "gather":
            values[number] = [values[op.inputs[0]][int(i)] for i in op.consts["index"]]
        elif op.name == "concat":
            values[number] = [literal for i in op.inputs for literal in values[i]]
        elif op.name == "count":
            start, signal, invert = op.consts["start"], op.consts["signal"], op.consts["invert"]
            scores = []
            for g, offset in enumerate(op.consts["offset"].tolist()):
                span = range(int(start[g]), int(start[g + 1]))
                assert len(span) <= 1
                literals = [values[op.inputs[0]][int(signal[i])] * (-1 if invert[i] else 1) for i in span]
                assert offset == 0 or not literals
                scores.append(literals[0] if literals else true * (1 if offset else -1))
            return scores
    raise AssertionError("no count")


def _gate(solver, inputs: list[int], table: int, out: int) -> int:
    k = len(inputs)
    for address in range(1 << k):
        differs = [-v if address >> (k - 1 - j) & 1 else v for j, v in enumerate(inputs)]
        solver.add_clause([*differs, out if table >> address & 1 else -out])
    return out
