"""A table of the user's own: numeric columns as they are, a categorical column as one 0/1 feature a category.

Categories are not numbered, because a threshold on a number asks for an order that they do not have.
"""

import os
from collections.abc import Sequence
from math import isnan

import numpy as np

from bitwright.data.csv_file import CsvFile, as_number, read_csv
from bitwright.data.dataset import Dataset
from bitwright.data.spec import InputSpec
from bitwright.data.split import split_own_data

MAX_CATEGORIES = 256


def from_csv(
    path: str | os.PathLike,
    target: str,
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    test: float = 0.2,
    validation: float = 0.1,
    seed: int = 0,
) -> Dataset:
    """Dataset of a CSV with a header line: float32 (N, F) features, `target` the column of classes.

    A column whose cells are all numbers is numeric; one without a number, or listed in `categorical`, is categorical
    (a mark such as "?" is then a category of its own); a column of both is an error. drop: columns to leave out.
    test, validation: fractions of all rows, drawn with the seed, stratified.
    The raw columns are kept in `Dataset.input`, so prediction takes a CSV of the same columns.
    Raises ValueError, naming row and column, for a hole, a NaN or infinity, a missing column, a column with more than
    256 categories, a single class, or a class with fewer than 2 rows; FileNotFoundError if there is no such file.
    """
    file = read_csv(path)
    for name in (target, *categorical, *drop):
        file.index(name)
    columns = [name for name in file.header if name != target and name not in drop]
    if not columns:
        raise ValueError(f"from_csv: {file.path} has no column beside {', '.join([target, *drop])} to learn from")
    labels = file.column(target)
    whole = all(label.lstrip("+-").isdigit() for label in labels)
    classes = sorted(set(labels), key=int if whole else str)
    y = np.array([classes.index(label) for label in labels], np.int64)
    categories = {name: sorted(set(file.column(name))) for name in columns if _is_categorical(file, name, categorical)}
    n_features = sum(len(categories.get(name, "1")) for name in columns)
    spec = InputSpec("table", (n_features,), "float32", columns=columns, categories=categories or None)
    return split_own_data(encode_table(file, spec), y, classes, spec, file.path.name, test, validation, seed)


def encode_table(file: CsvFile, spec: InputSpec) -> np.ndarray:
    """The spec's columns of the file, wherever they stand, as spec.dtype (N, F); other columns are passed over.

    Raises ValueError, naming row and column, for a missing column, a hole, no number, or an unknown category.
    """
    features = []
    for name in spec.columns or ():
        known, edges = (spec.categories or {}).get(name), (spec.bins or {}).get(name)
        if edges is not None:
            index = np.searchsorted(edges, file.numbers(name), side="right")
            features.append(np.eye(len(edges) + 1, dtype=np.float32)[index])
            continue
        if known is None:
            features.append(file.numbers(name)[:, None])
            continue
        cells, places = file.column(name), {category: k for k, category in enumerate(known)}
        unknown = next((row for row, cell in enumerate(cells) if cell not in places), None)
        if unknown is not None:
            shown = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")
            raise ValueError(
                f"csv: {file.where(unknown, name)} is {cells[unknown]!r}, a category that the training data lacked; "
                f"known: {shown}; correct the cell, or train again with such rows"
            )
        features.append(np.eye(len(known), dtype=np.float32)[[places[cell] for cell in cells]])
    return np.concatenate(features, axis=1).astype(spec.dtype)


def _is_categorical(file: CsvFile, name: str, categorical: Sequence[str]) -> bool:
    cells = file.column(name)
    wordy = [row for row, cell in enumerate(cells) if cell.lower() != "nan" and isnan(as_number(cell))]
    if name not in categorical and len(wordy) < len(cells):
        if wordy:
            n_numbers = len(cells) - len(wordy)
            raise ValueError(
                f"csv: {file.where(wordy[0], name)} is {cells[wordy[0]]!r}, while {n_numbers} other rows hold numbers; "
                f"correct or remove the row, or pass categorical=[{name!r}] to take every value as a category"
            )
        return False
    if (n_values := len(set(cells))) > MAX_CATEGORIES:
        comma = " (numbers need a decimal point, not a comma)" if any("," in cell for cell in cells) else ""
        raise ValueError(
            f"csv: {file.path}, column {name!r} has {n_values} different words, at most {MAX_CATEGORIES} can be "
            f"categories{comma}; if it is a name or an id, pass drop=[{name!r}]"
        )
    return True
