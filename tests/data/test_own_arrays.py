import numpy as np
import pytest

from bitwright.data import InputSpec, from_arrays
from bitwright.data.arrays import check_array

Y = np.arange(20) % 2


def floats(n=20, f=3, dtype=np.float32):
    return np.random.default_rng(1).normal(size=(n, f)).astype(dtype)


def test_rows_keep_their_label_and_none_is_lost():
    X = np.arange(200, dtype=np.uint8).reshape(100, 2)
    y = np.where(X[:, 0] % 4 == 0, "even", "odd")
    data = from_arrays(X, y, test=0.3, validation=0.1, seed=3)
    assert (len(data.y_train), len(data.y_val), len(data.y_test)) == (60, 10, 30)
    assert data.classes == ["even", "odd"] and data.input == InputSpec("array", (2,), "uint8", 0, 255)
    x = np.concatenate([data.x_train, data.x_val, data.x_test])
    labels = np.concatenate([data.y_train, data.y_val, data.y_test])
    assert sorted(map(tuple, x.tolist())) == sorted(map(tuple, X.tolist()))
    assert (labels == (x[:, 0] % 4 != 0)).all()
    assert np.bincount(data.y_test).tolist() == [15, 15]
    again = from_arrays(X, y, test=0.3, validation=0.1, seed=3)
    assert (again.x_test == data.x_test).all() and not (from_arrays(X, y, test=0.3, seed=4).x_test == data.x_test).all()


def test_without_validation_its_rows_go_to_training_and_the_test_rows_stay():
    X, y = np.arange(100, dtype=np.uint8)[:, None], np.arange(100) % 3
    data, whole = from_arrays(X, y), from_arrays(X, y, validation=0)
    assert (data.x_test == whole.x_test).all() and len(data.y_val) == 10
    assert sorted([*data.x_train[:, 0], *data.x_val[:, 0]]) == sorted(whole.x_train[:, 0])


@pytest.mark.parametrize(
    ("X", "spec"),
    [
        (np.zeros((20, 1, 4, 5), np.uint8), InputSpec("image", (1, 4, 5), "uint8", 0, 255, mode="L")),
        (np.zeros((20, 3, 4, 5), np.uint8), InputSpec("image", (3, 4, 5), "uint8", 0, 255, mode="RGB")),
        (np.zeros((20, 2, 4, 5), np.uint8), InputSpec("array", (2, 4, 5), "uint8", 0, 255)),
        (np.zeros((20, 7), bool), InputSpec("array", (7,), "uint8", 0, 1)),
        (np.zeros((20, 7), np.float64), InputSpec("array", (7,), "float32")),
        ([[0.5, 1.5]] * 20, InputSpec("array", (2,), "float32")),
    ],
)
def test_dtype_and_shape_become_the_input_spec(X, spec):
    data = from_arrays(X, Y)
    assert data.input == spec and data.x_train.dtype == spec.dtype


@pytest.mark.parametrize(
    ("y", "classes", "names"),
    [
        (Y, None, ["0", "1"]),
        (Y * 5 - 2, None, ["-2", "3"]),
        (Y.astype(float), None, ["0", "1"]),
        (Y == 1, None, ["False", "True"]),
        (np.where(Y, "dog", "cat"), None, ["cat", "dog"]),
        (np.where(Y, "dog", "cat").astype(object), None, ["cat", "dog"]),
        (Y, ["off", "on"], ["off", "on"]),
    ],
)
def test_labels_of_any_kind(y, classes, names):
    data = from_arrays(floats(), y, classes, test=0, validation=0)
    assert data.classes == names and data.y_train.dtype == np.int64 and data.y_train.tolist() == Y.tolist()
    assert len(data.y_test) == len(data.y_val) == 0 and data.x_test.shape == (0, 3)


