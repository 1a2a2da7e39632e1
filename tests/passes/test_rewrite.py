"""Rewritten Programs against the originals: on every input where there are few, by SAT where there are many."""

import sys

import numpy as np
import pytest
from passes.nets import all_inputs, random_net, random_tables
from passes.proof import each_gate_a_score, proved_equal

from bitwright.ir import Builder, Program, execute
from bitwright.passes import PASSES, n_gates, rewrite, simplify

AND, OR, XOR = 0b1000, 0b1110, 0b0110
needs_library = pytest.mark.usefixtures("library")


@pytest.fixture
def library():
    pytest.importorskip("aigverse", reason="aigverse is not installed: pip install 'bitwright[aig]'")


def same(program, other, x) -> bool:
    return bool((execute(program, x)[-1] == execute(other, x)[-1]).all())


def net(n_inputs: int, *layers, counts) -> Program:
    """Layers of (wiring, table), each reading inputs and all gates before it."""
    builder = Builder()
    x = builder.input("bits", (n_inputs,))
    for layer in layers:
        wiring, tables = zip(*layer, strict=True)
        x = builder.concat([x, builder.lut(x, np.array(wiring), np.array(tables))])
    return builder.finish(builder.count(x, counts))


@needs_library
@pytest.mark.parametrize("ks", [(2, 2, 2, 2), (2, 3), (4,), (1, 1, 2), (6, 2)])
@pytest.mark.parametrize("seed", range(2))
def test_every_input_gives_the_same_scores(ks, seed):
    program = random_net(seed, n_inputs=8, width=20, ks=ks)
    rewritten, report = rewrite(program)
    assert same(program, rewritten, all_inputs(8))
    assert report.gates_after == n_gates(rewritten) <= report.gates_before == n_gates(simplify(program)[0])


@needs_library
def test_what_only_rewriting_finds():
    a, b, c, d = range(4)
    # (a AND b) OR (a AND c) is a AND (b OR c); beside it d XOR c, which is one gate before and after
    program = net(
        4, [((a, b), AND), ((a, c), AND), ((d, c), XOR)], [((4, 5), OR)], counts=[[7, 7, 6], [6, 3]]
    )  # fmt: skip
    rewritten, report = rewrite(program)
    assert (report.gates_before, report.gates_after, n_gates(rewritten)) == (4, 3, 3)
    assert (report.ands_before, report.ands_after) == (6, 5)
    assert same(program, rewritten, all_inputs(4)) and "4 gates -> 3" in str(report)


@needs_library
def test_a_net_that_has_nothing_to_save_stays_as_it_is():
    wires = [[((0, 1), XOR)], [((2, 6), XOR)], [((3, 7), XOR)], [((4, 8), XOR)], [((5, 9), XOR)]]
    program = net(6, *wires, counts=[[10], [9]])
    rewritten, report = rewrite(program)
    assert rewritten.to_bytes() == simplify(program)[0].to_bytes() and "nothing saved" in str(report)


@needs_library
@pytest.mark.parametrize("seed", range(2))
def test_equivalence_is_proved_by_sat_on_forty_inputs(seed):
    single = each_gate_a_score(random_net(seed, n_inputs=40, width=120, ks=(2, 2, 2, 2)))
    rewritten, report = rewrite(single)
    assert report.gates_after < report.gates_before and proved_equal(single, rewritten)


@needs_library
@pytest.mark.parametrize("seed", range(2))
def test_nets_of_windows(seed):
    rng = np.random.default_rng(seed)
    builder = Builder()
    x = builder.input("bits", (2, 4, 3))
    taps = np.stack([rng.integers(0, n, 7) for n in (2, 3, 2)], 1)
    wiring = np.stack([rng.integers(0, 7 + m, 2) for m in range(25)])
    y = builder.lut_conv2d(x, taps, wiring, random_tables(rng, 25, 2), rng.integers(0, 32, 9), (3, 2), 1, 1, 1)
    y = builder.reshape(y, (9 * y.shape[1] * y.shape[2],))
    program = builder.finish(builder.count(y, [list(range(20)), list(range(20, 36))]))
    rewritten, _ = rewrite(program)
    x = rng.integers(0, 2, (300, 2, 4, 3)).astype(np.uint8)
    assert same(program, rewritten, x)


@needs_library
def test_logic_behind_numbers_and_readers_other_than_counts():
    rng = np.random.default_rng(3)
    builder = Builder()
    x = builder.input("bits", (8,))
    a = builder.lut(x, rng.integers(0, 8, (30, 2)), random_tables(rng, 30, 2))
    c = builder.lut(a, rng.integers(0, 30, (20, 2)), random_tables(rng, 20, 2))
    sums = builder.xnor_linear(c, rng.integers(0, 2, (6, 20)))
    bits = builder.threshold(sums, rng.integers(-3, 3, (6, 2)))  # a second stage of logic behind numbers
    late = builder.concat([bits, c])
    for width in (40, 30):
        late = builder.lut(late, rng.integers(0, late.shape[0], (width, 2)), random_tables(rng, width, 2))
    program = builder.finish(builder.count(late, [list(range(15)), list(range(15, 30))]))
    rewritten, report = rewrite(program)
    assert same(program, rewritten, all_inputs(8)) and report.gates_after < report.gates_before


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "aigverse", None)
    with pytest.raises(ModuleNotFoundError, match=r"rewrite: needs aigverse.*pip install 'bitwright\[aig\]'"):
        PASSES["rewrite"](random_net(0))
