"""One word on the command line -> a data set: `--data mnist | photos/ | t.csv | xy.npz`."""

import os
from pathlib import Path

import numpy as np

from bitwright.data.arrays import from_arrays
from bitwright.data.csv_file import read_csv
from bitwright.data.dataset import Dataset
from bitwright.data.folder import from_folder
from bitwright.data.named import DATASETS, load_data
from bitwright.data.table import from_csv


def open_data(
    source: str | os.PathLike,
    root: str | os.PathLike | None = None,
    validation: bool = True,
    seed: int = 0,
    target: str | None = None,
    size: int = 32,
    mode: str = "RGB",
) -> Dataset:
    """Dataset of a name in DATASETS, a folder of class folders, a .csv, or an .npz that holds X and y.

    root: for a name, see `load_data`. target: for a .csv, its column of classes. size, mode: for a folder of images.
    validation: whether to hold out validation rows. A name wins over a folder of that name in the current folder: write
    ./mnist for that. Raises the errors of load_data, from_folder, from_csv and from_arrays; ValueError for other files.
    """
    path, share = Path(source), 0.1 if validation else 0.0
    if str(source).lower().replace("-", "_") in DATASETS:
        return load_data(str(source), root, validation, seed)
    if path.is_dir():
        return from_folder(path, size, mode, validation=share, seed=seed)
    if path.suffix.lower() == ".csv":
        if target is None:
            columns = ", ".join(read_csv(path).header)
            raise ValueError(f"data: {path} needs target=, the column of classes (--target); its columns: {columns}")
        return from_csv(path, target, validation=share, seed=seed)
    if path.suffix.lower() == ".npz" and path.is_file():
        with np.load(path, allow_pickle=False) as arrays:
            if not {"X", "y"} <= set(arrays):
                raise ValueError(f"data: {path} holds {', '.join(arrays)}; expected X and y: np.savez(path, X=X, y=y)")
            return from_arrays(arrays["X"], arrays["y"], validation=share, seed=seed)
    if path.exists():
        raise ValueError(f"data: {path} is none of: a folder with a subfolder a class, a .csv, an .npz with X and y")
    return load_data(str(source), root, validation, seed)  # names what is known
