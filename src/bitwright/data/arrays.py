"""The user's own arrays: checked once, the same way for training and for prediction."""

from collections.abc import Sequence

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.spec import InputSpec
from bitwright.data.split import split_own_data


def from_arrays(
    X, y, classes: Sequence[str] | None = None, test: float = 0.2, validation: float = 0.1, seed: int = 0
) -> Dataset:
    """Dataset of arrays, split by a seeded stratified draw.

    X: uint8 or bool images (N, C, H, W) or features (N, F), or floats (N, F), which become float32.
    y: (N,) class of each row: integers, bools, whole floats or strings.
    classes: names of the classes 0..K-1 that y counts; without them, the sorted values of y are the classes.
    test, validation: fractions of all rows; 0 for none.
    Raises ValueError or TypeError, naming argument, rule and way out, for anything else: another dtype or shape, NaN,
    infinity, y of another length, one class only, a class with fewer than 2 rows (1 without a test set).
    """
    X = np.asarray(X)
    spec = _spec_of(X)
    X = check_array(X, spec, "X")
    if len(X) == 0:
        raise ValueError("from_arrays: X has no rows; a classifier needs at least two a class")
    y, names = encode_labels(y, classes)
    if len(y) != len(X):
        raise ValueError(f"from_arrays: X has {len(X)} rows, y has {len(y)}; expected a class for every row")
    return split_own_data(X, y, names, spec, "arrays", test, validation, seed)


def check_array(x, spec: InputSpec, name: str) -> np.ndarray:
    """x as `spec.dtype` (N, *spec.shape); one row without its batch axis is taken as N = 1.

    Lossless but for wider floats, which are rounded to float32. name: what to call x in the errors.
    Raises TypeError for a dtype that does not fit, ValueError for a shape, range, NaN or infinity that does not.
    """
    x = np.asarray(x)
    if x.shape == spec.shape:
        x = x[None]
    if x.shape[1:] != spec.shape:
        wanted = ", ".join(map(str, ("N", *spec.shape)))
        raise ValueError(f"input: {name} has shape {x.shape}, expected ({wanted}); reshape it, one row an example")
    if spec.dtype == "uint8":
        if x.dtype not in (np.uint8, np.bool_):
            raise TypeError(
                f"input: {name} is {x.dtype}, expected uint8 in {spec.lo}..{spec.hi}; if its values are such integers, "
                f"convert them: {name}.astype(np.uint8)"
            )
        x = x.astype(np.uint8, copy=False)
        wrong = (x < spec.lo) | (x > spec.hi)
        rule = f"expected {spec.lo}..{spec.hi}, the range of the training data; scale it the same way"
    else:
        if not np.issubdtype(x.dtype, np.floating):
            raise TypeError(f"input: {name} is {x.dtype}, expected float32; convert it: {name}.astype(np.float32)")
        with np.errstate(over="ignore"):
            x = x.astype(np.float32, copy=False)
        wrong = ~np.isfinite(x)
        rule = "expected finite float32 numbers; fill or remove such rows"
    if wrong.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
        raise ValueError(f"input: {name}[{', '.join(map(str, place))}] is {x[place]}, {rule}")
    return x


def encode_labels(y, classes: Sequence[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """(int64 (N,) index into the names, the class names); see `from_arrays` for what y may be."""
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"from_arrays: y has shape {y.shape}, expected (N,), one class a row; try y.ravel()")
    if np.issubdtype(y.dtype, np.floating):
        whole = np.isfinite(y) & (y == np.floor(y))
        if not whole.all():
            at = int(np.flatnonzero(~whole)[0])
            raise ValueError(f"from_arrays: y[{at}] is {y[at]}, expected a class: a whole number or a string")
        y = y.astype(np.int64)
    if not (np.issubdtype(y.dtype, np.integer) or y.dtype.kind in "bUO"):
        raise TypeError(f"from_arrays: y is {y.dtype}, expected integers or strings, one class a row")
    if classes is not None:
        names = [str(name) for name in classes]
        if y.dtype.kind not in "iub" or (len(y) and not 0 <= int(y.min()) <= int(y.max()) < len(names)):
            raise ValueError(
                f"from_arrays: with {len(names)} class names given, y must hold integers 0..{len(names) - 1}; "
                f"leave out `classes` to use the values of y as names"
            )
        return y.astype(np.int64), names
    values, index = np.unique(y.astype(str) if y.dtype.kind == "O" else y, return_inverse=True)
    return index.astype(np.int64), [str(value) for value in values]


def _spec_of(X: np.ndarray) -> InputSpec:
    """The InputSpec that fits X's dtype and shape, if any does."""
    floats, bools = np.issubdtype(X.dtype, np.floating), X.dtype == np.bool_
    hi = 1 if bools else 255
    if not (floats or bools or X.dtype == np.uint8):
        raise TypeError(
            f"from_arrays: X is {X.dtype}, expected uint8 (pixels, small integers), bool or floats; convert it: "
            f"X.astype(np.uint8) if all values are integers 0..255, else X.astype(np.float32)"
        )
    if X.ndim == 2 and X.shape[1] > 0:
        return InputSpec("array", X.shape[1:], "float32") if floats else InputSpec("array", X.shape[1:], "uint8", 0, hi)
    if X.ndim == 4 and floats:
        way_out = "if they are 0..1, try (X * 255).round().astype(np.uint8)"
        raise TypeError(f"from_arrays: X holds {X.dtype} images, expected uint8 0..255; {way_out}")
    if X.ndim == 4 and X.shape[1] not in (1, 3) and X.shape[3] in (1, 3):
        raise ValueError(f"from_arrays: X has shape {X.shape}, expected channels first; try X.transpose(0, 3, 1, 2)")
    if X.ndim == 4 and 0 not in X.shape[1:]:
        mode = {1: "L", 3: "RGB"}.get(X.shape[1])
        return InputSpec("image" if mode else "array", X.shape[1:], "uint8", 0, hi, mode=mode)
    hint = "; for grey images try X[:, None]" if X.ndim == 3 else ""
    raise ValueError(f"from_arrays: X has shape {X.shape}, expected (N, F) features or (N, C, H, W) images{hint}")
