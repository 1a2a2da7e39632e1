import numpy as np
import pytest
from building import single

from bitwright.ir import execute, interpreter

INTS = single("int", (3,), lambda b, x: b.clip(x, -999, 999), -4, 300)
BYTES = single("int", (2, 1, 3), lambda b, x: b.clip(x, -999, 999), 0, 255)
BITS = single("bits", (3,), lambda b, x: b.to_int(x, "signs"))
FLOATS = single("float", (3,), lambda b, x: b.threshold(x, [0.0] * 3))


@pytest.mark.parametrize(
    "program, x, error, message",
    [
        (INTS, np.zeros(3, int), ValueError, r"shape \(3,\), expected \(batch, 3\); add the batch axis: x\[None\]"),
        (INTS, np.zeros((2, 4), int), ValueError, r"expected \(batch, 3\); reshape it, e.g. x.reshape\(-1, 3\)"),
        (BYTES, np.zeros((5, 6), np.uint8), ValueError, r"reshape it, e.g. x.reshape\(-1, 2, 1, 3\)"),
        (
            INTS,
            np.zeros((1, 3)),
            TypeError,
            r"x is float64, .* integers in -4..300; convert it, e.g. x.astype\(np.int32\)",
        ),
        (
            BYTES,
            np.zeros((1, 2, 1, 3), np.float32),
            TypeError,
            r"integers in 0..255; convert it, e.g. x.astype\(np.uint8\)",
        ),
        (INTS, np.array([[0, 301, 0]]), ValueError, r"x\[0, 1\] is 301, .* in -4..300; scale the data as in training"),
        (INTS, np.array([[0, 0, 0], [0, 0, -5]], np.int8), ValueError, r"x\[1, 2\] is -5"),
        (INTS, np.array([[0, 1 << 63, 0]], np.uint64), ValueError, r"x\[0, 1\] is 9223372036854775808"),
        (BITS, np.array([[0, 2, 0]]), ValueError, r"x\[0, 1\] is 2, this Program takes bits, 0 and 1"),
        (BITS, np.array([[1, -1, 1]]), ValueError, r"x\[0, 1\] is -1"),
        (BITS, np.zeros((1, 3)), TypeError, r"takes bits, 0 and 1; convert it"),
        (FLOATS, np.zeros((1, 3)), TypeError, r"x is float64, this Program takes float32; convert it"),
        (FLOATS, np.zeros((1, 3), int), TypeError, r"takes float32"),
        (FLOATS, np.array([[0, 0, np.nan]], np.float32), ValueError, r"x\[0, 2\] is NaN; fill or drop missing values"),
        (INTS, np.array([["a", "b", "c"]]), TypeError, "takes integers"),
    ],
)
def test_what_run_refuses(program, x, error, message):
    with pytest.raises(error, match=f"^run: .*{message}"):
        program.run(x, backend="interpreter")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, ">i4", np.int64, np.uint64])
def test_any_integers_within_the_range(dtype):
    x = np.arange(12).reshape(4, 3).astype(dtype)
    for view in (x, np.asfortranarray(x), x[::2], x[:, ::-1], x.tolist()):
        assert (INTS.run(view, backend="interpreter") == np.asarray(view)).all()


def test_bools_are_0_and_1():
    x = np.array([[True, False, True]])
    assert execute(BITS, x)[-1].tolist() == [[1, -1, 1]]
    assert execute(INTS, x)[-1].tolist() == [[1, 0, 1]]
    positive = single("int", (3,), lambda b, v: b.clip(v, 0, 9), 1, 9)
    with pytest.raises(ValueError, match=r"x\[0, 1\] is 0"):
        execute(positive, x)


def test_infinities_are_values():
    x = np.array([[np.inf, -np.inf, -0.0]], np.float32)
    assert execute(FLOATS, x)[-1].tolist() == [[1, 0, 1]]


def test_a_backend_that_is_not_here_is_named():
    with pytest.raises(ValueError, match="backend 'gpu' is not on this machine; it has interpreter"):
        INTS.run(np.zeros((1, 3), int), backend="gpu")


@pytest.mark.parametrize("values, samples", [(1, 1), (7, 2), (1 << 27, 256)])
def test_large_values_are_taken_a_few_samples_at_a_time(values, samples, monkeypatch):
    sizes = []
    monkeypatch.setattr(interpreter, "BLOCK_VALUES", values)
    clip = interpreter.MEANINGS["clip"]
    monkeypatch.setitem(interpreter.MEANINGS, "clip", lambda op, x: sizes.append(len(x)) or clip(op, x))
    x = np.random.default_rng(0).integers(-4, 301, (300, 3))
    assert (execute(INTS, x)[-1] == x).all()
    assert max(sizes) == samples and sum(sizes) == 300
