"""The layouts CIFAR-10 is passed around in; each reads as six batches of pixels and labels in the original order.

Layout of the python and binary versions: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import io
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitwright.data.images import pillow

BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
N_BATCH = 10_000  # images in each
Batch = tuple[np.ndarray, np.ndarray]  # pixels uint8 (10000, 3, 32, 32), labels uint8 (10000,)


class _PlainArrays(pickle.Unpickler):
    """Unpickles dicts, lists, bytes and NumPy arrays, and refuses everything else: a pickle can run any code."""

    _ALLOWED = {
        "_reconstruct": np.empty(0).__reduce__()[0],  # wherever this NumPy keeps it
        "ndarray": np.ndarray,
        "dtype": np.dtype,
    }

    def find_class(self, module_name: str, global_name: str):
        if module_name.startswith("numpy") and global_name in self._ALLOWED:
            return self._ALLOWED[global_name]
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")


def _parse_python(content: bytes) -> Batch:
    batch = _PlainArrays(io.BytesIO(content), encoding="bytes").load()
    return batch[b"data"].reshape(-1, 3, 32, 32), np.array(batch[b"labels"], np.uint8)


def _parse_binary(content: bytes) -> Batch:
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + 3072)  # a label, then its pixels
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


def _read_files(suffix: str, parse: Callable[[bytes], Batch]) -> Callable[[Path], Iterator[Batch]]:
    def read(folder: Path) -> Iterator[Batch]:
        for batch in BATCHES:
            yield parse((folder / (batch + suffix)).read_bytes())

    return read


def _read_archive(suffix: str, parse: Callable[[bytes], Batch]) -> Callable[[Path], Iterator[Batch]]:
    def read(path: Path) -> Iterator[Batch]:
        import tarfile  # here, because it is slow to import and few keep the archive

        wanted = {batch + suffix for batch in BATCHES}
        contents = {}
        with tarfile.open(path) as archive:  # in memory: nothing is unpacked onto the disk
            for member in archive:
                name = member.name.rpartition("/")[2]
                opened = archive.extractfile(member) if name in wanted else None
                if opened is not None:
                    contents[name] = opened.read()
        for batch in BATCHES:
            yield parse(contents[batch + suffix])

    return read


def _read_webp(folder: Path) -> Iterator[Batch]:
    """One lossless WebP a batch: 100 x 100 tiles of 32 x 32, row by row; labels.npy has all 60,000 labels."""
    labels = np.load(folder / "labels.npy").reshape(len(BATCHES), N_BATCH)
    for k, batch in enumerate(BATCHES):
        with pillow().open(folder / f"{batch}.webp") as image:
            tiles = np.asarray(image).reshape(100, 32, 100, 32, 3)
        yield tiles.transpose(0, 2, 4, 1, 3).reshape(N_BATCH, 3, 32, 32), labels[k]


@dataclass(frozen=True)
class Layout:
    """One way CIFAR-10 lies on disk.

    path: folder or archive, below the root or its cifar10/. needs: the files a folder must hold. read: to six batches.
    """

    path: str
    needs: tuple[str, ...]
    read: Callable[[Path], Iterator[Batch]]

    def find(self, root: Path) -> Path | None:
        """Where this layout lies below the root, or None if it, or one of its files, is missing."""
        for place in (root / "cifar10" / self.path, root / self.path):
            if place.is_dir() if self.needs else place.is_file():
                if all((place / name).is_file() for name in self.needs):
                    return place
        return None


LAYOUTS = (  # the fastest to read first
    Layout("cifar-10-batches-py", BATCHES, _read_files("", _parse_python)),
    Layout("cifar-10-batches-bin", tuple(f"{name}.bin" for name in BATCHES), _read_files(".bin", _parse_binary)),
    Layout(".", (*(f"{name}.webp" for name in BATCHES), "labels.npy"), _read_webp),
    Layout("cifar-10-python.tar.gz", (), _read_archive("", _parse_python)),
    Layout("cifar-10-binary.tar.gz", (), _read_archive(".bin", _parse_binary)),
)
