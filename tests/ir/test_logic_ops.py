from itertools import product

import numpy as np
import pytest
from building import data_for, single
from oracle import check_program

from bitwright.ir import execute


@pytest.mark.parametrize("k", range(1, 7))
def test_every_entry_of_a_table(k):
    """All 2^k inputs: the number read most significant first picks the bit."""
    n_tables = 4 if k == 1 else 40
    rng = np.random.default_rng(k)
    tables = np.arange(4) if k == 1 else rng.integers(0, 1 << (1 << k), n_tables, dtype=np.uint64, endpoint=False) \
        if k < 6 else rng.integers(0, (1 << 64) - 1, n_tables, dtype=np.uint64, endpoint=True)  # fmt: skip
    wiring = np.tile(np.arange(k), (n_tables, 1))
    program = single("bits", (k,), lambda b, x: b.lut(x, wiring, tables))
    x = np.array(list(product((0, 1), repeat=k)), np.uint8)
    got = execute(program, x, keep=True)[1]
    for address in range(1 << k):
        assert got[address].tolist() == [int(table) >> address & 1 for table in tables]


def test_two_input_tables_have_the_names_everybody_knows():
    wiring = [[0, 1]] * 4
    program = single("bits", (2,), lambda b, x: b.lut(x, wiring, [0b1000, 0b1110, 0b0110, 0b1100]))
    x = np.array(list(product((0, 1), repeat=2)), np.uint8)
    a, b = x.T
    assert (execute(program, x)[-1] == np.stack([a & b, a | b, a ^ b, a], 1)).all()


@pytest.mark.parametrize("shape", [(9,), (9, 2, 3)])
@pytest.mark.parametrize("k", [1, 2, 4, 6])
def test_lut_with_repeated_signals(shape, k):
    rng = np.random.default_rng(k)
    wiring = rng.integers(0, 9, (20, k))
    wiring[0] = wiring[0, 0]
    table = rng.integers(0, 1 << (1 << k) if k < 6 else 1 << 63, 20, dtype=np.uint64)
    program = single("bits", shape, lambda b, x: b.lut(x, wiring, table))
    check_program(program, data_for(program, 6))


@pytest.mark.parametrize("k, pad_value", [(1, 0), (2, 1), (3, 0), (6, 1)])
@pytest.mark.parametrize("padding, stride", [((0, 0, 0, 0), (1, 1)), ((1, 2, 0, 3), (2, 1)), ((3, 0, 4, 0), (1, 3))])
def test_lut_conv2d(k, pad_value, padding, stride):
    rng = np.random.default_rng(k)
    kernel, n_taps, n_tables = (3, 2), 7, 9
    taps = np.stack([rng.integers(0, size, n_taps) for size in (2, *kernel)], axis=1)
    wiring = np.stack([rng.integers(0, n_taps + m, k) for m in range(n_tables)])
    table = rng.integers(0, 1 << (1 << k) if k < 6 else 1 << 63, n_tables, dtype=np.uint64)
    outputs = [n_taps + n_tables - 1, 0, n_taps, n_taps + 4, n_taps + 4]
    program = single(
        "bits",
        (2, 5, 4),
        lambda b, x: b.lut_conv2d(x, taps, wiring, table, outputs, kernel, stride, padding, pad_value),
    )
    check_program(program, data_for(program, 5))
