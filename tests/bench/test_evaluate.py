"""`evaluate` against accuracy counted by hand on a small network and data that are made here."""

import sys

import numpy as np
import pytest
import torch

from bitwright.bench import evaluate, read_result, sizes
from bitwright.bench.evaluate import projection_gap
from bitwright.data import from_arrays, load_data
from bitwright.freeze import freeze
from bitwright.ir import load
from bitwright.models import create_model
from bitwright.train import Recipe

OPTIONS = {"shape": [1, 4, 4], "classes": 3, "hidden": [24, 16]}


@pytest.fixture
def frozen():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (90, 1, 4, 4), np.uint8)
    data = from_arrays(x, rng.integers(0, 3, 90))
    model = create_model("sign_mlp", seed=0, **OPTIONS).eval()
    return model, freeze(model, input=data), data


def test_numbers_are_those_counted_by_hand(frozen, tmp_path):
    model, program, data = frozen
    recipe = Recipe(name="tiny", seed=4, model_options=OPTIONS, threads=1)
    path, measured = evaluate(program, data, recipe, train_seconds=12.34, val_accuracy=50.0, results=tmp_path)
    with torch.no_grad():
        right = model(torch.from_numpy(data.x_test).float()).argmax(1).numpy() == data.y_test
    n = len(data.y_test)
    assert path == tmp_path / "tiny-seed4.json" and n > 10
    assert measured["test_samples"] == n
    assert measured["frozen_accuracy"] == measured["model_accuracy"] == round(100 * right.mean(), 4)
    assert measured["agreement"] == 100 and measured["exact"]
    assert (measured["hidden_differing"], measured["scores_differing"], measured["twin_differing"]) == (0, 0, 0)
    assert (measured["hidden_compared"], measured["scores_compared"]) == (n * 40, n * 3)
    assert measured["weights"] == 16 * 24 + 24 * 16 + 16 * 3
    assert (measured["first_layer_bits"], measured["last_layer_bits"]) == (1, 1)
    assert measured["accumulators"] == ["int32"] and measured["block"] == "sign_mlp"
    assert (measured["train_seconds"], measured["val_accuracy"], measured["test_reads"]) == (12.3, 50.0, 1)
    stored = read_result(path)
    assert stored == {key: value for key, value in measured.items() if key != "read_note"}


def test_fewer_samples_compared_leave_the_accuracies_those_of_all(frozen, tmp_path):
    _, program, data = frozen
    whole = evaluate(program, data, Recipe(name="tiny", model_options=OPTIONS), results=tmp_path)[1]
    few = evaluate(program, data, Recipe(name="few", model_options=OPTIONS), results=tmp_path, compare=5)[1]
    n = len(data.y_test)
    assert (whole["compared_samples"], few["compared_samples"], few["test_samples"]) == (n, 5, n)
    assert (few["hidden_compared"], few["scores_compared"]) == (5 * 40, 5 * 3)
    assert whole["twin_compared"] * 5 == few["twin_compared"] * n
    for name in ("frozen_accuracy", "model_accuracy", "agreement"):
        assert few[name] == whole[name]
    with pytest.raises(ValueError, match="compare is -1"):
        evaluate(program, data, Recipe(name="none"), results=tmp_path, compare=-1)


def test_of_an_embedded_network_some_samples_are_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[projection_gap.__module__], "EMBEDDED_COMPARED", 7)
    data = load_data("digits")
    model = create_model("gnet", shape=(1, 8, 8), channels=(4,), kernels=(3,), hidden=(16,)).eval()
    program = freeze(model, data, hyperdimensions=255)
    measured = evaluate(program, data, Recipe(name="codes", model="gnet", data="digits"), results=tmp_path)[1]
    with torch.no_grad():
        classes = model(torch.from_numpy(data.x_test).float()).argmax(1).numpy()
    guesses = program.predict(data.x_test, backend="interpreter")
    assert (measured["compared_samples"], measured["test_samples"]) == (7, len(data.y_test))
    assert measured["twin_compared"] == 7 * sum(type_.n_values for type_ in program.types[1:-1])
    assert measured["twin_differing"] == 0
    assert measured["agreement"] == round(100 * (classes == guesses).mean(), 4) < 100
    assert measured["model_accuracy"] == round(100 * (classes == data.y_test).mean(), 4)
    assert measured["frozen_accuracy"] == round(100 * (guesses == data.y_test).mean(), 4)


def test_a_second_reading_is_said(frozen, tmp_path):
    _, program, data = frozen
    recipe = Recipe(name="tiny", model_options=OPTIONS)
    assert evaluate(program, data, recipe, results=tmp_path)[1]["read_note"] == ""
    again = evaluate(program, data, recipe, results=tmp_path)[1]
    assert again["test_reads"] == 2 and "read before" in again["read_note"]


def test_a_program_from_a_file_is_refused(frozen, tmp_path):
    _, program, data = frozen
    program.save(tmp_path / "m.bw")
    with pytest.raises(ValueError, match="freeze the model"):
        evaluate(load(tmp_path / "m.bw"), data, Recipe(), results=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_data_without_a_test_set_is_refused(frozen, tmp_path):
    _, program, data = frozen
    data.y_test = data.y_test[:0]
    with pytest.raises(ValueError, match="no test set"):
        evaluate(program, data, Recipe(), results=tmp_path)


def test_a_backend_that_counts_otherwise_writes_nothing(frozen, tmp_path, monkeypatch):
    _, program, data = frozen
    wrong = lambda self, x, backend="auto", threads=1: np.full(len(x), 3)  # noqa: E731 - no such class
    monkeypatch.setattr(type(program), "predict", wrong)
    with pytest.raises(RuntimeError, match="bitwright verify"):
        evaluate(program, data, Recipe(), results=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_sizes_are_those_of_the_saved_file(frozen, tmp_path):
    _, program, _ = frozen
    n_bytes = program.save(tmp_path / "m.bw")
    found = sizes(program)
    assert found.file_bytes == n_bytes == (tmp_path / "m.bw").stat().st_size
    assert (found.weights, found.packed_bytes, found.float_bytes) == (816, 102, 3264)
    assert found.ratio == pytest.approx(n_bytes / 102)


def test_the_projection_gap_is_that_of_the_last_look():
    rows = [{"val_accuracy": 80.0, "soft_val_accuracy": 84.0}, {"val_accuracy": 81.0, "soft_val_accuracy": 82.5},
            {"val_accuracy": None}]  # fmt: skip
    assert projection_gap(rows) == 1.5
    assert projection_gap([{"val_accuracy": 80.0}]) == 0.0 and projection_gap([]) is None
