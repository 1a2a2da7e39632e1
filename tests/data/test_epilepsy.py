"""Epilepsy: bytes of every value there can be, a file by hand, and the published counts."""

import math
from fractions import Fraction

import numpy as np
import pytest

from bitwright.data import is_present, load_data
from bitwright.data.epilepsy import parse, to_bytes


def test_bytes_of_every_value():
    for hundredths in range(-359, 360):
        exact = 128 + 35 * Fraction(hundredths, 100)
        assert to_bytes(f"{hundredths / 100:.2f}") == math.floor(exact + Fraction(1, 2))
    assert to_bytes("-3.59") == 2 and to_bytes("3.59") == 254 and to_bytes("0.1") == 132


def test_a_file_by_hand():
    axes = [",".join([str(value)] * 206) for value in (0.35, -1, 2)]
    text = "#% people\n@data\n" + ":".join([*axes, "SAWING"]) + "\n" + ":".join([*axes[::-1], "EPILEPSY"]) + "\n"
    x, y = parse(text)
    assert x.shape == (2, 3, 1, 206) and x.dtype == np.uint8 and y.tolist() == [3, 0]
    assert [int(v) for v in x[0, :, 0, 5]] == [140, 93, 198] and (x[1, ::-1] == x[0]).all()


def test_counts_are_the_archives():
    if not is_present("epilepsy"):
        return  # not among the tests' own data; checksums are checked at every load
    data, mixed = load_data("epilepsy"), load_data("epilepsy_mixed", validation=False)
    assert (len(data.y_train), len(data.y_val), len(data.y_test)) == (110, 27, 138)
    assert np.bincount(np.concatenate([data.y_train, data.y_val])).tolist() == [34, 37, 36, 30]
    assert (len(mixed.y_train), len(mixed.y_test)) == (206, 69) and np.bincount(mixed.y_test).min() >= 14
    assert data.input.shape == (3, 1, 206) and data.classes[0] == "epilepsy"


def test_a_changed_file_is_named(tmp_path):
    for name in ("Epilepsy_TRAIN.ts", "Epilepsy_TEST.ts"):
        (tmp_path / "epilepsy").mkdir(exist_ok=True)
        (tmp_path / "epilepsy" / name).write_text("@data\n")
    with pytest.raises(ValueError, match="not the original file"):
        load_data("epilepsy", tmp_path)
