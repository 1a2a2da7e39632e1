"""Epilepsy: wrist accelerations of healthy people who walk, run, saw or mimic a seizure; 275 signals of 3 x 206.

Source: J. R. Villar et al. 2016, Int. J. Neural Systems 26(6), by way of the UEA archive, whose text files are read. No
licence is stated there. 16 Hz, three axes, values of two decimals within +-3.59; 128 + round(35 x) makes bytes of them.
Splits: `epilepsy`, the archive's, three people to train and three others to test; `epilepsy_mixed`, 206 / 69 signals of
all six people at random, as in the G-Net paper's experiments (not the same rows). A fifth of the training signals is
for validation.
"""

import hashlib
from pathlib import Path

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.fetch import RemoteFile, fetch
from bitwright.data.root import data_root, first_file
from bitwright.data.spec import InputSpec
from bitwright.data.split import hold_out, stratified_split

_PLACE = "https://raw.githubusercontent.com/npschafer/MTS-DA/2df2eea2c62d672e660dd37da04c5ac0dce3c383/data/Epilepsy/"
FILES = (
    ("Epilepsy_TRAIN.ts", 463_710, "e2555afb91b2484831bcc66b3b5db3a362ba0697e855cfbb041eac165e371022"),
    ("Epilepsy_TEST.ts", 471_837, "e68e220e31a9235fd7da23bbae2e59bd8315a3cc4c2b12f803885235b61b52ac"),
)
CLASSES = ("EPILEPSY", "WALKING", "RUNNING", "SAWING")
SHAPE = (3, 1, 206)
N_MIXED_TEST = 69


def is_present(root=None) -> bool:
    """Whether both files lie below the root."""
    return all(_find(name, data_root(root)) for name, _, _ in FILES)


def load(root=None, validation: bool = True, seed: int = 0) -> Dataset:
    """uint8 (N, 3, 1, 206); 137 / 138 signals, of different people. A changed file raises ValueError."""
    (x, y), (x_test, y_test) = (_read(*file, root) for file in FILES)
    return _dataset("epilepsy", x, y, x_test, y_test, validation, seed)


def load_mixed(root=None, validation: bool = True, seed: int = 0) -> Dataset:
    """uint8 (N, 3, 1, 206); 206 / 69 signals, stratified, the test set fixed."""
    (x, y), (x_test, y_test) = (_read(*file, root) for file in FILES)
    x, y = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    rest, test = stratified_split(y, N_MIXED_TEST, 0)
    return _dataset("epilepsy_mixed", x[rest], y[rest], x[test], y[test], validation, seed)


def to_bytes(value: str) -> int:
    """128 + round(35 x) of a number with up to two decimals, halves upwards; by integers, so the same everywhere."""
    hundredths = round(float(value) * 100)
    return 128 + (35 * hundredths + 50) // 100


def _dataset(name: str, x, y, x_test, y_test, validation: bool, seed: int) -> Dataset:
    parts = hold_out(x, y, round(len(y) / 5) if validation else 0, seed)
    spec = InputSpec("array", SHAPE, "uint8", 0, 255)
    source = "J. R. Villar et al.: Generalized Models for the Classification of Abnormal Movements, 2016; UEA archive"
    return Dataset(name, *parts, x_test, y_test, [c.lower() for c in CLASSES], spec, source, "not stated")


def _find(name: str, folder: Path) -> Path | None:
    return first_file([folder / "epilepsy" / name, folder / "Epilepsy" / name])


def _read(name: str, n_bytes: int, sha256: str, root) -> tuple[np.ndarray, np.ndarray]:
    folder = data_root(root)
    path = _find(name, folder)
    if path is None:
        path = fetch(RemoteFile(f"epilepsy/{name}", (_PLACE + name,), n_bytes, f"sha256:{sha256}"), folder)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"data: {path} is not the original file (sha256 differs); delete it to fetch it again")
    return parse(content.decode("utf-8", "replace"))


def parse(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows "a,b,..:c,d,..:e,f,..:CLASS" after lines of # and @ -> (uint8 (N, 3, 1, 206), int64 (N,))."""
    rows = [line.split(":") for line in text.splitlines() if line and line[0] not in "#@"]
    x = [[to_bytes(value) for axis in row[:3] for value in axis.split(",")] for row in rows]
    y = [CLASSES.index(row[3].strip()) for row in rows]
    return np.array(x, np.uint8).reshape(-1, *SHAPE), np.array(y, np.int64)