NAN, HUGE = floats(), floats(dtype=np.float64)
NAN[4, 1], HUGE[2, 0] = np.nan, 1e300
BAD = [
    (floats().astype(int), Y, {}, TypeError, r"X is int64, expected uint8.*X.astype\(np.float32\)"),
    (floats().astype(str), Y, {}, TypeError, r"X is <U\d+, expected uint8"),
    (floats().astype(complex), Y, {}, TypeError, r"X is complex128"),
    (NAN, Y, {}, ValueError, r"X\[4, 1\] is nan, expected finite float32 numbers; fill or remove"),
    (HUGE, Y, {}, ValueError, r"X\[2, 0\] is inf, expected finite float32"),
    (floats()[:, 0], Y, {}, ValueError, r"shape \(20,\), expected \(N, F\) features or \(N, C, H, W\)"),
    (np.zeros((20, 4, 4), np.uint8), Y, {}, ValueError, r"shape \(20, 4, 4\).*try X\[:, None\]"),
    (np.zeros((20, 4, 4, 3), np.uint8), Y, {}, ValueError, r"channels first; try X.transpose\(0, 3, 1, 2\)"),
    (np.zeros((20, 3, 4, 4)), Y, {}, TypeError, r"float64 images, expected uint8 0..255; .*\(X \* 255\)"),
    (np.zeros((20, 0), np.uint8), Y, {}, ValueError, r"shape \(20, 0\)"),
    (floats(0), Y[:0], {}, ValueError, r"X has no rows"),
    (floats(), Y[:19], {}, ValueError, r"X has 20 rows, y has 19"),
    (floats(), Y[:, None], {}, ValueError, r"y has shape \(20, 1\).*y.ravel\(\)"),
    (floats(), Y + 0.5, {}, ValueError, r"y\[0\] is 0.5, expected a class"),
    (floats(), np.where(Y, np.nan, 1), {}, ValueError, r"y\[1\] is nan"),
    (floats(), Y * 1j, {}, TypeError, r"y is complex128"),
    (floats(), Y + 1, {"classes": ["a", "b"]}, ValueError, r"with 2 class names given, y must hold integers 0..1"),
    (floats(), np.where(Y, "a", "b"), {"classes": ["a", "b"]}, ValueError, r"leave out `classes`"),
    (floats(), Y * 0, {}, ValueError, r"only the class '0'; a classifier needs rows of at least two classes"),
    (floats(), np.r_[Y[:-1], 7], {}, ValueError, r"too few rows of class '7' \(1\); .* at least 2 \(one to train, one"),
    (floats(), np.arange(20), {}, ValueError, r"'4' \(1\) and 15 more; .*cut it into a few ranges"),
    (floats(), Y, {"classes": ["a", "b", "c"]}, ValueError, r"too few rows of class 'c' \(0\)"),
    (floats(), Y, {"test": 0.7, "validation": 0.3}, ValueError, r"test=0.7, validation=0.3; expected fractions"),
    (floats(), Y, {"test": -0.1}, ValueError, r"test=-0.1"),
]


@pytest.mark.parametrize(("X", "y", "options", "kind", "said"), BAD, ids=[case[-1][:30] for case in BAD])
def test_bad_arrays_are_named_with_rule_and_way_out(X, y, options, kind, said):
    with pytest.raises(kind, match=said):
        from_arrays(X, y, **options)


def test_one_row_a_class_is_enough_without_a_test_set():
    assert len(from_arrays(floats(3), ["a", "b", "c"], test=0).y_train) == 3


DIGIT = InputSpec("image", (1, 2, 2), "uint8", 0, 16, mode="L")


@pytest.mark.parametrize(
    ("x", "kind", "said"),
    [
        (np.full((5, 1, 2, 2), 17, np.uint8), ValueError, r"x\[0, 0, 0, 0\] is 17, expected 0..16, the range of the"),
        (np.zeros((5, 1, 2, 3), np.uint8), ValueError, r"x has shape \(5, 1, 2, 3\), expected \(N, 1, 2, 2\)"),
        (np.zeros((5, 1, 2, 2)), TypeError, r"x is float64, expected uint8 in 0..16; .*x.astype\(np.uint8\)"),
    ],
)
def test_arrays_for_prediction_must_be_like_the_training_data(x, kind, said):
    with pytest.raises(kind, match=said):
        check_array(x, DIGIT, "x")


def test_one_row_and_no_row_are_rows():
    assert check_array(np.zeros((1, 2, 2), np.uint8), DIGIT, "x").shape == (1, 1, 2, 2)
    assert check_array(np.zeros((0, 1, 2, 2), np.uint8), DIGIT, "x").shape == (0, 1, 2, 2)
