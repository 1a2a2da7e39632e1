"""MNIST's format and the places its files may lie, on a made data set of 40 + 10 rows."""

import gzip
import hashlib

import numpy as np
import pytest

from bitwright.data.idx import IdxDataset, IdxFile, parse_idx

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx_bytes(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + bytes(array.ravel().tolist())


@pytest.fixture
def made():
    """(the data set, name -> unpacked bytes, the four arrays)"""
    rng = np.random.default_rng(5)
    arrays = [
        rng.integers(0, 256, (40, 6, 5), np.uint8),
        np.arange(40, dtype=np.uint8) % 4,
        rng.integers(0, 256, (10, 6, 5), np.uint8),
        np.arange(10, dtype=np.uint8) % 4,
    ]
    contents = {name: idx_bytes(array) for name, array in zip(NAMES, arrays)}
    files = tuple(
        IdxFile(f"{name}.gz", 0, "sha256:unused", hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )
    data_set = IdxDataset("made", ("made", "MADE/raw"), "http://127.0.0.1:9/", files, tuple("abcd"), "a test", "none")
    return data_set, contents, arrays


PLACES = {
    "gzipped in its folder": "made/{}.gz",
    "unpacked in its folder": "made/{}",
    "gzipped in the root": "{}.gz",
    "unpacked in the root": "{}",
    "torchvision's folder": "MADE/raw/{}",
    "unpacked with a dot": "dotted",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_files_are_found_where_people_keep_them(made, tmp_path, place):
    data_set, contents, arrays = made
    assert not data_set.is_present(tmp_path)
    for name, content in contents.items():
        path = tmp_path / (name.replace("-idx", ".idx") if place == "dotted" else place.format(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    assert data_set.is_present(tmp_path)
    data = data_set.load(tmp_path, validation=False)
    assert data.x_train.flags.writeable and data.x_test.flags.writeable  # or torch warns
    assert data.x_train.shape == (40, 1, 6, 5) and (data.x_train[:, 0] == arrays[0]).all()
    assert (
        (data.y_train == arrays[1]).all()
        and (data.x_test[:, 0] == arrays[2]).all()
        and (data.y_test == arrays[3]).all()
    )


def lay_out(contents, folder):
    folder.mkdir()
    for name, content in contents.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))


def test_a_half_downloaded_file_is_named(made, tmp_path):
    data_set, contents, _ = made
    lay_out(contents, tmp_path / "made")
    path = tmp_path / "made" / f"{NAMES[2]}.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        ValueError, match=rf"made: .*{NAMES[2]}.gz is cut off or damaged .*delete it to have .* fetched"
    ):
        data_set.load(tmp_path)


def test_one_wrong_pixel_is_noticed(made, tmp_path):
    data_set, contents, _ = made
    wrong = bytearray(contents[NAMES[0]])
    wrong[500] ^= 1
    lay_out(contents | {NAMES[0]: bytes(wrong)}, tmp_path / "made")
    with pytest.raises(ValueError, match=rf"{NAMES[0]}.gz unpacks to 1,216 bytes with sha256 .*, expected .*: damaged"):
        data_set.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "starts with , expected"),
        (b"\0\0\x09\x01\0\0\0\x01x", "starts with 00000901"),
        (b"\0\0\x08\x03\0\0\0\x01", "starts with 00000803"),
        (b"\0\0\x08\x01\0\0\0\x05abcd", r"holds 4 values, its header says \(5,\)"),
        (
            b"\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xffabcd",
            r"holds 4 values, its header says \(4294967295, 4294967295\)",
        ),
    ],
)
def test_a_header_that_lies_is_an_error(content, problem):
    with pytest.raises(ValueError, match=f"idx: f {problem}"):
        parse_idx(content, "f")
