"""Programs whose constants are all positive and large, beside values that are negative: C must not compare them as
unsigned. Used through PROGRAMS.
"""

import numpy as np

from bitwright.ir.builder import Builder

REACH = 200_000


def _ints(n):
    b = Builder()
    return b, b.input("int", (n,), -REACH, REACH)


def large_thresholds(rng):
    b, x = _ints(9)
    return b.finish(b.to_int(b.threshold(x, rng.integers(70_000, REACH, (9, 2))), "bits"))


def large_digits(rng):
    b, x = _ints(9)
    return b.finish(b.digitize(x, np.sort(rng.integers(5, REACH, (9, 6)), axis=1)))


def large_slopes(rng):
    b, x = _ints(9)
    return b.finish(b.prelu(x, rng.integers(70_000, REACH, 9), rng.integers(-4, 0, 9), 0, 4))


def large_factors(rng):
    b, x = _ints(9)
    return b.finish(b.affine(x, rng.integers(70_000, REACH, 9), rng.integers(70_000, REACH, 9), 5))


def positive_floats(rng):
    b = Builder()
    x = b.input("float", (7,))
    return b.finish(b.to_int(b.threshold(x, rng.uniform(0.01, 2, (7, 3)).astype(np.float32)), "bits"))


LARGE = {function.__name__: function
         for function in (large_thresholds, large_digits, large_slopes, large_factors, positive_floats)}  # fmt: skip
