"""The idx format of MNIST and its successors, and the data sets kept in four such files.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats":
big-endian; bytes 0, 0, type (8 = unsigned byte), number of axes; each axis as uint32; then the values.
"""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.fetch import RemoteFile, fetch
from bitwright.data.root import data_root, first_file
from bitwright.data.spec import InputSpec
from bitwright.data.split import hold_out

N_VALIDATION = 5000


@dataclass(frozen=True)
class IdxFile:
    """One original file: its name, size and checksum as distributed (.gz), and the sha256 of its unpacked bytes."""

    name: str
    n_bytes: int
    checksum: str
    content_sha256: str


@dataclass(frozen=True)
class IdxDataset:
    """A data set of four idx files.

    folders: where they may lie below the data root, besides the root itself; fetched ones are put into the first.
    files: train images, train labels, test images, test labels.
    """

    name: str
    folders: tuple[str, ...]
    url: str
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]
    classes: tuple[str, ...]
    source: str
    licence: str

    def is_present(self, root=None) -> bool:
        """Whether all four files lie below the root (see `data_root`), so that loading fetches nothing."""
        folder = data_root(root)
        return all(first_file(self._candidates(folder, file)) for file in self.files)

    def load(self, root=None, validation: bool = True, seed: int = 0) -> Dataset:
        """uint8 (N, 1, 28, 28): 55,000 / 5,000 / 10,000 rows, validation stratified and fixed by seed.

        Missing files are fetched (FetchError); a file whose content is not the original raises ValueError.
        """
        folder = data_root(root)
        x, y, x_test, y_test = (self._read(folder, file) for file in self.files)
        x, x_test, y, y_test = x[:, None], x_test[:, None], y.astype(np.int64), y_test.astype(np.int64)
        spec = InputSpec("image", x.shape[1:], "uint8", 0, 255, mode="L")
        parts = hold_out(x, y, N_VALIDATION if validation else 0, seed)
        return Dataset(self.name, *parts, x_test, y_test, list(self.classes), spec, self.source, self.licence)

    def _candidates(self, root: Path, file: IdxFile) -> list[Path]:
        """Where a file may lie: gzipped or not, with the dot of the unpacked originals, in a folder or in the root."""
        plain = file.name.removesuffix(".gz")
        names = (file.name, plain, plain.replace("-idx", ".idx"))
        return [root / folder / name for folder in (*self.folders, ".") for name in names]

    def _read(self, root: Path, file: IdxFile) -> np.ndarray:
        path = first_file(self._candidates(root, file))
        if path is None:
            home = f"{self.folders[0]}/{file.name}"
            path = fetch(RemoteFile(home, (self.url + file.name,), file.n_bytes, file.checksum), root)
        content = _unpack(path, self.name)
        found = hashlib.sha256(content).hexdigest()
        if found != file.content_sha256:
            raise ValueError(
                f"{self.name}: {path} unpacks to {len(content):,} bytes with sha256 {found}, expected "
                f"{file.content_sha256}: damaged, or the file of another data set; delete it to have the original "
                f"fetched, or put that there"
            )
        return parse_idx(content, str(path))


def _unpack(path: Path, name: str) -> bytes:
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{name}: {path} is cut off or damaged ({error}); delete it to have the original fetched, or put that there"
        ) from error


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """The uint8 array of an idx file. name is for the ValueError if header and length disagree."""
    n_axes = content[3] if len(content) > 3 else 0
    start = 4 + 4 * n_axes
    if content[:3] != b"\0\0\x08" or len(content) < start:
        raise ValueError(f"idx: {name} starts with {content[:4].hex()}, expected 0000 08 and the number of axes")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", n_axes, offset=4))
    if len(content) - start != np.prod(shape, dtype=object):
        raise ValueError(f"idx: {name} holds {len(content) - start:,} values, its header says {shape}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()  # writable, as torch asks
