"""CIFAR-10's layouts. The original python batches are built anew, byte for byte (their published md5s say so)."""

import hashlib
import io
import lzma
import os
import pickle
import tarfile
from struct import pack

import numpy as np
import pytest
from needs import needs_data, needs_pillow

from bitwright.data import data_root, load_data
from bitwright.data.cifar10_layouts import BATCHES, LAYOUTS

# https://www.cs.toronto.edu/~kriz/cifar.html, as torchvision and others check them
PUBLISHED_MD5 = (
    "c99cafc152244af753f735de768cd75f",
    "d4bba439e000b95fd0a9bffe97cbabec",
    "54ebc095f3ab1f0389bbae665268c751",
    "634d18415352ddfa80567beed471001a",
    "482c414d41f54cd18b22e5b47cb7c3cb",
    "40351d587109b95175f43aff81a1287e",
)


def python2_pickle(title, labels, pixels, names):
    """The bytes Python 2's cPickle wrote: protocol 2, every object but numbers and tuples remembered under a number."""
    memo = iter(range(1, 1 << 30))

    def put():
        number = next(memo)
        return b"q" + bytes([number]) if number < 256 else b"r" + pack("<I", number)

    def string(text):
        return b"U" + bytes([len(text)]) + text + put()

    def items(encoded):
        return b"".join(b"(" + b"".join(encoded[i : i + 1000]) + b"e" for i in range(0, len(encoded), 1000))

    parts = [b"\x80\x02}" + put() + b"(" + string(b"batch_label") + string(title)]
    parts += [string(b"labels") + b"]" + put() + items([b"K" + bytes([label]) for label in labels])]
    parts += [string(b"data") + b"cnumpy.core.multiarray\n_reconstruct\n" + put() + b"cnumpy\nndarray\n" + put()]
    parts += [
        b"K\0\x85U\x01b\x87R" + put() + b"(K\x01M\x10'M\x00\x0c\x86cnumpy\ndtype\n" + put() + b"U\x02u1K\0K\x01\x87R"
    ]
    parts += [put() + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T" + pack("<I", len(pixels)) + pixels]
    parts += [b"tb" + string(b"filenames") + b"]" + put() + items([string(name) for name in names]) + b"u."]
    return b"".join(parts)


@pytest.fixture(scope="module")
def whole():
    """(x uint8 (60000, 3, 32, 32), y) in the original order."""
    data = load_data("cifar10", validation=False)
    assert len(data.y_val) == 0
    return np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])


@pytest.fixture(scope="module")
def originals(whole, tmp_path_factory):
    """A folder with the python and the binary version."""
    root = tmp_path_factory.mktemp("originals")
    names_file = data_root() / "cifar10" / "filenames.txt.xz"
    names = lzma.open(names_file).read().split(b"\n") if names_file.exists() else [b"?.png"] * 60_000
    for folder in ("cifar-10-batches-py", "cifar-10-batches-bin"):
        (root / folder).mkdir()
    for k, batch in enumerate(BATCHES):
        rows = slice(10_000 * k, 10_000 * (k + 1))
        x, y = whole[0][rows].reshape(10_000, 3072), whole[1][rows].astype(np.uint8)
        title = f"training batch {k + 1} of 5" if k < 5 else "testing batch 1 of 1"
        content = python2_pickle(title.encode(), y.tolist(), x.tobytes(), names[rows])
        if names_file.exists():
            assert hashlib.md5(content).hexdigest() == PUBLISHED_MD5[k]
        (root / "cifar-10-batches-py" / batch).write_bytes(content)
        (root / "cifar-10-batches-bin" / f"{batch}.bin").write_bytes(np.column_stack([y, x]).tobytes())
    return root


def assert_reads_as(root, whole):
    read = load_data("cifar10", root=root, validation=False)
    assert (read.x_train == whole[0][:50_000]).all() and (read.x_test == whole[0][50_000:]).all()
    assert (read.y_train == whole[1][:50_000]).all() and (read.y_test == whole[1][50_000:]).all()


@needs_data("cifar10")
@pytest.mark.parametrize("folder", ["cifar-10-batches-py", "cifar-10-batches-bin"])
def test_original_folders(originals, whole, tmp_path, folder):
    (tmp_path / folder).symlink_to(originals / folder)
    assert_reads_as(tmp_path, whole)


@needs_data("cifar10")
@pytest.mark.parametrize("version", ["py", "bin"])
def test_original_archives(originals, whole, tmp_path, version):
    name = {"py": "cifar-10-python.tar.gz", "bin": "cifar-10-binary.tar.gz"}[version]
    (tmp_path / "cifar10").mkdir()
    with tarfile.open(tmp_path / "cifar10" / name, "w:gz", compresslevel=0) as archive:
        archive.add(originals / f"cifar-10-batches-{version}", f"cifar-10-batches-{version}")
    assert_reads_as(tmp_path, whole)


@needs_pillow
def test_webp_tiles_are_read_row_by_row(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(2)
    x = rng.integers(0, 256, (100, 100, 32, 32, 3), np.uint8)  # row of tiles, column of tiles, height, width, colour
    sheet = x.transpose(0, 2, 1, 3, 4).reshape(3200, 3200, 3)
    assert (sheet[32:64, 96:128] == x[1, 3]).all()
    Image.fromarray(sheet).save(tmp_path / f"{BATCHES[0]}.webp", lossless=True, quality=0, method=0)
    np.save(tmp_path / "labels.npy", (np.arange(60_000) % 10).astype(np.uint8))
    layout = next(layout for layout in LAYOUTS if layout.path == ".")
    pixels, labels = next(layout.read(tmp_path))
    assert (pixels[103].transpose(1, 2, 0) == x[1, 3]).all() and labels[103] == 3


class Trap:
    def __reduce__(self):
        return os.mkdir, ("trapped",)


def python_folder(root, content):
    (root / "cifar-10-batches-py").mkdir()
    for batch in BATCHES:
        (root / "cifar-10-batches-py" / batch).write_bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pickle.dumps({b"data": Trap(), b"labels": [0]}), r"cannot be read .UnpicklingError: it asks for posix.mkdir"),
        (b"\x80\x02}q\x01(U", "cannot be read"),
        (b"", "cannot be read .EOFError"),
        (pickle.dumps({b"labels": [0]}), "cannot be read .KeyError"),
        (
            python2_pickle(b"t", [0] * 10_000, bytes(10_000 * 3072), [b"a"]),
            "does not hold the original pixels and labels",
        ),
    ],
    ids=["hostile", "cut off", "empty", "without pixels", "other pixels"],
)
def test_a_damaged_or_hostile_batch_is_named_and_not_obeyed(tmp_path, monkeypatch, content, said):
    monkeypatch.chdir(tmp_path)
    python_folder(tmp_path, content)
    with pytest.raises(
        ValueError, match=rf"cifar10: data_batch_1 in .*cifar-10-batches-py {said}.*replace it, or remove"
    ):
        load_data("cifar10", root=tmp_path)
    assert not (tmp_path / "trapped").exists()


def test_an_archive_that_is_cut_off_is_named(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        member.size = 100_000
        archive.addfile(member, io.BytesIO(np.random.default_rng(0).bytes(100_000)))
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(packed.getvalue()[:50_000])
    with pytest.raises(ValueError, match=r"data_batch_1 in .*cifar-10-python.tar.gz cannot be read \(EOFError"):
        load_data("cifar10", root=tmp_path)
