"""CIFAR-10: 50,000 + 10,000 photographs, 32x32 RGB.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. The authors' page states no
licence and asks that the report be cited. Split: the original one, 5,000 of the training rows for validation.
"""

import hashlib
from pathlib import Path

import numpy as np

from bitwright.data.cifar10_layouts import BATCHES, LAYOUTS, N_BATCH, Layout
from bitwright.data.dataset import Dataset
from bitwright.data.fetch import RemoteFile, fetch
from bitwright.data.progress import Progress
from bitwright.data.root import data_root
from bitwright.data.spec import InputSpec
from bitwright.data.split import hold_out

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
N_VALIDATION = 5000
ARCHIVE = RemoteFile(
    "cifar10/cifar-10-python.tar.gz",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
    170_498_071,
    "md5:c58f30108f718f92721af3b95e74349a",
)
# sha256 of each batch's pixels (10000, 3, 32, 32) and of its labels (10000,), both uint8: the same for every layout.
CHECKSUMS = {
    "data_batch_1": (
        "a50e8b48728e1667d682a807155c375279d5ae321fb12242c02e3104a6bc8b21",
        "d829dbdf32167c9d7b3687cee66d92d80d46c441308b5aca0d11e8b69e27dac9",
    ),
    "data_batch_2": (
        "0b825e5592c3b72ea18d6ec2ff5f5b19d33e41a75f5039054a9bb87be3cf69a0",
        "5d18f7371ed35ea9ade77952fe958b0660a45cd6c8b8a8970030f21612cfd7e3",
    ),
    "data_batch_3": (
        "c6ee1dd4601a69ec085d8ebf53ee6441775491a6839a0a9ae8fa198e88a3a429",
        "32cf77b0ee2e790b1c4384d2d82e42dc1571b87e67f6da8f444b2725b2973f65",
    ),
    "data_batch_4": (
        "1f6b6c799cff375a9f8fae2fac909d51ee09f38a6a60eebb9e8fec6f47ddc48f",
        "d2815e3f8f656272864920fc0edde56b04ec9cf81bf397c0dd3069f4aea51aeb",
    ),
    "data_batch_5": (
        "58e3bbf713e28357476a351d3a05d056372f94c681d04ca9d62a076fdf2a643b",
        "2ddf3ab27d5d04409c94ce7b56849c243129c10de1058ae0bfe14c77e934800c",
    ),
    "test_batch": (
        "177777c33ba79825320efa646ad04a94bdc3c80e4ebe3bd21724f8cdfd4b9d56",
        "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    ),
}


def is_present(root=None) -> bool:
    """Whether a layout of it lies below the root (see `data_root`), so that loading fetches nothing."""
    folder = data_root(root)
    return any(layout.find(folder) for layout in LAYOUTS)


def load(root=None, validation: bool = True, seed: int = 0) -> Dataset:
    """uint8 (N, 3, 32, 32): 45,000 / 5,000 / 10,000 rows, validation stratified and fixed by seed.

    Takes the first layout found, else fetches the python version (FetchError). Raises ValueError for a damaged file.
    """
    folder = data_root(root)
    present = [(layout, place) for layout in LAYOUTS if (place := layout.find(folder))]
    if not present:
        fetch(ARCHIVE, folder)
        present = [(layout, place) for layout in LAYOUTS if (place := layout.find(folder))]
    x, y = _read(*present[0])
    n_train = 5 * N_BATCH
    spec = InputSpec("image", (3, 32, 32), "uint8", 0, 255, mode="RGB")
    parts = hold_out(x[:n_train], y[:n_train], N_VALIDATION if validation else 0, seed)
    source = "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009"
    return Dataset(
        "cifar10", *parts, x[n_train:], y[n_train:], list(CLASSES), spec, source, "not stated; cite the report"
    )


def _read(layout: Layout, place: Path) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.empty((6 * N_BATCH, 3, 32, 32), np.uint8), np.empty(6 * N_BATCH, np.int64)
    batches = layout.read(place)
    with Progress("read cifar10", len(BATCHES)) as bar:
        for k, name in enumerate(BATCHES):
            rows = slice(k * N_BATCH, (k + 1) * N_BATCH)
            try:
                pixels, labels = next(batches)
                found = tuple(hashlib.sha256(part.tobytes()).hexdigest() for part in (pixels, labels))
            except ImportError:
                raise  # Pillow is missing; the message says so
            except Exception as error:  # whatever a damaged archive, pickle or image raises
                raise ValueError(_damaged(place, name, f"cannot be read ({type(error).__name__}: {error})")) from error
            if found != CHECKSUMS[name]:
                raise ValueError(_damaged(place, name, "does not hold the original pixels and labels (sha256 differs)"))
            x[rows], y[rows] = pixels, labels
            bar.advance()
    return x, y


def _damaged(place: Path, batch: str, problem: str) -> str:
    return f"cifar10: {batch} in {place} {problem}; replace it, or remove it to have the original fetched"
