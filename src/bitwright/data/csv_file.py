"""A CSV file as text: header, rows and where each row stands, for errors that can be found in an editor."""

import csv
import os
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class CsvFile:
    """header: column names. rows: cells as text, stripped of spaces. lines: line of each row in the file, from 1."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def index(self, name: str) -> int:
        """The place of a column. Raises ValueError if there is no such column."""
        if name not in self.header:
            raise ValueError(f"csv: {self.path} has no column {name!r}; its columns: {', '.join(self.header)}")
        return self.header.index(name)

    def column(self, name: str) -> list[str]:
        """The cells of a column. Raises ValueError for an unknown column, and for a hole, naming row and column."""
        at = self.index(name)
        cells = [row[at] for row in self.rows]
        if "" in cells:
            hole = self.where(cells.index(""), name)
            raise ValueError(f"csv: {hole} is empty; fill it, or remove the row or the column")
        return cells

    def numbers(self, name: str) -> np.ndarray:
        """A column as float32 (N,). Raises ValueError, naming row and column, for a cell that is no finite number."""
        cells = self.column(name)
        values = np.array([as_number(cell) for cell in cells], np.float64)
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            row = int(wrong[0])
            raise ValueError(
                f"csv: {self.where(row, name)} is {cells[row]!r}, expected a finite number; "
                f"correct it, or remove the row"
            )
        return values

    def where(self, row: int, column: str) -> str:
        """Names a cell for an error."""
        return f"{self.path} row {row + 1} (line {self.lines[row]}), column {column!r}"


def as_number(cell: str) -> float:
    """The number a cell spells (a decimal point, no thousands separator), NaN if none."""
    try:
        return float("nan" if "_" in cell else cell)
    except ValueError:
        return float("nan")


def read_csv(path: str | os.PathLike, header: bool | None = True) -> CsvFile:
    """Read a UTF-8 CSV separated by commas, semicolons or tabs (whichever is most in the first line).

    header: whether the first line names the columns; None: it does if all its cells are words, else the columns are
    called 1, 2, ... Empty lines are passed over. Raises ValueError for a file that is not UTF-8 text, without rows,
    with a row of another length or a column name twice; FileNotFoundError if there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"csv: no file {path}")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=first.count), skipinitialspace=True, strict=True)
            rows = [([cell.strip() for cell in row], reader.line_num) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"csv: {path} is not a CSV in UTF-8 ({error}); export it again as 'CSV UTF-8'") from error
    if header is None:
        header = bool(rows) and all(cell and isnan(as_number(cell)) for cell in rows[0][0])
    names = rows.pop(0)[0] if header and rows else [str(k + 1) for k in range(len(rows[0][0]) if rows else 0)]
    if not rows:
        raise ValueError(f"csv: {path} has no rows; expected a first line of column names, then a line an example")
    for row, line in rows:
        if len(row) != len(names):
            raise ValueError(
                f"csv: {path} line {line} has {len(row)} cells, the first has {len(names)}; correct that line"
            )
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if twice is not None:
        raise ValueError(f"csv: {path} has two columns named {twice!r}; rename one")
    return CsvFile(path, names, [row for row, _ in rows], [line for _, line in rows])
