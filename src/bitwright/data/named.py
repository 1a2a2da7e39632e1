"""The table of data sets by name. A new one is one file and one line here."""

import difflib
import os

from bitwright.data import adult, breast_cancer, cifar10, digits, epilepsy, monk
from bitwright.data.dataset import Dataset, NamedDataset
from bitwright.data.fashion_mnist import FASHION_MNIST
from bitwright.data.mnist import MNIST

DATASETS: dict[str, NamedDataset] = {
    "digits": NamedDataset(digits.load, digits.is_present),
    "mnist": NamedDataset(MNIST.load, MNIST.is_present),
    "fashion_mnist": NamedDataset(FASHION_MNIST.load, FASHION_MNIST.is_present),
    "cifar10": NamedDataset(cifar10.load, cifar10.is_present),
    "monk1": NamedDataset(monk.MONK_1.load, monk.MONK_1.is_present),
    "monk2": NamedDataset(monk.MONK_2.load, monk.MONK_2.is_present),
    "monk3": NamedDataset(monk.MONK_3.load, monk.MONK_3.is_present),
    "adult": NamedDataset(adult.load, adult.is_present),
    "adult_official_hours": NamedDataset(adult.load_official_hours, adult.is_present),
    "breast_cancer": NamedDataset(breast_cancer.load, breast_cancer.is_present),
    "epilepsy": NamedDataset(epilepsy.load, epilepsy.is_present),
    "epilepsy_mixed": NamedDataset(epilepsy.load_mixed, epilepsy.is_present),
}


def load_data(name: str, root: str | os.PathLike | None = None, validation: bool = True, seed: int = 0) -> Dataset:
    """A data set of DATASETS by name, in memory.

    root: folder that holds it, else BITWRIGHT_DATA, else the user's cache; missing files are fetched there.
    validation: whether to hold out a validation set (stratified, fixed by seed) from the training rows; the test set
    never depends on the seed. Raises ValueError for an unknown name or a damaged file, FetchError if a file is missing
    and cannot be fetched.
    """
    return DATASETS[_known(name)](root=root, validation=validation, seed=seed)


def is_present(name: str, root: str | os.PathLike | None = None) -> bool:
    """Whether `load_data(name, root)` finds all its files on this machine."""
    return DATASETS[_known(name)].is_present(root)


def _known(name: str) -> str:
    key = name.lower().replace("-", "_")
    if key in DATASETS:
        return key
    near = difflib.get_close_matches(key, DATASETS, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(
        f"data: no data set {name!r}; {meant}known: {', '.join(DATASETS)}. "
        f"Your own data: from_folder('photos/'), from_csv('t.csv', target='y'), from_arrays(X, y)"
    )
