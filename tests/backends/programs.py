"""Small Programs, each about one operation or one way of planning, with awkward sizes.

PROGRAMS: name -> function that builds it with a random generator.
"""

import numpy as np

from bitwright.ir.builder import Builder
from bitwright.ir.program import Program
from tests.backends.large_numbers import LARGE
from tests.backends.threshold_programs import THRESHOLDS, scores_of


def random_input(program: Program, n: int, rng: np.random.Generator) -> np.ndarray:
    type_ = program.input_type
    shape = (n, *type_.shape)
    if type_.kind == "float":
        x = rng.normal(size=shape).astype(np.float32)
        special = np.array([np.inf, -np.inf, 0.0, -0.0], np.float32)
        return np.where(rng.random(shape) < 0.2, rng.choice(special, shape), x).astype(np.float32)
    lo, hi = (0, 1) if type_.kind == "bits" else (type_.lo, type_.hi)
    dtype = np.uint8 if lo >= 0 and hi < 256 else np.int32
    return rng.integers(lo, hi, shape, dtype=np.int64, endpoint=True).astype(dtype)


def mlp(rng, sizes=(70, 65, 130, 64, 10)):
    b = Builder()
    x = b.input("int", (sizes[0],), 0, 255)
    s = b.int_linear(x, rng.integers(0, 2, (sizes[1], sizes[0])), "bit")
    for k, n in zip(sizes[1:-1], sizes[2:], strict=True):
        spread = max(int(abs(s.type.hi) ** 0.5), 1)
        s = b.affine(s, rng.integers(-3, 4, k), rng.integers(-50, 50, k), rng.integers(0, 3, k))
        x = b.threshold(s, rng.integers(-spread, spread, (k, 1)), rng.integers(0, 2, k))
        s = b.xnor_linear(x, rng.integers(0, 2, (n, k)))
    return b.finish(s)


def cnn(rng, channels=(1, 64, 20), size=7, accumulator="int32", pad_value=-1):
    b = Builder()
    x = b.input("int", (channels[0], size, size), 0, 255)
    s = b.int_conv2d(x, rng.integers(0, 2, (channels[1], channels[0], 3, 3)), "bit", padding=1)
    x = b.threshold(b.max_pool2d(s, 2), rng.integers(-300, 600, (channels[1], 1)), rng.integers(0, 2, channels[1]))
    w = rng.integers(0, 2, (channels[2], channels[1], 3, 3))
    s = b.xnor_conv2d(x, w, padding=(1, 0, 2, 1), pad_value=pad_value, accumulator=accumulator)
    s = b.max_pool2d(s, (3, 2), 2, (1, 0))
    s = b.affine(s, rng.integers(-3, 4, channels[2]), rng.integers(-50, 50, channels[2]), 1)
    x = b.threshold(s, rng.integers(-20, 20, (channels[2], 1)), rng.integers(0, 2, channels[2]))
    x = b.reshape(x, (int(np.prod(x.shape)),))
    s = b.xnor_linear(x, rng.integers(0, 2, (33, x.shape[0])))
    x = b.threshold(s, rng.integers(-9, 9, (33, 1)))
    return b.finish(b.xnor_linear(x, rng.integers(0, 2, (5, 33))))


def cnn_color(rng):
    return cnn(rng, (3, 70, 64), 6, "wrap8", 0)


def cnn_half(rng):
    return cnn(rng, (2, 128, 33), 6, "wrap8_half", 1)


def bits_into_ints(rng):
    b = Builder()
    x = b.input("bits", (66, 4, 3))
    s = b.int_conv2d(x, rng.integers(-8, 8, (5, 66, 3, 2)), "i4", 1, (2, 1, 0, 1), pad_value=0)
    return scores_of(b, b.clip(s, -100, 200))


def bits_flattened(rng):
    b = Builder()
    x = b.input("bits", (64, 3, 3))
    y = b.max_pool2d(x, 2, 1)
    return b.finish(b.int_linear(b.reshape(y, (256,)), rng.integers(-300, 300, (4, 256)), "i16"))


def int_groups(rng):
    b = Builder()
    x = b.input("int", (6, 7, 5), -7, 1000)
    s = b.int_conv2d(x, rng.integers(-128, 128, (9, 2, 3, 3)), "i8", 2, 1, (1, 2), groups=3, pad_value=-500)
    return scores_of(b, s)


def int_wide(rng):
    b = Builder()
    x = b.input("int", (40,), -(1 << 31), (1 << 31) - 1)
    s = b.int_linear(x, rng.integers(-(1 << 15), 1 << 15, (4, 40)), "i16")
    return b.finish(s)


def int_wide_bits(rng):
    b = Builder()
    x = b.input("int", (2, 4, 4), -(1 << 31), (1 << 31) - 1)
    s = b.int_conv2d(x, rng.integers(0, 2, (3, 2, 2, 2)), "bit")
    s = b.sum_pool2d(s, 2)
    return b.finish(b.reshape(s, (3,)) if s.shape == (3, 1, 1) else b.reshape(s, (int(np.prod(s.shape)),)))


