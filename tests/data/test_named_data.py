import hashlib

import numpy as np
import pytest
from needs import needs_data

from bitwright.data import load_data

# rows per class of the test sets, as their authors publish them
TEST_COUNTS = {
    "mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    "fashion_mnist": [1000] * 10,
    "cifar10": [1000] * 10,
}
TRAIN_COUNTS = {
    "mnist": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "fashion_mnist": [6000] * 10,
    "cifar10": [5000] * 10,
}
SHAPES = {"mnist": (1, 28, 28), "fashion_mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
NAMES = [pytest.param(name, marks=needs_data(name)) for name in SHAPES]


@pytest.mark.parametrize("name", NAMES)
def test_splits_are_the_published_ones_and_validation_comes_out_of_training(name):
    data = load_data(name)
    assert data.x_train.shape[1:] == data.input.shape == SHAPES[name]
    assert (data.input.dtype, data.input.lo, data.input.hi) == ("uint8", 0, 255)
    assert np.bincount(data.y_test).tolist() == TEST_COUNTS[name]
    assert len(data.y_val) == 5000 and len(data.classes) == 10
    assert (np.bincount(data.y_train) + np.bincount(data.y_val)).tolist() == TRAIN_COUNTS[name]
    assert np.abs(np.bincount(data.y_val) - np.array(TRAIN_COUNTS[name]) * 5000 / sum(TRAIN_COUNTS[name])).max() <= 1
    assert data.name == name and data.source and data.licence
    assert data.x_test.flags.writeable and data.x_train.flags.writeable  # or torch warns


@needs_data("mnist")
def test_first_mnist_rows_are_the_well_known_ones():
    data, split = load_data("mnist", validation=False), load_data("mnist")
    assert data.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.x_train[0, 0, 5, 12:16].tolist() == [3, 18, 18, 18]
    sums = [int(part.sum(dtype=np.int64)) for part in (split.x_train, split.x_val, data.x_train)]
    assert sums[0] + sums[1] == sums[2] and len(data.y_val) == 0


def test_digits_ship_with_the_package(tmp_path):
    data = load_data("digits", root=tmp_path)
    y = np.concatenate([data.y_train, data.y_val, data.y_test])
    x = np.concatenate([data.x_train, data.x_val, data.x_test])
    assert (len(data.y_train), len(data.y_val), len(data.y_test)) == (1197, 200, 400)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # UCI's optdigits.names
    assert x.dtype == np.uint8 and x.shape == (1797, 1, 8, 8) and (x.min(), x.max()) == (0, 16)
    assert len(np.unique(x.reshape(1797, 64), axis=0)) == 1797  # so no test row can be a training row
    for part in (data.y_val, data.y_test):
        assert np.abs(np.bincount(part) - len(part) * np.bincount(y) / len(y)).max() < 1.5
    assert (data.input.lo, data.input.hi, data.input.mode, data.licence) == (0, 16, "L", "CC BY 4.0")


def test_digits_equal_scikit_learns_copy():
    datasets = pytest.importorskip("sklearn.datasets", reason="needs scikit-learn: pip install scikit-learn")
    theirs, ours = datasets.load_digits(), load_data("digits", validation=False)
    x, y = np.concatenate([ours.x_train, ours.x_test]), np.concatenate([ours.y_train, ours.y_test])
    rows = {tuple(row) for row in np.column_stack([x.reshape(-1, 64), y]).tolist()}
    assert rows == {tuple(row) for row in np.column_stack([theirs.data.astype(int), theirs.target]).tolist()}


def test_the_seed_moves_validation_rows_and_never_test_rows():
    first, again, other = load_data("digits"), load_data("digits", seed=0), load_data("digits", seed=1)
    assert (first.x_val == again.x_val).all() and not (first.x_val == other.x_val).all()
    assert (first.x_test == other.x_test).all() and (first.y_test == other.y_test).all()


@pytest.mark.parametrize(
    ("name", "digest"),
    [("digits", "dafb9424bb930775"), pytest.param("mnist", "437d2fecac452e0e", marks=needs_data("mnist"))],
)
def test_the_validation_rows_never_move(name, digest):
    """Whatever the NumPy: results of different days are compared on these rows."""
    assert hashlib.sha256(load_data(name).x_val.tobytes()).hexdigest()[:16] == digest


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(
        ValueError, match=r"no data set 'minst'; did you mean 'mnist'\? known: digits, mnist.*from_folder"
    ):
        load_data("minst")
    assert load_data("Digits").name == "digits"


def test_a_root_that_is_no_folder_is_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"root is '.*gone', not a folder; create it"):
        load_data("mnist", root=tmp_path / "gone")
    monkeypatch.setenv("BITWRIGHT_DATA", str(tmp_path / "lost"))
    with pytest.raises(FileNotFoundError, match=r"BITWRIGHT_DATA is '.*lost'"):
        load_data("mnist")
