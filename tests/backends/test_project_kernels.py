"""`project` on every backend against the interpreter: matrices, transforms of both widths, plain loops, thresholds."""

import numpy as np
import pytest

from bitwright.ir import Builder
from bitwright.ir.executors import join_backends

SIZES = [(1, 3), (25, 255), (64, 64), (65, 200), (130, 300), (1025, 70)]
INPUTS = {"bits": None, "pixels": (0, 255), "small": (-99, 99), "wide": (-(2**22), 2**22), "huge": (0, 2**31 - 1)}
KINDS = [("gaussian", 0, 0), ("rademacher", 0, 0), ("hadamard", 1, 0), ("hadamard", 2, 0), ("hadamard", 3, 2)]


def program_of(p, n_out, source, kind, rounds, shift, positions=None):
    rng = np.random.default_rng(p + n_out)
    lo, hi = INPUTS[source] or (0, 0)
    shape = (p,) if positions is None else (p, *positions)
    builder = Builder()
    x = builder.input("bits" if source == "bits" else "int", shape, lo, hi)
    data = rng.integers(0, 2, (9, *shape)) if source == "bits" else rng.integers(lo, hi + 1, (9, *shape))
    data = data.astype(np.uint8 if source in ("bits", "pixels") else np.int64)
    data[0] = lo
    reach = max(1, int(np.abs(data.astype(np.float64)).max() * p**0.5 * 4))
    t = rng.integers(-reach, reach + 1, n_out)
    t[0], t[-1] = 0, 2**40  # never met
    bits = builder.project(x, n_out, kind, 2**64 - 3, layer=5, rounds=rounds, shift=shift, t=t)
    ints = builder.to_int(bits, "bits")
    last = builder.reshape(ints, (n_out * int(np.prod(positions)),)) if positions else ints
    return builder.finish(last), data


@pytest.mark.parametrize("kind, rounds, shift", KINDS)
@pytest.mark.parametrize("source", INPUTS)
def test_every_backend_is_the_interpreter(kind, rounds, shift, source):
    checked = 0
    for p, n_out in SIZES:
        if source == "huge" and rounds == 3 and p > 130:
            continue  # beyond what a Program may hold
        program, data = program_of(p, n_out, source, kind, rounds, shift)
        report = program.verify(data)
        assert report.ok, f"{p} -> {n_out}: {report}"
        checked += 1
    assert checked >= 4


@pytest.mark.parametrize("kind, rounds, shift", KINDS)
@pytest.mark.parametrize("source", ["bits", "pixels", "small"])
def test_at_every_position(kind, rounds, shift, source):
    program, data = program_of(130, 75, source, kind, rounds, shift, positions=(3, 2))
    assert program.verify(data).ok


def test_there_is_more_than_the_interpreter_to_compare():
    if len(join_backends()) == 1:
        pytest.skip("needs the native core: pip install . with a C compiler")
    assert {"cpu:reference"} <= set(join_backends())
