"""Simplified Programs against the originals: on every input where there are few, by SAT where there are many."""

import numpy as np
import pytest
from passes.nets import all_inputs, random_net, random_tables
from passes.proof import each_gate_a_score, proved_equal

from bitwright.ir import Builder, execute
from bitwright.passes import n_gates, simplify


def same(program, simplified, x) -> bool:
    return bool((execute(program, x)[-1] == execute(simplified, x)[-1]).all())


@pytest.mark.parametrize("ks", [(2, 2, 2, 2), (2, 3, 4), (6, 5), (1, 1, 2), (4,)])
@pytest.mark.parametrize("seed", range(6))
def test_every_input_gives_the_same_scores(ks, seed):
    program = random_net(seed, ks=ks)
    simplified, report = simplify(program)
    assert same(program, simplified, all_inputs(10))
    assert report.gates_before == n_gates(program) and report.gates_after == n_gates(simplified)
    gone = report.removed
    assert report.gates_before - report.gates_after == gone.constants + gone.wires + gone.merged + gone.dead


@pytest.mark.parametrize("seed", range(4))
def test_a_second_time_finds_nothing(seed):
    once, _ = simplify(random_net(seed))
    twice, report = simplify(once)
    assert n_gates(twice) == n_gates(once) and vars(report.removed) == dict(constants=0, wires=0, merged=0, dead=0)


def test_each_reason_by_hand():
    builder = Builder()
    x = builder.input("bits", (3,))
    # AND; the same AND with inputs exchanged; NAND; constant 1; wire a; NOT b; a AND NOT a (constant); OR, never read
    wiring = [[0, 1], [1, 0], [0, 1], [0, 1], [0, 2], [2, 1], [0, 0], [1, 2]]
    table = [0b1000, 0b1000, 0b0111, 0b1111, 0b1100, 0b0101, 0b0100, 0b1110]
    y = builder.lut(x, np.array(wiring), np.array(table))
    program = builder.finish(builder.count(y, [[0, 1, 2], [3, 4, 5, 6]]))
    simplified, report = simplify(program)
    assert vars(report.removed) == dict(constants=2, wires=2, merged=2, dead=1)
    assert n_gates(simplified) == 1  # the one AND; the NAND beside it is counted by a flag
    assert same(program, simplified, all_inputs(3))


def test_a_signal_and_its_complement_in_one_group_are_one():
    builder = Builder()
    x = builder.input("bits", (2,))
    program = builder.finish(builder.count(builder.lut(x, np.array([[0, 1]]), np.array([6])), [[0, 0, 0]], [[0, 1, 1]]))
    simplified, _ = simplify(program)
    count = simplified.ops[-2]
    assert len(count.consts["signal"]) == 1 and count.consts["offset"].tolist() == [1]
    assert same(program, simplified, all_inputs(2))


def test_nothing_but_constants():
    builder = Builder()
    x = builder.input("bits", (2,))
    y = builder.lut(x, np.array([[0, 1], [1, 0]]), np.array([0b1111, 0b0000]))
    program = builder.finish(builder.count(y, [[0, 0, 1], [1]]))
    simplified, _ = simplify(program)
    assert n_gates(simplified) == 0 and same(program, simplified, all_inputs(2))


def test_moves_inside_the_net_and_readers_other_than_counts():
    rng = np.random.default_rng(3)
    builder = Builder()
    x = builder.input("bits", (8,))
    a = builder.lut(x, rng.integers(0, 8, (12, 2)), random_tables(rng, 12, 2))
    b = builder.concat([builder.gather(a, rng.integers(0, 12, 9)), x])
    c = builder.reshape(builder.lut(b, rng.integers(0, 17, (10, 3)), random_tables(rng, 10, 3)), (10,))
    sums = builder.xnor_linear(c, rng.integers(0, 2, (6, 10)))
    ints = builder.add(sums, builder.gather(builder.to_int(a, "signs"), np.arange(6)))
    bits = builder.threshold(ints, rng.integers(-3, 3, (6, 2)))  # a second stage of logic behind numbers
    late = builder.lut(builder.concat([bits, c]), rng.integers(0, 22, (9, 2)), random_tables(rng, 9, 2))
    program = builder.finish(builder.count(late, [[0, 1, 2, 3], [4, 5, 6, 7, 8]]))
    simplified, report = simplify(program)
    assert same(program, simplified, all_inputs(8))
    assert report.gates_before == 31


def test_thresholds_that_the_range_decides_become_constants():
    builder = Builder()
    x = builder.input("int", (2,), 0, 15)
    bits = builder.threshold(x, np.array([[0, 16], [7, 99]]), np.array([1, 0, 0, 1]))  # 0, 0, x >= 7, 1
    y = builder.lut(bits, np.array([[0, 2], [3, 2], [1, 2]]), np.array([0b1110, 0b1000, 0b1000]))
    program = builder.finish(builder.count(y, [[0, 1], [2]]))
    simplified, _ = simplify(program)
    assert n_gates(simplified) == 0
    x = np.stack(np.meshgrid(np.arange(16), np.arange(16)), -1).reshape(-1, 2).astype(np.uint8)
    assert same(program, simplified, x)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 2, 4])
def test_window_nets(seed, k):
    rng = np.random.default_rng(seed)
    builder = Builder()
    x = builder.input("bits", (2, 4, 3))
    taps = np.stack([rng.integers(0, n, 7) for n in (2, 3, 2)], 1)
    wiring = np.stack([rng.integers(0, 7 + m, k) for m in range(15)])
    y = builder.lut_conv2d(x, taps, wiring, random_tables(rng, 15, k), rng.integers(0, 22, 9), (3, 2), 1, 1, 1)
    y = builder.reshape(builder.max_pool2d(y, 2), (9 * 2 * 2,))
    program = builder.finish(builder.count(y, [list(range(20)), list(range(20, 36))]))
    simplified, _ = simplify(program)
    x = rng.integers(0, 2, (300, 2, 4, 3)).astype(np.uint8)
    assert same(program, simplified, x) and n_gates(simplified) <= n_gates(program)


def test_programs_without_logic_stay_as_they_are():
    builder = Builder()
    x = builder.input("bits", (5,))
    program = builder.finish(builder.xnor_linear(x, np.ones((2, 5), np.uint8)))
    simplified, report = simplify(program)
    assert simplified.to_bytes() == program.to_bytes() and report.gates_before == 0


@pytest.mark.parametrize("seed", range(3))
def test_equivalence_is_proved_by_sat_on_forty_inputs(seed):
    single = each_gate_a_score(random_net(seed, n_inputs=40, width=60, ks=(2, 2, 2)))
    assert proved_equal(single, simplify(single)[0])
