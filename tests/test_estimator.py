"""BitClassifier: scikit-learn's own battery where it is installed, and what can be said without it."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright import BitClassifier, load, load_data  # noqa: E402

SMALL = {"hidden": [64]}


def blobs(n: int = 240, seed: int = 0):
    """Three clouds in four real-valued features of very different units, labels as strings."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    centres = np.array([[0, 0, 0, 0], [3, 0, 3, 0], [0, 3, 3, 3]])
    return (centres[y] + rng.standard_normal((n, 4)) * 0.7) * [1, 1e-3, 1e4, 1], np.array(["ash", "oak", "yew"])[y]


def test_check_estimator_of_scikit_learn():
    checks = pytest.importorskip(
        "sklearn.utils.estimator_checks", reason="needs scikit-learn: pip install scikit-learn"
    )
    outcomes = checks.check_estimator(BitClassifier(epochs=8, model_options=SMALL), on_fail=None, on_skip=None)
    failed = {one["check_name"]: repr(one["exception"]) for one in outcomes if one["status"] == "failed"}
    assert len(outcomes) > 40 and not failed


def test_it_never_imports_scikit_learn():
    code = (
        "import sys, numpy as np, bitwright\n"
        "X = np.random.default_rng(0).standard_normal((40, 2)); y = X[:, 0] > 0\n"
        "bitwright.BitClassifier(epochs=1, model_options={'hidden': [8]}).fit(X, y).predict(X)\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'sklearn']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_real_valued_features_with_names_as_labels():
    X, y = blobs()
    fitted = BitClassifier(model_options=SMALL, random_state=3).fit(X, y)
    unseen, truth = blobs(seed=1)
    assert fitted.score(unseen, truth) > 0.9
    probabilities = fitted.predict_proba(unseen)
    assert (fitted.classes_[probabilities.argmax(1)] == fitted.predict(unseen)).all()
    assert np.allclose(probabilities.sum(1), 1)


def test_the_program_it_leaves_is_the_classifier(tmp_path):
    X, y = blobs()
    fitted = BitClassifier(epochs=5, model_options=SMALL).fit(X, y)
    fitted.program_.save(tmp_path / "blobs.bw")
    program = load(tmp_path / "blobs.bw")
    assert program.classes == ["ash", "oak", "yew"]
    assert (fitted.classes_[program.predict(X.astype(np.float32))] == fitted.predict(X)).all()
    assert (pickle.loads(pickle.dumps(fitted)).predict(X) == fitted.predict(X)).all()


def test_six_lines_on_digits():
    data = load_data("digits")
    X, y = data.x_train.reshape(-1, 64), data.y_train
    fitted = BitClassifier(model="sign_mlp", epochs=10).fit(X, y)
    assert fitted.score(data.x_test.reshape(-1, 64), data.y_test) > 0.9
    assert fitted.program_.input_type.kind == "int"  # uint8 went in as it is


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        (np.zeros((4, 2)), np.zeros(4, int), "1 class"),
        (np.full((4, 2), np.nan), [0, 1, 0, 1], "NaN"),
        (np.zeros((4, 2)), [0.5, 1, 0, 1], "Unknown label type"),
        (np.zeros((4, 2)), [0, 1], "inconsistent"),
        (np.zeros(4), [0, 1, 0, 1], "2D"),
    ],
)
def test_bad_data_is_named(X, y, says):
    with pytest.raises(ValueError, match=says):
        BitClassifier(epochs=1).fit(X, y)


def test_predict_before_fit_and_with_other_features():
    with pytest.raises(ValueError, match="fit"):
        BitClassifier().predict(np.zeros((2, 4)))
    X, y = blobs(60)
    fitted = BitClassifier(epochs=1, model_options=SMALL).fit(X, y)
    with pytest.raises(ValueError, match="3 features, but BitClassifier is expecting 4"):
        fitted.predict(X[:, :3])


def test_params_and_repr():
    assert repr(BitClassifier(epochs=3)) == "BitClassifier(epochs=3)"
    with pytest.raises(ValueError, match="epoch"):
        BitClassifier().set_params(epoch=3)
