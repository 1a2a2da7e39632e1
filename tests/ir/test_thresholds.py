import numpy as np
import pytest
from building import data_for, single
from oracle import check_program

from bitwright.ir import execute

INF = float("inf")


@pytest.mark.parametrize("shape", [(5,), (5, 3, 2)])
@pytest.mark.parametrize("n_thresholds", [1, 3])
def test_integers(shape, n_thresholds):
    rng = np.random.default_rng(n_thresholds)
    t = rng.integers(-9, 10, (5, n_thresholds))
    flip = rng.integers(0, 2, 5 * n_thresholds)
    program = single("int", shape, lambda b, x: b.threshold(x, t, flip))
    check_program(program, data_for(program, 7))


def test_equality_meets_the_threshold_and_flip_negates():
    program = single("int", (2,), lambda b, x: b.threshold(x, [[3], [3]], [0, 1]), 0, 9)
    x = np.array([[2, 2], [3, 3], [4, 4]])
    assert execute(program, x)[-1].tolist() == [[0, 1], [1, 0], [1, 0]]


def test_floats_with_infinities_and_both_zeros():
    values = np.array([-INF, -1.5, -0.0, 0.0, 1e-45, 1.5, INF], np.float32)
    limits = np.array([-INF, -0.0, 0.0, 1e-45, 1.5, INF], np.float32)
    program = single("float", (1,), lambda b, x: b.threshold(x, limits[None]))
    got = execute(program, values[:, None])[-1]
    by_hand = {  # how many of the limits each value meets
        -INF: 1, -1.5: 1, 0.0: 3, 1.5: 5, INF: 6, float(np.float32(1e-45)): 4,
    }  # fmt: skip
    assert got.sum(axis=1).tolist() == [by_hand[float(v)] for v in values]
    assert (got[2] == got[3]).all()  # -0.0 and +0.0
    assert got[:, 0].all() and got[:, -1].tolist() == [0] * 6 + [1]


@pytest.mark.parametrize("limit", [0.1, -0.1, 0.3, 1e300, -1e300, 1e-60, 16777217.0])
def test_a_double_threshold_keeps_its_exact_meaning(limit):
    near = np.float32(limit) if abs(limit) < 1e38 else np.float32(np.sign(limit) * 3.4e38)
    x = np.array(
        [near, np.nextafter(near, np.float32(INF)), np.nextafter(near, np.float32(-INF)), INF, -INF], np.float32
    )
    program = single("float", (1,), lambda b, v: b.threshold(v, np.array([[limit]])))
    assert execute(program, x[:, None])[-1][:, 0].tolist() == [int(float(v) >= limit) for v in x]


@pytest.mark.parametrize("kind", ["int", "float"])
def test_digitize(kind):
    rng = np.random.default_rng(3)
    t = np.sort(rng.integers(-9, 10, (4, 6)), axis=1).astype(np.float32 if kind == "float" else np.int64)
    program = single(kind, (4, 2, 3), lambda b, x: b.digitize(x, t))
    values = check_program(program, data_for(program, 9))
    assert program.types[1].lo == 0 and program.types[1].hi == 6
    plain = np.stack([np.searchsorted(t[c], values[0][:, c], side="right") for c in range(4)], axis=1)
    assert (values[1] == plain).all()


def test_digitize_with_infinities():
    t = np.array([[-INF, 0.0, INF]], np.float32)
    program = single("float", (1,), lambda b, x: b.digitize(x, t))
    x = np.array([[-INF], [-1.0], [-0.0], [INF]], np.float32)
    assert execute(program, x)[-1][:, 0].tolist() == [1, 1, 2, 3]
