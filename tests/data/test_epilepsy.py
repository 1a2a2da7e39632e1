"""Epilepsy: bytes of every value there can be, a file by hand, and the published counts."""

import hashlib
import math
from fractions import Fraction

import numpy as np
import pytest

from bitwright.data import FetchError, epilepsy, is_present, load_data
from bitwright.data.epilepsy import CLASSES, parse, to_bytes


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


def test_both_files_come_by_name_and_checksum_and_a_cut_one_does_not(tmp_path, monkeypatch):
    """From a server that is a folder here; contents of our own under the archive's names."""
    served, root = tmp_path / "served" / "epilepsy", tmp_path / "root"
    served.mkdir(parents=True)
    root.mkdir()
    files = []
    for name, kinds in (("Epilepsy_TRAIN.ts", CLASSES * 5), ("Epilepsy_TEST.ts", CLASSES)):
        rows = [":".join([",".join([f"0.{i:02d}"] * 206)] * 3 + [kind]) for i, kind in enumerate(kinds)]
        text = "\n".join(["@data", *rows, ""]).encode()
        (served / name).write_bytes(text)
        files.append((name, len(text), hashlib.sha256(text).hexdigest()))
    assert [name for name, _, _ in epilepsy.FILES] == [name for name, _, _ in files]
    monkeypatch.setattr(epilepsy, "FILES", tuple(files))
    monkeypatch.setenv("BITWRIGHT_MIRROR", (tmp_path / "served").as_uri())
    whole = (served / "Epilepsy_TEST.ts").read_bytes()
    (served / "Epilepsy_TEST.ts").write_bytes(whole[:-9])
    with pytest.raises(FetchError, match="Epilepsy_TEST.ts was cut off"):
        load_data("epilepsy", root)
    assert not is_present("epilepsy", root)
    assert [path.name for path in (root / "epilepsy").iterdir()] == ["Epilepsy_TRAIN.ts"]
    (served / "Epilepsy_TEST.ts").write_bytes(whole)
    data = load_data("epilepsy", root)
    assert data.x_test.shape == (4, 3, 1, 206) and data.y_test.tolist() == [0, 1, 2, 3] and is_present("epilepsy", root)
    monkeypatch.setenv("BITWRIGHT_MIRROR", "http://127.0.0.1:9")  # nothing is fetched twice
    assert len(load_data("epilepsy", root).x_train) == 16
