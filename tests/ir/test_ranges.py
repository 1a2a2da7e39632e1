"""Derived ranges hold for every value and every step on the way to it, and are no wider than they must be."""

import numpy as np
from building import closed, data_for
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import check_program

from bitwright.ir import Builder, ProgramError, execute

BOUND = 1 << 62
I32 = st.integers(-(1 << 31), (1 << 31) - 1)
FAST = settings(max_examples=60, deadline=None, derandomize=True)


def ends(draw, numbers=I32):
    a, b = draw(numbers), draw(numbers)
    return min(a, b), max(a, b)


def built(lo, hi, shape, add):
    """(Program, its operation 1, None), or (None, None, the error) where it is rejected."""
    b = Builder()
    x = b.input("int", shape, lo, hi)
    try:
        return closed(b, add(b, x)), None
    except ProgramError as error:
        return None, str(error)


def corners(program, batch, seed):
    """Inputs at the ends of the range, around 0, and in between."""
    type_ = program.input_type
    x = data_for(program, batch, seed)
    x[0], x[1] = type_.lo, type_.hi
    for i, value in enumerate((-1, 0, 1)):
        x[2 + i] = min(max(value, type_.lo), type_.hi)
    return x


def holds(program, x):
    values = check_program(program, x)  # Python's integers: an overflow inside would differ
    for value, type_ in zip(values, program.types, strict=True):
        if type_.kind == "int":
            assert type_.lo <= value.min() and value.max() <= type_.hi, type_
    return values


@FAST
@given(st.data())
def test_affine_and_prelu(data):
    lo, hi = ends(data.draw)
    slope = st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-9, 9)
    mul, neg = data.draw(slope), data.draw(slope)
    add, shift = data.draw(st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-99, 99)), data.draw(st.integers(0, 31))
    prelu = data.draw(st.booleans())
    program, error = built(
        lo, hi, (1,), lambda b, x: b.prelu(x, mul, neg, add, shift) if prelu else b.affine(x, mul, add, shift)
    )
    points = [lo, hi, *(v for v in (-1, 0) if lo <= v <= hi)]
    products = [v * (mul if v >= 0 or not prelu else neg) for v in points]
    steps = products + [p + add for p in products]
    if max(map(abs, steps)) > BOUND:
        assert program is None and "beyond 2^62" in error
        return
    assert error is None
    values = holds(program, corners(program, 9, 1))
    assert {program.types[1].lo, program.types[1].hi} <= set(values[1][:, 0].tolist())  # both ends are reached


