"""Fixed point: the emitted operations, run by the interpreter, against the real chain written out in float64."""

import numpy as np
import pytest

from bitwright.freeze.chain import Affine, Clamp, TwoSlopes
from bitwright.freeze.close_grid import close_on_grid, fixed_point
from bitwright.freeze.emitter import Emitter
from bitwright.ir import Builder, execute


def run_chain(chain, channels: int, fraction_bits: int, x: np.ndarray) -> np.ndarray:
    builder = Builder()
    emitter = Emitter(builder, fraction_bits)
    value = close_on_grid(emitter, builder.input("int", (channels,), -1000, 1000), chain, fraction_bits, 16)
    return execute(builder.finish(value), x)[-1] * 2.0**-fraction_bits


def none(v):
    raise AssertionError("the grid uses coefficients, not the model's evaluation")


@pytest.mark.parametrize("fraction_bits", [4, 8])
def test_grid_is_within_one_step_of_the_real_chain(fraction_bits):
    rng = np.random.default_rng(fraction_bits)
    channels = 17
    a1, b1, slope, a2, b2 = rng.normal(0, [[0.02], [1], [0.7], [1], [1]], (5, channels))
    chain = (Affine(none, a1, b1), TwoSlopes(none, np.float64(1), slope), Affine(none, a2, b2), Clamp(none, -3.0, 3.0))
    x = rng.integers(-1000, 1001, (200, channels))
    moved = x * a1 + b1
    expected = np.clip(np.where(moved >= 0, moved, slope * moved) * a2 + b2, -3, 3)
    # half a step behind each of two roundings, the first carried on by slope * a2 (at most about 4 here)
    tolerance = 2.0**-fraction_bits * (0.51 + 0.51 * np.maximum(1, np.abs(slope)) * np.abs(a2)) + 0.02
    assert (np.abs(run_chain(chain, channels, fraction_bits, x) - expected) <= tolerance).all()


def test_the_identity_costs_nothing():
    builder = Builder()
    value = builder.input("int", (3,), -5, 5)
    step = Affine(none, np.float64(1 / 16), np.float64(0))
    assert close_on_grid(Emitter(builder, 4), value, (step,), 4, 16) == value


def test_results_are_clipped_to_the_stream():
    x = np.array([[1000], [-1000]])
    out = run_chain((Affine(none, np.float64(10), np.float64(0)),), 1, 8, x)
    assert out.tolist() == [[32767 / 256], [-32768 / 256]]


@pytest.mark.parametrize("factor", [0.0, 1e-9, 0.3, 1.0, -17.25, 5000.0])
def test_fixed_point_rounds_to_nearest(factor):
    (mul,), add, shift = fixed_point([np.float64(factor)], np.float64(0.0), 1)
    x = np.arange(-500, 501)
    found = (x * mul[0] + add[0]) >> shift[0]
    assert (np.abs(found - x * factor) <= 0.5 + np.abs(x * factor) * 2.0**-15 + 1e-6).all()
