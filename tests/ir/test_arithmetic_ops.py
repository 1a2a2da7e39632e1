import numpy as np
import pytest
from building import data_for, single
from oracle import check_program

from bitwright.ir import execute


@pytest.mark.parametrize("shape", [(6,), (6, 2, 3)])
def test_affine_with_signs_and_shifts(shape):
    mul, add, shift = [1, -1, 3, -7, 0, 1], [0, 1, -2, 5, -9, 100], [0, 1, 2, 3, 31, 5]
    program = single("int", shape, lambda b, x: b.affine(x, mul, add, shift), -40, 40)
    check_program(program, data_for(program, 30))


def test_division_is_floor_for_negatives():
    program = single("int", (1,), lambda b, x: b.affine(x, 1, 0, 1), -5, 5)
    x = np.arange(-5, 6)[:, None]
    assert execute(program, x)[-1][:, 0].tolist() == [-3, -2, -2, -1, -1, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("shape", [(4,), (4, 3, 1)])
def test_prelu_with_negative_slopes(shape):
    pos, neg, add, shift = [3, -2, 1, 0], [-3, 5, 0, -8], [0, 1, -1, 7], [0, 1, 2, 4]
    program = single("int", shape, lambda b, x: b.prelu(x, pos, neg, add, shift), -20, 20)
    check_program(program, data_for(program, 40))


def test_prelu_by_hand():
    program = single("int", (1,), lambda b, x: b.prelu(x, 2, -1, 1, 1), -3, 3)
    x = np.arange(-3, 4)[:, None]  # floor((3, 2, 1, 0, 2, 4, 6) + 1) / 2)
    assert execute(program, x)[-1][:, 0].tolist() == [2, 1, 1, 0, 1, 2, 3]


@pytest.mark.parametrize("lo, hi", [(-4, 3), (5, 5), (-100, 100), (20, 30), (-30, -20)])
def test_clip(lo, hi):
    program = single("int", (3, 2, 2), lambda b, x: b.clip(x, lo, hi))
    values = check_program(program, data_for(program, 20))
    assert (values[1] == np.clip(values[0], lo, hi)).all()


@pytest.mark.parametrize("shape", [(4,), (4, 2, 3)])
def test_add(shape):
    rng = np.random.default_rng(0)
    for constant in (rng.integers(-99, 99, 4), rng.integers(-99, 99, shape)):
        program = single("int", shape, lambda b, x, c=constant: b.add(x, c))
        check_program(program, data_for(program, 5))
    program = single("int", shape, lambda b, x: b.add(x, b.clip(x, -3, 3)))
    check_program(program, data_for(program, 5))
    program = single("int", shape, lambda b, x: b.add(x, x))
    check_program(program, data_for(program, 5))


@pytest.mark.parametrize("mode, zero", [("bits", 0), ("signs", -1)])
def test_to_int(mode, zero):
    program = single("bits", (2,), lambda b, x: b.to_int(x, mode))
    assert execute(program, np.array([[0, 1]], np.uint8))[-1].tolist() == [[zero, 1]]
    check_program(program, data_for(program, 4))


def test_scores_are_int32_where_the_range_allows():
    narrow = single("int", (1,), lambda b, x: b.affine(x, 1, 0, 0), -(1 << 31), (1 << 31) - 1)
    wide = single("int", (1,), lambda b, x: b.affine(x, 1, 1, 0), -(1 << 31), (1 << 31) - 1)
    x = np.array([[(1 << 31) - 1], [-(1 << 31)]])
    assert execute(narrow, x)[-1].dtype == np.int32 and execute(wide, x)[-1].dtype == np.int64
    assert execute(wide, x)[-1].tolist() == [[1 << 31], [1 - (1 << 31)]]


def test_lowest_class_wins_a_tie():
    program = single("int", (4,), lambda b, x: b.clip(x, -9, 9))
    x = np.array([[1, 5, 5, 2], [0, 0, 0, 0], [-9, -9, -8, -8]])
    assert program.predict(x, backend="interpreter").tolist() == [1, 0, 2]
