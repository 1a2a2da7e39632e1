"""Which data a command works on: a data set by name, a folder of images, a CSV, or a .npz of arrays X and y."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitwright.data import DATASETS, Dataset, from_arrays, from_csv, from_folder, load_data


@dataclass(frozen=True)
class Source:
    """data: a name of DATASETS or a path. target: the CSV's column of classes. size, grey: what images are made into.

    Own data is split with seed 0, whatever the recipe's seed, so that every seed sees the same test set.
    """

    data: str
    target: str = ""
    size: int = 32
    grey: bool = False

    @property
    def is_named(self) -> bool:
        return self.data in DATASETS or not (Path(self.data).exists() or "/" in self.data or Path(self.data).suffix)

    def open(self, validation: bool = True) -> Dataset:
        """The Dataset; without validation its rows go to training, never to the test set.

        Raises ValueError or FileNotFoundError, naming what is wrong with the data and the way out.
        """
        path, held_out = Path(self.data), 0.1 if validation else 0.0
        if self.is_named:
            return load_data(self.data, validation=validation)
        if not path.exists():
            raise FileNotFoundError(f"data: no file or folder {path}; known data sets: {', '.join(DATASETS)}")
        if path.is_dir():
            return from_folder(path, self.size, "L" if self.grey else "RGB", validation=held_out)
        if path.suffix.lower() == ".csv":
            if not self.target:
                raise ValueError(f"data: {path} is a table; say which column holds the classes: --target COLUMN")
            return from_csv(path, self.target, validation=held_out)
        if path.suffix.lower() == ".npz":
            return self._arrays(path, held_out)
        raise ValueError(f"data: {path} is not a folder of images, a .csv, a .npz, or one of {', '.join(DATASETS)}")

    def _arrays(self, path: Path, held_out: float) -> Dataset:
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in ("X", "y") if name not in arrays]
            if missing:
                raise ValueError(f"data: {path} has no array {missing[0]!r}; write it with np.savez(path, X=X, y=y)")
            return from_arrays(arrays["X"], arrays["y"], validation=held_out)

    @property
    def name(self) -> str:
        return self.data if self.is_named else Path(self.data).resolve().stem