def lut(rng):
    b = Builder()
    x = b.input("bits", (70,))
    for k, n in ((2, 90), (6, 65), (1, 30), (4, 100)):
        n_in = x.shape[0]
        table = rng.integers(0, 1 << min(1 << k, 63), n, dtype=np.uint64)
        x = b.lut(x, rng.integers(0, n_in, (n, k)), table)
    groups = [list(rng.integers(0, 100, rng.integers(0, 60))) for _ in range(7)]
    return b.finish(
        b.count(x, groups, [[int(v) for v in rng.integers(0, 2, len(g))] for g in groups], rng.integers(-9, 9, 7))
    )


def lut_image(rng):
    b = Builder()
    x = b.input("bits", (5, 6, 7))
    x = b.lut(x, rng.integers(0, 5, (66, 3)), rng.integers(0, 256, 66))
    taps = np.stack([rng.integers(0, 66, 9), rng.integers(0, 3, 9), rng.integers(0, 2, 9)], axis=1)
    wiring = np.stack([rng.integers(0, 9 + m, 2) for m in range(8)])
    x = b.lut_conv2d(x, taps, wiring, rng.integers(0, 16, 8), np.array([16, 3, 12]), (3, 2), (2, 1), (1, 0, 1, 1), 1)
    return scores_of(b, x)


def count_wide(rng):
    b = Builder()
    x = b.input("bits", (9,))
    return b.finish(b.count(x, [[0, 1, 1, 8], [2]], [[0, 1, 0, 1], [1]], np.array([1 << 40, -5])))


def project_rademacher(rng):
    b = Builder()
    x = b.input("bits", (67, 2, 3))
    x = b.project(x, 75, "rademacher", 12345678901234567890, 3, t=rng.integers(-9, 9, 75))
    return scores_of(b, x)


def project_rademacher_ints(rng):
    b = Builder()
    x = b.input("int", (67,), -50, 300)
    return scores_of(b, b.project(x, 70, "rademacher", 5, 1))


def project_gaussian(rng):
    b = Builder()
    x = b.project(b.input("int", (13,), -50, 300), 66, "gaussian", 5, 1)
    return scores_of(b, b.project(x, 9, "gaussian", 6, 2, t=rng.integers(-99, 99, 9)))


def project_hadamard(rng):
    b = Builder()
    x = b.project(b.input("int", (13,), -50, 300), 40, "hadamard", -5, 1, 2, 2, rng.integers(-2000, 2000, 40))
    return scores_of(b, b.project(x, 70, "hadamard", 6, 2, rounds=1, t=rng.integers(-9, 9, 70)))


def project_positions(rng):
    b = Builder()
    x = b.project(b.input("int", (5, 3, 2), 0, 9), 11, "hadamard", 77, 0, rounds=3, shift=1)
    return scores_of(b, b.project(x, 3, "gaussian", 1))


def elementwise(rng):
    b = Builder()
    x = b.input("int", (300,), -1000, 3000)
    y = b.prelu(
        x, rng.integers(-9, 9, 300), rng.integers(-9, 9, 300), rng.integers(-99, 99, 300), rng.integers(0, 5, 300)
    )
    z = b.affine(x, rng.integers(-9, 9, 300), rng.integers(-9999, 9999, 300), rng.integers(0, 9, 300))
    z = b.clip(b.add(y, z), -2000, 30000)
    return scores_of(b, b.add(z, rng.integers(-99, 99, 300)))


def residual(rng):
    b = Builder()
    x = b.input("int", (3, 6, 5), 0, 255)
    s = b.int_conv2d(x, rng.integers(-128, 128, (8, 3, 3, 3)), "i8", padding=1)
    s = b.clip(b.affine(s, rng.integers(-9, 9, 8), 0, 3), -30000, 30000)
    for _ in range(2):
        bits = b.threshold(b.add(s, rng.integers(-99, 99, 8)), np.zeros((8, 1), np.int64))
        t = b.xnor_conv2d(bits, rng.integers(0, 2, (8, 8, 3, 3)), padding=1, pad_value=0)
        t = b.affine(t, rng.integers(-99, 99, 8), rng.integers(-99, 99, 8), 1)
        s = b.prelu(b.add(s, t), 8, rng.integers(-3, 9, 8), rng.integers(-9, 9, 8), 3)
        s = b.clip(s, -30000, 30000)
    s = b.add(s, rng.integers(-9, 9, (8, 6, 5)))
    s = b.sum_pool2d(s, 3, 2, (1, 0, 0, 1))
    return scores_of(b, b.max_pool2d(s, 2, 1, 1))


def prelu_fused(rng):
    """Chains on the way from a sum to its threshold: monotone ones, and one that is not."""
    b = Builder()
    x = b.input("bits", (64,))
    for pos, neg in ((3, 1), (-2, -5), (2, -1)):
        s = b.clip(b.add(b.xnor_linear(x, rng.integers(0, 2, (64, 64))), rng.integers(-5, 5, 64)), -20, 17)
        s = b.prelu(s, pos, neg, rng.integers(-9, 9, 64), 1)
        x = b.threshold(s, rng.integers(-12, 12, (64, 1)), rng.integers(0, 2, 64))
    return b.finish(b.to_int(x, "signs"))


