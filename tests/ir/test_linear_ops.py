import numpy as np
import pytest
from building import data_for, single
from oracle import check_program

from bitwright.ir import execute


@pytest.mark.parametrize("n_bits", [1, 63, 64, 65, 127, 200])
@pytest.mark.parametrize("accumulator", ["int32", "wrap8", "wrap8_half"])
def test_xnor_linear(n_bits, accumulator):
    w = np.random.default_rng(n_bits).integers(0, 2, (3, n_bits))
    program = single("bits", (n_bits,), lambda b, x: b.xnor_linear(x, w, accumulator))
    values = check_program(program, data_for(program, 4))
    if accumulator == "int32":
        assert (values[1] == (2.0 * values[0] - 1) @ (2 * w - 1).T).all()


@pytest.mark.parametrize("accumulator, half", [("wrap8", 1), ("wrap8_half", 2)])
def test_every_sum_wraps_like_an_int8_register(accumulator, half):
    """Sums -600 .. 600: an int8 cast is the wrap of the machine."""
    n_bits = 600
    x = np.tril(np.ones((n_bits + 1, n_bits), np.uint8), -1)  # 0, 1, ... n_bits ones
    both = np.concatenate([x, x[:, ::-1]], axis=0)
    for odd in (0, 1):
        w = np.ones((1, n_bits + odd), np.uint8)
        program = single("bits", (n_bits + odd,), lambda b, v, w=w: b.xnor_linear(v, w, accumulator))
        bits = np.pad(both, ((0, 0), (0, odd)))
        sums = (2 * bits.astype(int) - 1).sum(axis=1)
        assert (execute(program, bits)[-1][:, 0] == (sums // half).astype(np.int8)).all()


RANGES = {"bit": (0, 1), "i4": (-8, 7), "i8": (-128, 127), "i16": (-32768, 32767)}


@pytest.mark.parametrize(
    "kind, dtype", [("int", "bit"), *((kind, dtype) for kind in ("bits", "int") for dtype in ("i4", "i8", "i16"))]
)
def test_int_linear(kind, dtype):
    lo, hi = RANGES[dtype]
    w = np.random.default_rng(1).integers(lo, hi, (4, 19), endpoint=True)
    w[0, :2] = lo, hi
    program = single(kind, (19,), lambda b, x: b.int_linear(x, w, dtype), -300, 255)
    check_program(program, data_for(program, 5))


def test_sums_beyond_2_to_the_53_are_exact():
    lo, hi = -(1 << 31), (1 << 31) - 1
    w = np.tile(np.array([[32767, -32768]]), (3, 200))
    w[1, 0], w[2, ::2] = 1, -32767
    program = single("int", (400,), lambda b, x: b.int_linear(x, w, "i16"), lo, hi)
    x = data_for(program, 3)
    x[0, ::2], x[0, 1::2] = hi, lo
    values = check_program(program, x)
    assert abs(int(values[1][0, 0])) > 1 << 53


def test_float32_is_left_before_it_rounds():
    """2^24 + 1 is no float32: a sum just beyond it must take the wider way."""
    w = np.ones((1, 3), int)
    program = single("int", (3,), lambda b, x: b.int_linear(x, w, "i4"), 0, 1 << 24)
    assert execute(program, np.array([[1 << 24, 1, 0]]))[-1].tolist() == [[(1 << 24) + 1]]


def test_count_with_unequal_groups_repeats_and_offsets():
    groups = [[0, 1, 1, 1], [], [7], [2, 3, 4, 5, 6, 7]]
    invert = [[0, 1, 1, 0], [], [1], [0, 0, 1, 1, 0, 1]]
    program = single("bits", (8,), lambda b, x: b.count(x, groups, invert, [-5, 7, 0, 1000]))
    values = check_program(program, data_for(program, 50))
    assert (program.types[1].lo, program.types[1].hi) == (-5, 1006)
    assert (values[1][:, 1] == 7).all()


def test_count_without_invert_or_offset_counts_ones():
    program = single("bits", (5,), lambda b, x: b.count(x, [[0, 1, 2], [3, 4]]))
    x = data_for(program, 20)
    assert (execute(program, x)[-1] == np.stack([x[:, :3].sum(1), x[:, 3:].sum(1)], 1)).all()
