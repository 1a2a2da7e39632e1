"""Windows, projection and products of codes, one step in the engine: every backend against the interpreter."""

import numpy as np
import pytest

from bitwright.ir import Builder

INPUTS = {"bits": None, "pixels": (0, 255), "small": (-99, 99), "shifted": (900, 1100), "wide": (-300, 300)}
KINDS = [
    ("gaussian", 0, 0),
    ("rademacher", 0, 0),
    ("hadamard", 1, 0),
    ("hadamard", 2, 0),
    ("hadamard", 3, 0),
    ("hadamard", 2, 3),
]


def images(source, shape, seed):
    """Noise; the same in blocks, so that windows repeat; constant images."""
    rng = np.random.default_rng(seed)
    lo, hi = INPUTS[source] or (0, 1)
    x = rng.integers(lo, hi + 1, (7, *shape))
    x[1:4, :, :2] = lo
    x[2], x[3] = x[1], hi
    return x.astype(np.uint8 if source in ("bits", "pixels") else np.int64)


def build(source, shape, window, n, kind, rounds, shift, ending):
    lo, hi = INPUTS[source] or (0, 0)
    rng = np.random.default_rng(n)
    b = Builder()
    x = b.input("bits" if source == "bits" else "int", shape, lo, hi)
    if window is not None:
        kernel, stride, pad, dilation, value = window
        x = b.patches(x, (kernel, kernel), (stride, stride), (pad,) * 4, (dilation, dilation), value)
    p = x.shape[0]
    reach = max(2, int(p**0.5 * 100))
    t = None if n % 2 else rng.integers(-reach, reach, n)
    bits = b.project(x, n, kind, 77, layer=2, rounds=rounds, shift=shift, t=t)
    codes = rng.integers(0, 2, (19, n)).astype(np.uint8)
    if len(bits.shape) == 1:
        return b.finish(b.xnor_linear(bits, codes))
    sums = b.xnor_conv2d(bits, codes[:, :, None, None], accumulator="wrap8" if ending == "wrap8" else "int32")
    if ending == "pool":
        sums = b.max_pool2d(sums, (2, 2), (2, 2))
    if ending in ("bits", "pool"):
        sums = b.to_int(b.threshold(sums, rng.integers(-9, 9, 19)), "bits")
    return b.finish(b.reshape(sums, (int(np.prod(sums.shape)),)))


@pytest.mark.parametrize("kind, rounds, shift", KINDS)
@pytest.mark.parametrize("source", INPUTS)
def test_windows_in_one_step(kind, rounds, shift, source):
    pad = 1 if source in ("bits", "pixels") else -7
    for shape, window, n, ending in [
        ((1, 6, 7), (5, 1, 2, 1, pad), 130, "plain"),
        ((9, 6, 6), (3, 1, 1, 1, pad), 255, "pool"),
        ((13, 7, 6), (3, 2, 0, 2, 0), 64, "wrap8"),
        ((3, 11, 10), (9, 1, 0, 1, 0), 257, "bits"),
        ((70, 3, 3), None, 100, "bits"),
    ]:
        program = build(source, shape, window, n, kind, rounds, shift, ending)
        report = program.verify(images(source, shape, n))
        assert report.ok, f"{shape} {window} N {n} {ending}: {report}"


@pytest.mark.parametrize("kind, rounds, shift", KINDS)
@pytest.mark.parametrize("p, n", [(1, 70), (64, 64), (65, 300), (1100, 2047)])
def test_vectors_of_many_samples(kind, rounds, shift, p, n):
    program = build("pixels", (p,), None, n, kind, rounds, shift, "plain")
    x = np.random.default_rng(p).integers(0, 256, (40, p)).astype(np.uint8)
    x[7:13] = x[3]
    assert program.verify(x).ok
