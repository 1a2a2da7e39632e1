"""A data set in memory: three splits, the class names and where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bitwright.data.spec import InputSpec


@dataclass(repr=False, eq=False)
class Dataset:
    """Arrays of one data set.

    x_*: uint8 (N, C, H, W) images, or uint8 / float32 (N, F) features, as `input` says.
    y_*: int64 (N,), an index into `classes`.
    A split that was not asked for has N = 0.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: list[str]
    input: InputSpec
    source: str
    licence: str

    def __post_init__(self):
        for split in ("train", "val", "test"):
            x, y = getattr(self, f"x_{split}"), getattr(self, f"y_{split}")
            if x.shape[1:] != self.input.shape or x.dtype != self.input.dtype:
                found = f"{x.dtype} (N, {', '.join(map(str, x.shape[1:]))})"
                raise ValueError(f"Dataset: x_{split} is {found}, `input` says {self.input.dtype} {self.input.shape}")
            if y.shape != (len(x),) or y.dtype != np.int64:
                raise ValueError(f"Dataset: y_{split} is {y.dtype} {y.shape}, expected int64 ({len(x)},)")

    def __repr__(self) -> str:
        counts = f"{len(self.y_train)} train, {len(self.y_val)} validation, {len(self.y_test)} test"
        shape = "x".join(map(str, self.input.shape))
        return f"Dataset({self.name!r}: {counts}; {len(self.classes)} classes; {self.input.dtype} {shape})"


@dataclass(frozen=True)
class NamedDataset:
    """A line of the table DATASETS; calling it is calling `load`.

    load: (root=None, validation=True, seed=0) -> Dataset.
    is_present: (root=None) -> bool, whether load needs no network.
    """

    load: Callable[..., Dataset]
    is_present: Callable[..., bool]

    def __call__(self, *args, **kwargs) -> Dataset:
        return self.load(*args, **kwargs)
