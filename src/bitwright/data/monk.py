"""The MONK's problems 1, 2, 3: six attributes of robots, 17 bits, a rule each; 5 % of monk3's training labels lie.

Source: S. Thrun et al., "The MONK's Problems", CMU-CS-91-197, 1991; UCI, doi:10.24432/C5R30R. Licence: CC BY 4.0.
Split: the original files; the test set holds all 432 robots, the training rows among them. A fifth of the training rows
is for validation.
"""

from dataclasses import dataclass

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.split import hold_out
from bitwright.data.uci import LICENCE, UciFile, are_present, as_table, table_spec

COLUMNS = {f"a{i}": [str(v + 1) for v in range(n)] for i, n in enumerate((3, 3, 2, 3, 4, 2), 1)}
FOLDER = "monks-problems"


@dataclass(frozen=True)
class Monk:
    """One problem: its number and its two files."""

    number: int
    files: tuple[UciFile, UciFile]

    def is_present(self, root=None) -> bool:
        """Whether both files lie below the root."""
        return are_present(self.files, root)

    def load(self, root=None, validation: bool = True, seed: int = 0) -> Dataset:
        """uint8 (N, 17) of 0 and 1; 432 test rows. Missing files are fetched; a changed one raises ValueError."""
        spec = table_spec(COLUMNS)  # type: ignore[arg-type]
        (x, y), (x_test, y_test) = (self._read(file, root, spec) for file in self.files)
        parts = hold_out(x, y, round(len(y) / 5) if validation else 0, seed)
        source = "S. Thrun et al.: The MONK's Problems, CMU-CS-91-197, 1991"
        return Dataset(f"monk{self.number}", *parts, x_test, y_test, ["0", "1"], spec, source, LICENCE)

    def _read(self, file: UciFile, root, spec) -> tuple[np.ndarray, np.ndarray]:
        rows = [line.split() for line in file.lines(root) if line.strip()]  # class, a1 .. a6, name
        return as_table([row[1:7] for row in rows], spec, file.name), np.array([int(row[0]) for row in rows], np.int64)


MONK_1 = Monk(
    1,
    (
        UciFile(FOLDER, "monks-1.train", 2947, "d9c328b6f0e095ab10f7bc8468f1d2141f3d08be73e665c3bf0a62994c922606"),
        UciFile(FOLDER, "monks-1.test", 10260, "e501ada3b21d876ab86f3e1614747bd2edc443a685f229a25e480aa1dea629f6"),
    ),
)
MONK_2 = Monk(
    2,
    (
        UciFile(FOLDER, "monks-2.train", 4013, "7ebcc278005737caad0cd52e6aa31256a2c3174da8047faf4ac3a9d35edbdaa8"),
        UciFile(FOLDER, "monks-2.test", 10260, "945650affde377c27f6218c8b17893e339ea831f4bee9f9d7123020699cfbf40"),
    ),
)
MONK_3 = Monk(
    3,
    (
        UciFile(FOLDER, "monks-3.train", 2886, "726f258f80be06af4bb2d8831789514a663f5813e47429211fe19dcd367966f8"),
        UciFile(FOLDER, "monks-3.test", 10260, "1d816ae7347afaf895050667adc3f382904c6ed2332d0a2d09353f5e6cb54612"),
    ),
)
