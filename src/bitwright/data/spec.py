"""What a model eats: one description from the training data to the .bw header to `bitwright predict`."""

from dataclasses import asdict, dataclass
from math import prod
from typing import Any

KINDS = ("image", "table", "array")
DTYPES = ("uint8", "float32")


@dataclass(frozen=True)
class InputSpec:
    """Shape, dtype and range of one input row, and how a file becomes such a row.

    kind: "image" (C, H, W pixels), "table" (named CSV columns) or "array" (numbers without names).
    shape: without the batch axis: (C, H, W) or (F,).
    dtype: "uint8" or "float32"; nothing else reaches a Program.
    lo, hi: smallest and largest integer allowed (digits: 0, 16); both 0 for floats, which have no bounds.
    columns: for tables, the raw CSV columns in order; features follow this order, a categorical column being
        one 0/1 feature a category.
    categories: for tables, column -> its category names in order; a column not listed is numeric.
    bins: for tables, numeric column -> rising edges: it becomes one 0/1 feature a range, edges belonging upwards.
    mode: for images, "L" (grey, C = 1) or "RGB" (C = 3).
    Raises ValueError for a description that contradicts itself, so a damaged file header is named at once.
    """

    kind: str
    shape: tuple[int, ...]
    dtype: str
    lo: int = 0
    hi: int = 0
    columns: list[str] | None = None
    categories: dict[str, list[str]] | None = None
    mode: str | None = None
    bins: dict[str, list[float]] | None = None

    def __post_init__(self):
        _require(self.kind in KINDS, f"kind is {self.kind!r}, expected one of {', '.join(KINDS)}")
        _require(self.dtype in DTYPES, f"dtype is {self.dtype!r}, expected one of {', '.join(DTYPES)}")
        sizes_ok = len(self.shape) > 0 and all(type(size) is int and size > 0 for size in self.shape)
        _require(sizes_ok, f"shape is {self.shape}, expected positive integers, without the batch axis")
        if self.dtype == "uint8":
            _require(0 <= self.lo < self.hi <= 255, f"lo, hi are {self.lo}, {self.hi}; uint8 needs 0 <= lo < hi <= 255")
        else:
            _require(self.lo == self.hi == 0, f"lo, hi are {self.lo}, {self.hi}; float32 has no range: use 0, 0")
        if self.kind == "image":
            channels = {"L": 1, "RGB": 3}.get(self.mode or "")
            fits = len(self.shape) == 3 and self.shape[0] == channels and self.dtype == "uint8"
            found = f"mode {self.mode!r}, shape {self.shape}, {self.dtype}"
            _require(fits, f"{found}; an image is uint8, L (1, H, W) or RGB (3, H, W)")
        if self.kind == "table":
            known = set(self.columns or ()) >= {*(self.categories or {}), *(self.bins or {})}
            rising = all(edges == sorted(set(edges)) for edges in (self.bins or {}).values())
            _require(rising, f"bins {self.bins} are not rising")
            fits = known and len(self.shape) == 1 and self.n_table_features == self.shape[0]
            _require(fits, f"shape {self.shape} and categories do not belong to the columns {self.columns}")

    @property
    def n_features(self) -> int:
        """Numbers in one input row: the product of `shape`."""
        return prod(self.shape)

    @property
    def n_table_features(self) -> int:
        """Numbers that the columns of a table turn into: 1 a numeric column, otherwise one a category or range."""
        sizes = {column: len(names) for column, names in (self.categories or {}).items()}
        sizes |= {column: len(edges) + 1 for column, edges in (self.bins or {}).items()}
        return sum(sizes.get(column, 1) for column in self.columns or ())

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON values, for the .bw header; absent fields are left out."""
        described = {key: value for key, value in asdict(self).items() if value is not None}
        return described | {"shape": list(self.shape)}

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> "InputSpec":
        """The inverse of `to_json`; unknown keys, of a later version, are ignored."""
        known: dict[str, Any] = {key: described[key] for key in cls.__dataclass_fields__ if key in described}
        missing = [key for key in ("kind", "shape", "dtype") if key not in known]
        _require(not missing, f"{', '.join(missing)} missing; has {', '.join(map(str, described)) or 'nothing'}")
        return cls(**{**known, "shape": tuple(known["shape"])})


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(f"InputSpec: {problem}")
