"""Closing a chain on the fixed-point grid: real numbers become integers, multiples of 2^-fraction_bits.

Affine steps are folded together in float64 and become one `affine`; a PReLU takes the affine step behind it along; a
clamp is a `clip`. The result is clipped to the stream's width. This is where a Program differs from the model: the
grid twin shows it.
"""

from collections.abc import Sequence

import numpy as np

from bitwright.freeze.chain import Affine, Clamp, Step, TwoSlopes

PRECISION = 16  # significant bits of a multiplier


def fixed_point(
    factors: Sequence[np.ndarray], offset: np.ndarray, n_channels: int
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """(muls, add, shift), each (C,): floor((x * mul + add) / 2^shift) is factor * x + offset rounded to nearest.

    factors: (C,) or scalars; they share one shift a channel, chosen for the largest.
    """
    rows = [np.broadcast_to(factor, n_channels) for factor in factors]
    largest = np.maximum(np.max(np.abs(rows), axis=0), 2.0**-40)
    shift = np.clip(PRECISION - 1 - np.ceil(np.log2(largest)), 0, 31).astype(np.int64)
    muls = [np.rint(row * 2.0**shift).astype(np.int64) for row in rows]
    half = np.where(shift > 0, 1 << np.maximum(shift - 1, 0), 0)
    return muls, np.rint(np.broadcast_to(offset, n_channels) * 2.0**shift).astype(np.int64) + half, shift


def close_on_grid(emitter, value, chain: Sequence[Step], fraction_bits: int, stream_bits: int):
    """Emit the chain on integer `value`; the result stands for multiples of 2^-fraction_bits. Returns the new value."""
    unit = 2.0**fraction_bits
    steps, i = list(chain), 0
    factor, offset, i = _fold_affines(steps, i)
    value = _emit_affine(emitter, value, factor * unit, offset * unit)
    while i < len(steps):
        step = steps[i]
        if isinstance(step, Clamp):
            value = emitter.clip(value, *_integer_bounds(step.lo * unit, step.hi * unit, value.type.lo, value.type.hi))
            factor, offset, i = _fold_affines(steps, i + 1)
            value = _emit_affine(emitter, value, factor, offset * unit)
        elif isinstance(step, TwoSlopes):
            factor, offset, i = _fold_affines(steps, i + 1)
            value = _emit_prelu(emitter, value, factor * step.pos, factor * step.neg, offset * unit)
    limit = 1 << (stream_bits - 1)
    if value.type.lo < -limit or value.type.hi >= limit:
        value = emitter.clip(value, -limit, limit - 1)
    return value


def _integer_bounds(lo: float, hi: float, least: int, greatest: int) -> tuple[int, int]:
    """The clamp's bounds, rounded; infinite or needless ones end where values of least..greatest do."""
    lo, hi = np.rint(lo), np.rint(hi)
    return int(max(lo, min(least, hi))), int(min(hi, max(greatest, lo)))


def _fold_affines(steps: Sequence[Step], i: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Factor and offset of the affine steps from i on, and the place after them."""
    factor, offset = np.ones(()), np.zeros(())
    while i < len(steps):
        step = steps[i]
        if not isinstance(step, Affine):
            break
        factor, offset, i = factor * step.a, offset * step.a + step.b, i + 1
    return np.asarray(factor), np.asarray(offset), i


def _emit_affine(emitter, value, factor: np.ndarray, offset: np.ndarray):
    (mul,), add, shift = fixed_point([factor], offset, value.shape[0])
    if np.all(mul == 1 << shift) and np.all(add >> shift == 0):
        return value  # the identity, up to its rounding half
    return emitter.affine(value, mul, add, shift)


def _emit_prelu(emitter, value, pos: np.ndarray, neg: np.ndarray, offset: np.ndarray):
    (pos, neg), add, shift = fixed_point([pos, neg], offset, value.shape[0])
    return emitter.prelu(value, pos, neg, add, shift)
