"""The 1,797 UCI digits: handwritten, 8x8 grey of 17 levels; inside the package, so it needs no data folder.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
doi:10.24432/C50P49 (its test file, 13 writers). Licence: CC BY 4.0. Each pixel counts the ink in a 4x4 block, 0..16.
Split: the column `test` of digits.csv.gz marks 400 rows, stratified, fixed; 200 of the other 1,397 are for validation.
"""

import gzip
import io
from pathlib import Path

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.spec import InputSpec
from bitwright.data.split import hold_out

FILE = Path(__file__).with_name("digits.csv.gz")  # "#" lines: header; then test (0/1), label, 64 pixels row by row
N_VALIDATION = 200


def is_present(root=None) -> bool:
    """Always: the data ships with the package."""
    return True


def load(root=None, validation: bool = True, seed: int = 0) -> Dataset:
    """uint8 (N, 1, 8, 8) of 0..16: 1,197 / 200 / 400 rows, validation stratified, fixed by seed. root is not used."""
    text = gzip.decompress(FILE.read_bytes()).decode()
    table = np.loadtxt(io.StringIO(text), np.int64, delimiter=",", comments="#")
    in_test, y, x = table[:, 0] == 1, table[:, 1], table[:, 2:].astype(np.uint8).reshape(-1, 1, 8, 8)
    spec = InputSpec("image", (1, 8, 8), "uint8", 0, 16, mode="L")
    parts = hold_out(x[~in_test], y[~in_test], N_VALIDATION if validation else 0, seed)
    source = "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998"
    return Dataset("digits", *parts, x[in_test], y[in_test], list("0123456789"), spec, source, "CC BY 4.0")
