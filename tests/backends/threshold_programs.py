"""Programs of thresholds and digits, on integers and floats. Used through PROGRAMS."""

import numpy as np

from bitwright.ir.builder import Builder


def scores_of(b: Builder, value):
    """Flatten and close with integer sums that weigh every value differently."""
    if len(value.shape) == 3:
        value = b.reshape(value, (int(np.prod(value.shape)),))
    rng = np.random.default_rng(7)
    w = rng.integers(-128, 128, (3, value.shape[0]))
    return b.finish(b.int_linear(value, w, "i8"))


def threshold_int(rng):
    b = Builder()
    x = b.input("int", (5, 3, 4), -100, 1000)
    return scores_of(b, b.threshold(x, rng.integers(-150, 1100, (5, 13)), rng.integers(0, 2, 65)))


def threshold_wide(rng):
    b = Builder()
    x = b.input("int", (67,), -(1 << 31), (1 << 31) - 1)
    big = b.affine(x, np.full(67, (1 << 30) - 1), rng.integers(-9, 9, 67), 0)
    t = rng.integers(-(1 << 61), 1 << 61, (67, 1))
    return scores_of(b, b.threshold(big, t, rng.integers(0, 2, 67)))


def threshold_beyond(rng):
    """Thresholds that no int32 reaches, and the ends of the range."""
    b = Builder()
    x = b.input("int", (6,), -(1 << 31), (1 << 31) - 1)
    t = np.array([[1 << 40], [-(1 << 40)], [(1 << 31) - 1], [-(1 << 31)], [0], [1]])
    return scores_of(b, b.threshold(x, t, np.array([0, 1, 0, 1, 0, 1])))


def threshold_float(rng):
    b = Builder()
    x = b.input("float", (7,))
    t = rng.normal(size=(7, 3)).astype(np.float32)
    t[0] = [np.inf, -np.inf, -0.0]
    return scores_of(b, b.threshold(x, t, rng.integers(0, 2, 21)))


def float_moves(rng):
    b = Builder()
    x = b.input("float", (3, 4, 5))
    y = b.gather(x, np.array([2, 0, 2, 1]))
    y = b.reshape(b.concat([y, x]), (140,))
    return scores_of(b, b.threshold(y, rng.normal(size=(140, 1)).astype(np.float32)))


def digitize_float(rng):
    b = Builder()
    x = b.input("float", (6,))
    t = np.sort(rng.normal(size=(6, 9)), axis=1).astype(np.float32)
    t[2] = np.inf
    return scores_of(b, b.digitize(x, t))


def digitize_int(rng):
    b = Builder()
    x = b.input("int", (3, 2, 5), 0, 200)
    return scores_of(b, b.digitize(x, np.sort(rng.integers(-5, 210, (3, 17)), axis=1)))


THRESHOLDS = {
    function.__name__: function
    for function in (
        threshold_int,
        threshold_wide,
        threshold_beyond,
        threshold_float,
        float_moves,
        digitize_float,
        digitize_int,
    )
}
