"""Seeded stratified splits: every class gives its share."""

from collections.abc import Sequence

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.spec import InputSpec

Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x_train, y_train, x_val, y_val


def stratified_split(y: np.ndarray, count: int, seed: int, at_least: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pick `count` rows, each class by its share (largest remainder): (rest, picked), both ascending indices.

    y: integer (N,). at_least: rows taken from every class whatever its share (may raise the count); each keeps one.
    The same y, count and seed give the same rows with every NumPy (RandomState's stream is frozen).
    """
    classes, sizes = np.unique(y, return_counts=True)
    share = count * sizes / max(len(y), 1)
    taken = np.clip(np.floor(share).astype(np.int64), np.minimum(at_least, sizes - 1), sizes - 1)
    wish = share - taken
    while taken.sum() < min(count, (sizes - 1).sum()):
        neediest = int(np.where(taken < sizes - 1, wish, -np.inf).argmax())
        taken[neediest] += 1
        wish[neediest] -= 1
    random = np.random.RandomState(seed)
    picked = [random.permutation(np.flatnonzero(y == label))[:n] for label, n in zip(classes, taken)]
    chosen = np.zeros(len(y), bool)
    chosen[np.concatenate([*picked, np.empty(0, np.int64)]).astype(np.int64)] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def hold_out(x: np.ndarray, y: np.ndarray, count: int, seed: int) -> Parts:
    """x, y with a stratified validation set of `count` rows taken out, in their order; 0 leaves them as they are."""
    if count == 0:
        return x, y, x[:0], y[:0]
    rest, picked = stratified_split(y, count, seed)
    return x[rest], y[rest], x[picked], y[picked]


def split_own_data(
    x: np.ndarray,
    y: np.ndarray,
    classes: Sequence[str],
    spec: InputSpec,
    name: str,
    test: float,
    validation: float,
    seed: int,
) -> Dataset:
    """Dataset of the user's own rows: `test` and `validation` are fractions of all rows, every class in the test set.

    Raises ValueError for fractions outside [0, 1) or that leave nothing to train on, for fewer than two classes
    and for a class with too few rows (2 if there is a test set, else 1).
    """
    if not (0 <= test < 1 and 0 <= validation < 1 and test + validation < 1):
        raise ValueError(
            f"{name}: test={test}, validation={validation}; expected fractions of all rows, in sum below 1"
        )
    if len(classes) < 2:
        only = f"only the class {classes[0]!r}" if classes else "no class"
        raise ValueError(f"{name}: {only}; a classifier needs rows of at least two classes")
    needed = 2 if test > 0 else 1
    counts = np.bincount(y, minlength=len(classes))
    if counts.min() < needed:
        few = [f"{label!r} ({count})" for label, count in zip(classes, counts) if count < needed]
        listed = ", ".join(few[:5]) + (f" and {len(few) - 5} more" if len(few) > 5 else "")
        why = "one to train, one to test" if needed == 2 else "one to train"
        measured = len(few) > len(y) / 4
        hint = "; if y is a measurement rather than a class, cut it into a few ranges first" if measured else ""
        raise ValueError(
            f"{name}: too few rows of class {listed}; each class needs at least {needed} ({why}): "
            f"add rows, or leave these classes out{hint}"
        )
    rest, test_rows = np.arange(len(y)), np.arange(0)
    if test > 0:
        rest, test_rows = stratified_split(y, round(test * len(y)), seed, at_least=1)
    parts = hold_out(x[rest], y[rest], round(validation * len(y)), seed)
    origin = ("the user's own data", "the user's own")
    return Dataset(name, *parts, x[test_rows], y[test_rows], list(classes), spec, *origin)
