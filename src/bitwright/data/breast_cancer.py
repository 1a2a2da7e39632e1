"""Breast Cancer of Ljubljana: does it recur? 286 patients, 9 attributes of categories, 51 bits.

Source: M. Zwitter, M. Soklic, Institute of Oncology, Ljubljana, 1988; UCI, doi:10.24432/C51P4M. Licence: CC BY 4.0.
Split: that of the logic gate paper's code: the 9 rows with a "?" dropped, then a quarter (70 rows) drawn for the test
set by NumPy's RandomState(0), whatever the seed. A tenth of all rows is for validation.
"""

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.split import hold_out
from bitwright.data.uci import LICENCE, UciFile, are_present, as_table, table_spec

FILE = UciFile(
    "breast-cancer", "breast-cancer.data", 18654, "ca7d3fa97b62ff967b6894ffbb3acaaf4a51062e0149e5950b3ad6f685970b65"
)
CLASSES = ["no-recurrence-events", "recurrence-events"]
COLUMNS = {
    "age": [f"{a}-{a + 9}" for a in range(10, 100, 10)],
    "menopause": ["lt40", "ge40", "premeno"],
    "tumor-size": [f"{a}-{a + 4}" for a in range(0, 60, 5)],
    "inv-nodes": [f"{a}-{a + 2}" for a in range(0, 36, 3)] + ["36-39"],
    "node-caps": ["yes", "no"],
    "deg-malig": ["1", "2", "3"],
    "breast": ["left", "right"],
    "breast-quad": ["left_up", "left_low", "right_up", "right_low", "central"],
    "irradiat": ["yes", "no"],
}


def is_present(root=None) -> bool:
    """Whether the file lies below the root."""
    return are_present((FILE,), root)


def load(root=None, validation: bool = True, seed: int = 0) -> Dataset:
    """uint8 (N, 51) of 0 and 1: 179 / 28 / 70 rows. A missing file is fetched; a changed one raises ValueError."""
    spec = table_spec(COLUMNS)  # type: ignore[arg-type]
    rows = [line.split(",") for line in FILE.lines(root) if line.strip() and "?" not in line]
    x = as_table([row[1:] for row in rows], spec, FILE.name)
    y = np.array([CLASSES.index(row[0]) for row in rows], np.int64)
    order, n_test = np.random.RandomState(0).permutation(len(y)), -(-len(y) // 4)
    test, rest = order[:n_test], order[n_test:]
    parts = hold_out(x[rest], y[rest], round(len(y) / 10) if validation else 0, seed)
    source = "M. Zwitter, M. Soklic: Breast Cancer, UCI Machine Learning Repository, 1988"
    return Dataset("breast_cancer", *parts, x[test], y[test], list(CLASSES), spec, source, LICENCE)
