"""BitClassifier: a network of bits behind scikit-learn's fit and predict, without needing scikit-learn.

`fit` trains in PyTorch and freezes; everything after it runs the Program, on NumPy and the native core alone.
"""

import inspect
from typing import Any

import numpy as np

from bitwright.app.sklearn_habits import checked_features, checked_labels, classifier_tags, not_fitted


class BitClassifier:
    """Classifier of signs. X: real-valued features (n, F), uint8 features, or uint8 images (n, C, H, W); y: labels.

    Real-valued (and wider integer) features are each compared with `thresholds` quantiles of the training data,
    exactly, inside the Program; uint8 features go in as they are.

    model: a name of list_models(); model_options: its options, e.g. {"hidden": [512, 512]}. epochs, batch_size, lr: of
    training. random_state: an int, or None for 0. verbose: whether to show progress.
    Fitted: classes_, n_features_in_, program_ (the Program, for save, verify and summary).
    """

    def __init__(
        self,
        model: str = "sign_mlp",
        model_options: dict[str, Any] | None = None,
        epochs: int = 40,
        batch_size: int = 32,
        lr: float = 5e-3,
        thresholds: int = 16,
        random_state: int | None = None,
        verbose: bool = False,
    ):
        self.model = model
        self.model_options = model_options
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.thresholds = thresholds
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y) -> "BitClassifier":
        """Train on all rows and freeze. Raises ValueError or TypeError for data no classifier can learn from."""
        from bitwright.app.workflow import build_model
        from bitwright.data import Dataset, InputSpec
        from bitwright.freeze import freeze
        from bitwright.ir import from_bytes
        from bitwright.train import Recipe, fit

        x = checked_features(self, X, fitting=True)
        labels = checked_labels(y, len(x))
        classes, index = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"BitClassifier: y holds 1 class ({classes[0]!r}), n_samples = {len(x)}; it needs two or more"
            )
        spec = InputSpec("array", x.shape[1:], *(("uint8", 0, 255) if x.dtype == np.uint8 else ("float32", 0, 0)))
        none = np.zeros(0, np.int64)
        data = Dataset(
            "arrays", x, index.astype(np.int64), x[:0], none, x[:0], none, [str(c) for c in classes], spec, "", ""
        )
        options = {"hidden": [256, 256]} if self.model == "sign_mlp" else {}
        recipe = Recipe(
            name="BitClassifier",
            model=self.model,
            model_options={**options, **(self.model_options or {})},
            data="arrays",
            seed=0 if self.random_state is None else int(self.random_state),
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
        )
        network = fit(build_model(recipe, data, self.thresholds), data, recipe=recipe, progress=self.verbose).model
        self.classes_ = classes
        self.program_ = from_bytes(freeze(network, input=data).to_bytes())  # what a file would hold, no more
        return self

    def decision_scores(self, X) -> np.ndarray:
        """Integer scores (n, classes) of the Program; columns as classes_."""
        if not hasattr(self, "program_"):
            raise not_fitted(type(self).__name__)
        x = checked_features(self, X, fitting=False)
        if x.dtype != np.uint8 and self.program_.input_type.kind == "int":
            if (x != np.floor(x)).any() or x.min() < 0 or x.max() > 255:
                raise ValueError("BitClassifier was fitted on uint8, expected integers 0..255; scale X the same way")
            x = x.astype(np.uint8)
        if x.dtype == np.uint8 and self.program_.input_type.kind == "float":
            x = x.astype(np.float32)
        return self.program_.run(x)

    def predict(self, X) -> np.ndarray:
        """Labels (n,), of the dtype fitted on."""
        winners = self.decision_scores(X).argmax(1)
        return self.classes_[winners]

    def predict_proba(self, X) -> np.ndarray:
        """softmax of the scores at the scale the network was trained with: float64 (n, classes), rows sum to 1."""
        scores = self.decision_scores(X).astype(np.float64)
        scores *= self.program_.header.get("bitwright", {}).get("score_scale", 1.0)
        grown = np.exp(scores - scores.max(1, keepdims=True))
        return grown / grown.sum(1, keepdims=True)

    def score(self, X, y, sample_weight=None) -> float:
        """Share of the rows predicted right."""
        return float(np.average(self.predict(X) == np.asarray(y), weights=sample_weight))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params) -> "BitClassifier":
        """Change constructor arguments. Raises ValueError for one that does not exist."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for BitClassifier; parameters: {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {name: item.default for name, item in inspect.signature(type(self)).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name]]
        return f"BitClassifier({', '.join(changed)})"

    def __sklearn_tags__(self):
        return classifier_tags()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "program_")
