"""What the training rows of the logic-gates table stand on: equal forms of an iteration, folds, regression, packing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from benchmarks import breast_cancer, logic_iteration  # noqa: E402
from benchmarks.claims import claim, logic_training, main_job  # noqa: E402
from benchmarks.claims.claim import NotMeasured  # noqa: E402
from bitwright.bench import write_result  # noqa: E402
from bitwright.bench.results import FIELDS  # noqa: E402


def test_all_forms_of_an_iteration_compute_the_same_loss():
    losses = {name: float(form()) for name, form in logic_iteration.forms(24, (60, 40)).items()}
    exact = losses[logic_iteration.COEFFICIENTS]
    assert all(loss == pytest.approx(exact, rel=1e-3) for loss in losses.values()) and len(losses) == 5


def test_folds_test_every_row_once_and_keep_the_share_of_each_class():
    y = np.array([0] * 83 + [1] * 37)
    fold = breast_cancer.stratified_folds(y, 10, seed=3)
    assert set(fold) == set(range(10))
    for label, size in (0, 83), (1, 37):
        counts = np.bincount(fold[y == label], minlength=10)
        assert counts.sum() == size and counts.max() - counts.min() <= 1
    assert not np.array_equal(fold, breast_cancer.stratified_folds(y, 10, seed=4))
    train = breast_cancer.folds_of(y)
    assert train.shape == (100, 120) and (~train).reshape(10, 10, 120).sum(1).tolist() == [[1] * 120] * 10


def test_logistic_regression_is_where_the_gradient_vanishes():
    random = np.random.RandomState(0)
    x, y = random.randint(2, size=(80, 6)).astype(float), random.randint(2, size=80)
    weights = breast_cancer.logistic_regression(x, y, l2=0.5)
    p = 1 / (1 + np.exp(-(x @ weights[:-1] + weights[-1])))
    assert np.abs(x.T @ (p - y) + 0.5 * weights[:-1]).max() < 1e-8 and abs((p - y).sum()) < 1e-6


def test_nets_side_by_side_share_nothing_but_the_input():
    layers = breast_cancer.side_by_side(3, 20, seed=0)
    for layer, width in zip(layers[1:], breast_cancer.WIDTHS, strict=False):
        own = torch.arange(layer.out_features) // (layer.out_features // 3)
        assert bool((layer.wiring // width == own).all())
    assert int(layers[0].wiring.max()) < 20


def result(seed, recipe="monk1_logic", **changed):
    fields = {"model_options": {"widths": [24] * 6}}
    return dict.fromkeys(FIELDS, 0) | {
        "recipe": recipe, "seed": seed, "recipe_hash": "a", "frozen_accuracy": 100.0, "exact": True, "test_reads": 1,
        "recipe_fields": fields, "train_seconds": 90.0,
    } | changed  # fmt: skip


@pytest.mark.parametrize(
    "changed", [{"frozen_accuracy": 99.0}, {"exact": False}, {"scores_differing": 1}, {"train_seconds": 4000.0},
                {"recipe_fields": {"model_options": {"widths": [24] * 7}}}]
)  # fmt: skip
def test_accuracy_counts_seeds_gates_and_minutes(changed, tmp_path, monkeypatch):
    for module in (main_job, claim):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    write_result(result(0), tmp_path)
    with pytest.raises(NotMeasured, match="2 seeds are needed"):
        logic_training.accuracy(["monk1_logic"], 100, 144, 2, 40)
    write_result(result(1), tmp_path)
    found = logic_training.accuracy(["monk1_logic"], 100, 144, 2, 40)
    assert found.met and "144 gates, 2 minutes" in found.value
    write_result(result(1, **changed), tmp_path)
    assert not logic_training.accuracy(["monk1_logic"], 100, 144, 2, 40).met


@pytest.mark.parametrize(
    "changed", [{"frozen_accuracy": 98.4}, {"exact": False}, {"logic": {"gates_run": 91, "adders": 2}}]
)
def test_gates_after_simplification_count_at_all_positions_and_with_adders(changed, tmp_path, monkeypatch):
    for module in (main_job, claim):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    right = {"frozen_accuracy": 98.6, "logic": {"gates": 9, "gates_run": 90, "adders": 2}}
    write_result(result(0, "net", **right), tmp_path)
    found = logic_training.after_simplifying("net", 98.5, 100, 1)
    assert found.met and "100 gates after" in found.value
    write_result(result(0, "net", **{**right, **changed}), tmp_path)
    assert not logic_training.after_simplifying("net", 98.5, 100, 1).met
