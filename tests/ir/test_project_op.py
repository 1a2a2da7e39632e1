import numpy as np
import pytest
from building import data_for, single
from oracle import check_program, generator_entry, hadamard_matrix

from bitwright.ir import Builder, ProgramError, execute


@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
@pytest.mark.parametrize("source, shape", [("bits", (7,)), ("bits", (65,)), ("int", (64,)), ("int", (3, 2, 2))])
@pytest.mark.parametrize("with_t", [False, True])
def test_generated_matrix(kind, source, shape, with_t):
    t = np.random.default_rng(2).integers(-50, 50, 11) if with_t else None
    program = single(source, shape, lambda b, x: b.project(x, 11, kind, seed=(1 << 63) + 12345, layer=3, t=t), -99, 99)
    values = check_program(program, data_for(program, 6))
    assert 0 < values[1].mean() < 1


@pytest.mark.parametrize("p, n_out", [(1, 3), (2, 2), (5, 8), (8, 20), (9, 33)])
@pytest.mark.parametrize("rounds, shift", [(1, 0), (2, 2), (3, 1)])
@pytest.mark.parametrize("source", ["bits", "int"])
def test_hadamard(p, n_out, rounds, shift, source):
    t = np.arange(n_out) - n_out // 2
    program = single(
        source, (p,), lambda b, x: b.project(x, n_out, "hadamard", 7, layer=1, rounds=rounds, shift=shift, t=t)
    )
    check_program(program, data_for(program, 6))


def test_hadamard_at_every_position():
    program = single("int", (3, 2, 2), lambda b, x: b.project(x, 6, "hadamard", 9, rounds=2, shift=3))
    check_program(program, data_for(program, 4))


@pytest.mark.parametrize("q", [1, 2, 4, 16])
def test_explicit_matrix_is_the_recursion_of_the_page(q):
    matrix = np.array([[1]])
    while len(matrix) < q:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    assert (matrix == np.array(hadamard_matrix(q))).all()


def test_a_tall_matrix_is_made_in_parts():
    p, n_out = 700, 7000  # more than 2^22 entries
    program = single("bits", (p,), lambda b, x: b.project(x, n_out, "rademacher", seed=1))
    x = data_for(program, 2)
    got = execute(program, x, keep=True)[1]
    signs = 2 * x.astype(int) - 1
    for n in (0, 5990, 5991, 5992, 6999):  # around the seam
        row = [generator_entry(0, 1, 0, n, j, p) for j in range(p)]
        assert (got[:, n] == (signs @ row >= 0)).all()


def test_sums_that_could_leave_2_to_the_62_are_rejected():
    b = Builder()
    x = b.input("int", (1 << 14,), -(1 << 31), (1 << 31) - 1)
    b.project(x, 2, "hadamard", 1, rounds=2, shift=0)  # 2^31 * 2^14 * 2^14 = 2^59
    with pytest.raises(ProgramError, match=r"beyond 2\^62; scale"):
        b.project(x, 2, "hadamard", 1, rounds=3, shift=0)
    b.project(x, 2, "hadamard", 1, rounds=3, shift=11)


@pytest.mark.parametrize("width, shift, fits", [(56, 0, True), (57, 0, False), (57, 1, True), (58, 1, False)])
def test_the_bound_of_two_rounds_is_exact(width, shift, fits):
    """2^width, times 8, down by the shift, times 8 again: 2^62 just fits."""
    b = Builder()
    x = b.affine(b.input("int", (8,), -1, 1), 1 << 30, 0, 0)
    x = b.affine(x, 1 << width - 30, 0, 0)
    if fits:
        b.project(x, 2, "hadamard", 1, rounds=2, shift=shift)
    else:
        with pytest.raises(ProgramError, match=r"beyond 2\^62"):
            b.project(x, 2, "hadamard", 1, rounds=2, shift=shift)
