"""What scikit-learn expects of an estimator, without importing it: where it is loaded already, its classes are used."""

import sys
import warnings
from typing import Any

import numpy as np


class NotFitted(ValueError, AttributeError):
    """`predict` before `fit`."""


def not_fitted(name: str) -> Exception:
    found = _of_sklearn("sklearn.exceptions", "NotFittedError") or NotFitted
    return found(f"This {name} instance is not fitted yet; call fit(X, y) first.")


def checked_features(estimator: Any, X: Any, fitting: bool) -> np.ndarray:
    """X as uint8 or float32, (n, ...): 2-D features, or uint8 images (n, C, H, W); notes or checks number and names.

    Raises TypeError for sparse or non-numeric data; ValueError for complex numbers, NaN, infinity, a shape, no rows.
    """
    name = type(estimator).__name__
    if hasattr(X, "toarray"):
        raise TypeError(f"{name} takes dense arrays, got sparse data ({type(X).__name__}); convert it: X.toarray()")
    _check_names(estimator, X, fitting)
    x = np.asarray(X)
    if x.dtype.kind == "c":
        raise ValueError(f"Complex data not supported by {name}\n{X}\n")
    if x.dtype.kind == "O":
        x = x.astype(np.float64)
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} takes numbers, got X of {x.dtype}; encode categories first, or use from_csv")
    if x.ndim not in (2, 4) or (x.ndim == 4 and x.dtype != np.uint8):
        raise ValueError(
            f"Expected 2D array, got {x.ndim}D array instead; Reshape your data: X.reshape(-1, 1) for a single "
            "feature, X.reshape(1, -1) for a single sample; images are uint8 (n, C, H, W)"
        )
    if len(x) == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={x.shape}) while a minimum of 1 is required by {name}.")
    if x.shape[1] == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={x.shape}) while a minimum of 1 is required.")
    if x.dtype.kind == "f":
        with np.errstate(over="ignore"):
            x = x.astype(np.float32)
        if not np.isfinite(x).all():
            raise ValueError(
                f"Input X contains NaN or infinity (or a value too large for float32); {name} takes neither"
            )
    elif x.dtype != np.uint8:
        x = x.astype(np.float32)
    if fitting:
        estimator.n_features_in_ = x.shape[1]
    elif x.shape[1] != estimator.n_features_in_:
        expected = f"{name} is expecting {estimator.n_features_in_} features as input"
        raise ValueError(f"X has {x.shape[1]} features, but {expected}")
    return x


def checked_labels(y: Any, n_rows: int) -> np.ndarray:
    """y as (n_rows,) of class labels. Raises ValueError for numbers that are no classes, another length, NaN, None."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    labels = np.asarray(y)
    if labels.dtype.kind == "c":
        raise ValueError("Complex data not supported in y")
    if labels.ndim == 2 and labels.shape[1] == 1:
        warning = _of_sklearn("sklearn.exceptions", "DataConversionWarning") or UserWarning
        warnings.warn("A column-vector y was passed when a 1d array was expected; use y.ravel()", warning, stacklevel=3)
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"Unknown label type: y has shape {labels.shape}, expected (n,), one class a row")
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise ValueError("Input y contains NaN or infinity")
        if (labels != np.floor(labels)).any():
            raise ValueError("Unknown label type: continuous; BitClassifier needs classes, not real numbers")
    if len(labels) != n_rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: [{n_rows}, {len(labels)}]")
    return labels


def classifier_tags() -> Any:
    """scikit-learn's description of a classifier; asked for by scikit-learn only, which is loaded then."""
    tags = sys.modules["sklearn.utils"]
    return tags.Tags(
        estimator_type="classifier",
        target_tags=tags.TargetTags(required=True),
        classifier_tags=tags.ClassifierTags(),
        input_tags=tags.InputTags(),
    )


def _of_sklearn(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def _check_names(estimator: Any, X: Any, fitting: bool) -> None:
    columns = list(getattr(X, "columns", ()))
    names = np.array(columns, dtype=object) if columns and all(isinstance(column, str) for column in columns) else None
    known, who = getattr(estimator, "feature_names_in_", None), type(estimator).__name__
    if fitting:
        if names is not None:
            estimator.feature_names_in_ = names
        elif known is not None:
            del estimator.feature_names_in_
    elif names is None and known is not None:
        text = f"X does not have valid feature names, but {who} was fitted with feature names"
        warnings.warn(text, UserWarning, stacklevel=4)
    elif names is not None and known is None:
        text = f"X has feature names, but {who} was fitted without feature names"
        warnings.warn(text, UserWarning, stacklevel=4)
    elif names is not None and known is not None and list(names) != list(known):
        text = "The feature names should match those that were passed during fit.\n"
        unseen, missing = sorted(set(names) - set(known)), sorted(set(known) - set(names))
        for title, odd in (
            ("Feature names unseen at fit time", unseen),
            ("Feature names seen at fit time, yet now missing", missing),
        ):
            if odd:
                text += f"{title}:\n" + "".join(f"- {name}\n" for name in odd)
        if not unseen and not missing:
            text += "Feature names must be in the same order as they were in fit.\n"
        raise ValueError(text)