@FAST
@given(st.data())
def test_weighted_sums(data):
    lo, hi = ends(data.draw)
    dtype, low, high = data.draw(
        st.sampled_from([("bit", 0, 1), ("i4", -8, 7), ("i8", -128, 127), ("i16", -32768, 32767)])
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    w = rng.integers(low, high, (3, data.draw(st.integers(1, 12))), endpoint=True)
    program, error = built(lo, hi, w.shape[1:], lambda b, x: b.int_linear(x, w, dtype))
    assert error is None
    signed = 2 * w - 1 if dtype == "bit" else w
    worst = np.concatenate([np.where(signed > 0, hi, lo), np.where(signed > 0, lo, hi)])
    values = holds(program, np.concatenate([worst, corners(program, 6, 2)]))
    assert (values[1].min(), values[1].max()) == (program.types[1].lo, program.types[1].hi)


@FAST
@given(st.data())
def test_convolution_pools_and_padding(data):
    lo, hi = ends(data.draw, st.integers(-40, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    pad_value, padding = data.draw(st.integers(-99, 99)), data.draw(st.integers(0, 2))
    kind = data.draw(st.sampled_from(["conv", "sum", "max", "patches", "pad"]))

    def add(b, x):
        if kind == "conv":
            return b.int_conv2d(x, rng.integers(-8, 8, (2, 2, 3, 2)), "i4", 1, padding, 1, 1, pad_value)
        if kind in ("sum", "max"):
            return getattr(b, f"{kind}_pool2d")(x, 3, 2, min(padding, 2))
        if kind == "patches":
            return b.patches(x, 2, 1, padding, 1, pad_value)
        return b.pad(x, (padding, 0), (0, padding, 0, 0), pad_value)

    program, error = built(lo, hi, (2, 4, 4), add)
    assert error is None
    values = holds(program, corners(program, 7, 3))
    if kind in ("patches", "pad", "max"):
        assert (values[1].min(), values[1].max()) == (program.types[1].lo, program.types[1].hi)


@FAST
@given(st.data())
def test_add_and_clip(data):
    lo, hi = ends(data.draw)
    big = (
        st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-BOUND - 9, -BOUND + 9) | st.integers(BOUND - 9, BOUND + 9)
    )
    b_lo, b_hi = ends(data.draw, big)
    program, error = built(lo, hi, (2,), lambda b, x: b.add(x, np.array([b_lo, b_hi])))
    if max(abs(lo + b_lo), abs(hi + b_hi)) > BOUND:
        assert program is None and "beyond 2^62" in error
    else:
        assert error is None
        holds(program, corners(program, 6, 4))
    clip_lo, clip_hi = ends(data.draw, big | I32)
    assume(max(abs(clip_lo), abs(clip_hi)) <= BOUND)
    program, error = built(lo, hi, (2,), lambda b, x: b.clip(x, clip_lo, clip_hi))
    values = holds(program, corners(program, 6, 5))
    assert {program.types[1].lo, program.types[1].hi} <= set(values[1].reshape(-1).tolist())


@FAST
@given(st.integers(1, 3), st.integers(0, 31), st.integers(1, 6), st.integers(0, 10), st.integers(0, 62))
def test_steps_of_a_projection(rounds, shift, p, more, width):
    """Every step of the transform stays below the bound that admitted it; a Program beyond it is rejected."""
    b = Builder()
    x = b.affine(b.input("int", (p,), -1, 1), 1 << min(width, 30), 0, 0)
    x = b.affine(x, 1 << max(0, min(width - 30, 30)), 0, 0)
    reach, q = x.type.hi, 1
    while q < p:
        q *= 2
    for r in range(rounds):
        reach *= q
        if reach > BOUND:
            try:
                b.project(x, p + more, "hadamard", 3, rounds=rounds, shift=shift)
            except ProgramError as error:
                assert "beyond 2^62" in str(error)
                return
            raise AssertionError("admitted")
        if r < rounds - 1:
            reach = -((-reach) // (1 << shift))
    program = closed(b, b.project(x, p + more, "hadamard", 3, rounds=rounds, shift=shift))
    holds(program, data_for(program, 5))


def test_deep_chain_stays_within_its_ranges():
    """Forty random steps on integers, each from the range the one before derived."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        b = Builder()
        x = b.input("int", (3, 4, 4), -200, 300)
        for _ in range(40):
            width = max(abs(x.type.lo), abs(x.type.hi)).bit_length()
            step = rng.integers(5) if width < 50 else 0
            if step == 0:
                x = b.affine(
                    x,
                    rng.integers(-50, 50, 3),
                    rng.integers(-999, 999, 3),
                    rng.integers(0, 4, 3) + max(0, width - 20) // 2,
                )
            elif step == 1:
                x = b.prelu(x, rng.integers(-9, 9, 3), rng.integers(-9, 9, 3), 5, rng.integers(0, 3, 3))
            elif step == 2:
                x = b.add(x, b.clip(x, -100, 77))
            elif step == 3:
                x = b.sum_pool2d(x, 2, 1, (1, 0, 1, 0))
            else:
                x = b.add(x, rng.integers(-500, 500, 3))
        program = closed(b, x)
        values = execute(program, corners(program, 30, 1), keep=True)
        for value, type_ in zip(values, program.types, strict=True):
            assert type_.lo <= value.min() and value.max() <= type_.hi