def late_second(rng):
    """Chains that meet: each adds what was made after it began."""
    b = Builder()
    x = b.input("int", (5, 3, 3), -9, 9)
    y = b.affine(x, rng.integers(-9, 9, 5), 3, 1)
    z = b.clip(b.max_pool2d(x, 1), -4, 7)
    s = b.add(y, z)
    t = b.add(b.add(z, x), s)
    u = b.add(b.affine(t, 3, 1, 0), b.clip(b.add(t, t), -20, 20))
    return scores_of(b, b.prelu(b.add(u, rng.integers(-9, 9, (5, 3, 3))), 3, -2, 1, 1))


def long_chain(rng):
    b = Builder()
    x = b.input("int", (3, 7, 9), 0, 255)
    for _ in range(19):
        x = b.clip(b.affine(x, rng.integers(-3, 4, 3), rng.integers(-99, 99, 3), 1), -1000, 1000)
    return scores_of(b, x)


def several_readers(rng):
    """A sum that a threshold and another operation read; a value read twice by one operation; an unread value."""
    b = Builder()
    x = b.input("bits", (65,))
    s = b.xnor_linear(x, rng.integers(0, 2, (70, 65)))
    b.threshold(s, np.zeros((70, 1), np.int64))
    bits = b.threshold(s, rng.integers(-9, 9, (70, 2)))
    y = b.add(s, s)
    both = b.concat([bits, x, bits])
    return scores_of(b, b.concat([y, b.to_int(both, "bits")]))


def moving_ints(rng):
    b = Builder()
    x = b.input("int", (3, 4, 5), 0, 77)
    y = b.pad(x, (1, 2), (1, 0, 2, 1), -3)
    y = b.patches(y, (2, 3), (1, 2), (1, 0), (2, 1), pad_value=9)
    return scores_of(b, b.gather(y, rng.integers(0, y.shape[0], 50)))


def moving_bits(rng):
    b = Builder()
    x = b.input("bits", (60, 4, 5))
    y = b.pad(x, (3, 5), (1, 0, 2, 1), 1)
    y = b.patches(y, 2, 1, (1, 0, 0, 1), pad_value=1)
    y = b.concat([b.gather(y, rng.integers(0, y.shape[0], 70)), y])
    y = b.max_pool2d(y, (2, 3), (1, 2), (0, 1, 1, 0))
    return scores_of(b, y)


def reshapes(rng):
    b = Builder()
    x = b.input("int", (6, 4, 5), 0, 9)
    bits = b.threshold(b.reshape(x, (4, 5, 6)), rng.integers(0, 9, (4, 1)))
    flat = b.reshape(bits, (120,))
    again = b.reshape(flat, (30, 2, 2))
    s = b.int_conv2d(b.reshape(x, (2, 10, 6)), rng.integers(-8, 8, (2, 2, 2, 2)), "i4")
    return scores_of(b, b.concat([b.reshape(b.to_int(again, "signs"), (120,)), b.reshape(s, (int(np.prod(s.shape)),))]))


def straight_through(rng):
    """The scores are the input, moved."""
    b = Builder()
    x = b.input("int", (4, 1, 3), 0, 99)
    return b.finish(b.reshape(x, (12,)))


def only_input(rng):
    b = Builder()
    return b.finish(b.input("int", (5,), -3, 70))


def sum_is_scores(rng):
    b = Builder()
    x = b.input("int", (3, 5, 5), 0, 200)
    return b.finish(b.int_linear(b.reshape(x, (75,)), rng.integers(0, 2, (10, 75)), "bit"))


def flat_image(rng):
    """An image read both as an image and flat."""
    b = Builder()
    x = b.input("int", (3, 5, 5), 0, 200)
    s = b.int_linear(b.reshape(x, (75,)), rng.integers(-128, 128, (10, 75)), "i8")
    t = b.reshape(b.sum_pool2d(x, 5), (3,))
    return b.finish(b.concat([s, t]))


def wide_bits_flat(rng):
    """Channels that do not fill words, flattened, into layers whose threshold can and cannot be fused."""
    b = Builder()
    x = b.input("bits", (20, 3, 3))
    y = b.max_pool2d(x, 1)
    s = b.xnor_linear(b.reshape(y, (180,)), rng.integers(0, 2, (65, 180)))
    z = b.threshold(s, rng.integers(-9, 9, (65, 1)), rng.integers(0, 2, 65))
    s = b.xnor_linear(b.reshape(b.max_pool2d(x, 2, 1), (80,)), rng.integers(0, 2, (5, 80)))
    return b.finish(b.concat([b.to_int(z, "signs"), s]))


PROGRAMS = {
    name: function
    for name, function in list(globals().items())
    if callable(function) and not name.startswith("_") and getattr(function, "__module__", "") == __name__
}
del PROGRAMS["random_input"]
PROGRAMS |= LARGE | THRESHOLDS
