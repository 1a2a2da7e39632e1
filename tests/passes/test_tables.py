"""Operations on whole tables, against looking up every address one by one."""

import numpy as np
import pytest

from bitwright.passes import tables


def look_up(table: np.uint64, inputs: list[int]) -> int:
    """Input j is bit j of the address."""
    return int(table) >> sum(bit << j for j, bit in enumerate(inputs)) & 1


ADDRESSES = [[a >> j & 1 for j in range(6)] for a in range(64)]
TABLES = np.random.default_rng(0).integers(0, 1 << 64, 5, dtype=np.uint64)


@pytest.mark.parametrize("j", range(6))
def test_cofactors_and_inversion(j):
    at_0, at_1, inverted = *tables.cofactors(TABLES, j), tables.with_input_inverted(TABLES, j)
    for g, table in enumerate(TABLES):
        for inputs in ADDRESSES:
            held = [[*inputs[:j], bit, *inputs[j + 1 :]] for bit in (0, 1)]
            assert look_up(at_0[g], inputs) == look_up(table, held[0])
            assert look_up(at_1[g], inputs) == look_up(table, held[1])
            assert look_up(inverted[g], inputs) == look_up(table, held[1 - inputs[j]])


@pytest.mark.parametrize("i, j", [(i, j) for i in range(6) for j in range(i + 1, 6)])
def test_equal_and_swapped_inputs(i, j):
    equal, swapped = tables.with_inputs_equal(TABLES, i, j), tables.with_inputs_swapped(TABLES, i, j)
    for g, table in enumerate(TABLES):
        for inputs in ADDRESSES:
            copied, exchanged = list(inputs), list(inputs)
            copied[j] = inputs[i]
            exchanged[i], exchanged[j] = inputs[j], inputs[i]
            assert look_up(equal[g], inputs) == look_up(table, copied)
            assert look_up(swapped[g], inputs) == look_up(table, exchanged)


@pytest.mark.parametrize("k", range(1, 7))
def test_program_tables_go_there_and_back(k):
    theirs = np.random.default_rng(k).integers(0, 1 << min(1 << k, 63), 20, dtype=np.uint64)
    inside = tables.from_program(theirs, k)
    assert (tables.to_program(inside, k) == theirs).all()
    for g in range(20):
        for inputs in ADDRESSES:  # docs/program.md: the first input is the most significant
            address = sum(bit << (k - 1 - j) for j, bit in enumerate(inputs[:k]))
            assert look_up(inside[g], inputs) == int(theirs[g]) >> address & 1
