"""The straight-line C that logic inference is timed beside gives the same scores; nets that nothing is wasted in."""

import itertools
import shutil

import numpy as np
import pytest

from benchmarks.logic import rival
from benchmarks.logic.nets import TRUE_GATES, balanced_pairs, random_net, seconds_to_answer
from bitwright.ir import Builder, execute

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc: apt install gcc")


@needs_gcc
def test_the_rival_computes_the_programs_scores(monkeypatch):
    monkeypatch.setattr(rival, "STATEMENTS", 17)
    program = random_net(60, 3, n_pixels=70, seed=4, classes=5)
    b = Builder()
    x = b.threshold(b.input("int", (9,), 0, 255), np.arange(9)[:, None] * 31)
    x = b.lut(x, np.arange(32)[:, None] % 8 + np.array([0, 1]), np.arange(32) % 16)
    every = b.finish(b.count(x, [list(range(20)), list(range(20, 32))], None, [-3, 1000]))
    for net, kind in itertools.product((program, every), rival.KINDS):
        compiled = rival.Rival(net, kind)
        x = np.random.default_rng(0).integers(0, 256, (130, *net.input_type.shape), dtype=np.uint8)
        for n in (0, 1, 63, 64, 65, 130):
            assert np.array_equal(compiled(x[:n]), execute(net, x[:n])[-1])


def test_only_what_it_can_say():
    b = Builder()
    x = b.threshold(b.input("int", (4,), 0, 255), [[1], [2], [3], [4]], [0, 0, 0, 1])
    flipped = b.finish(b.count(b.lut(x, [[0, 1]], [6]), [[0]]))
    with pytest.raises(ValueError, match="no flips"):
        rival.c_source(flipped)


@pytest.mark.parametrize(("n_inputs", "n_gates"), [(7, 20), (784, 8000), (50, 30)])
def test_wiring_is_balanced_and_distinct(n_inputs, n_gates):
    pairs = balanced_pairs(np.random.default_rng(1), n_inputs, n_gates)
    read = np.bincount(pairs.reshape(-1), minlength=n_inputs)
    assert pairs.shape == (n_gates, 2) and (pairs[:, 0] != pairs[:, 1]).all() and read.max() - read.min() <= 1


def test_gates_depend_on_both_inputs():
    table = TRUE_GATES[:, None] >> np.arange(4) & 1
    assert len(TRUE_GATES) == 10
    assert (table[:, [0, 1]] != table[:, [2, 3]]).any(1).all() and (table[:, [0, 2]] != table[:, [1, 3]]).any(1).all()


def test_time_to_answer_is_a_time():
    assert 0 < seconds_to_answer(random_net(40, 1, 20, classes=4).to_bytes(), "interpreter", times=1) < 60
