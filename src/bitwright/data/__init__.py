"""Data sets by name, the user's own data, and files as a trained model eats them. NumPy only; images need Pillow."""

from bitwright.data.arrays import from_arrays
from bitwright.data.dataset import Dataset, NamedDataset
from bitwright.data.fetch import FetchError
from bitwright.data.folder import from_folder
from bitwright.data.inputs import read_inputs
from bitwright.data.named import DATASETS, is_present, load_data
from bitwright.data.root import data_root
from bitwright.data.spec import InputSpec
from bitwright.data.table import from_csv

__all__ = [
    "DATASETS",
    "Dataset",
    "FetchError",
    "InputSpec",
    "NamedDataset",
    "data_root",
    "from_arrays",
    "from_csv",
    "from_folder",
    "is_present",
    "load_data",
    "read_inputs",
]
