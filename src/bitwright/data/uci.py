"""What the small UCI tables share: files below uci/, columns of categories, one 0/1 feature a category or range.

Source of all: UCI Machine Learning Repository, https://archive.ics.uci.edu. Licence: CC BY 4.0.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitwright.data.csv_file import CsvFile
from bitwright.data.fetch import RemoteFile, fetch
from bitwright.data.root import data_root, first_file
from bitwright.data.spec import InputSpec
from bitwright.data.table import encode_table

URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/"
LICENCE = "CC BY 4.0"


@dataclass(frozen=True)
class UciFile:
    """A file of the repository: its folder there, name, size and sha256."""

    folder: str
    name: str
    n_bytes: int
    sha256: str

    def find(self, root: Path) -> Path | None:
        return first_file([root / "uci" / self.name, root / self.folder / self.name, root / self.name])

    def lines(self, root=None) -> list[str]:
        """The file's lines, fetched if it is not below the root. Raises ValueError for another content."""
        folder = data_root(root)
        path = self.find(folder)
        if path is None:
            remote = RemoteFile(
                f"uci/{self.name}", (f"{URL}{self.folder}/{self.name}",), self.n_bytes, f"sha256:{self.sha256}"
            )
            path = fetch(remote, folder)
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError(f"data: {path} is not the original file (sha256 differs); delete it to fetch it again")
        return content.decode().splitlines()


def are_present(files: tuple[UciFile, ...], root=None) -> bool:
    """Whether all files lie below the root, so that loading fetches nothing."""
    folder = data_root(root)
    return all(file.find(folder) for file in files)


def table_spec(columns: dict[str, list[str] | list[float]]) -> InputSpec:
    """Columns in order: names of categories, or the rising edges of a number's ranges; 0/1 features in all."""
    categories = {name: [str(v) for v in values] for name, values in columns.items() if isinstance(values[0], str)}
    bins = {name: [float(v) for v in values] for name, values in columns.items() if name not in categories}
    width = sum(len(values) + (name in bins) for name, values in columns.items())
    return InputSpec(
        "table", (width,), "uint8", 0, 1, columns=list(columns), categories=categories or None, bins=bins or None
    )


def as_table(cells: list[list[str]], spec: InputSpec, name: str) -> np.ndarray:
    """cells: a row's columns in the spec's order -> uint8 (N, F) of 0 and 1. Raises as encode_table does."""
    file = CsvFile(Path(name), list(spec.columns or ()), cells, list(range(1, len(cells) + 1)))
    return encode_table(file, spec)
