"""`bitwright sweep`: ranges, a tiny sweep that goes on where it stopped, errors that say the way out."""

import importlib.util
import os
import types

import pytest

from bitwright.app.sweep import parse_range, sweep

HAS_OPTUNA = importlib.util.find_spec("optuna") is not None
needs_optuna = pytest.mark.skipif(
    not HAS_OPTUNA and not os.environ.get("CI"), reason="needs Optuna: pip install 'bitwright[tune]'"
)


@pytest.mark.parametrize("text, found", [
    ("lr=log:1e-4..1e-1", ("lr", {"low": 1e-4, "high": 0.1, "log": True})),
    ("epochs=3..9", ("epochs", {"low": 3, "high": 9, "log": False})),
    ("optimizer=adam|sgd", ("optimizer", {"choices": ["adam", "sgd"]})),
    ("augment.shift=0|1.5", ("augment.shift", {"choices": [0, 1.5]})),
])  # fmt: skip
def test_ranges(text, found):
    assert parse_range(text) == found


@pytest.mark.parametrize("text", ["lr", "=1..2", "lr=", "lr=2..1", "lr=log:3", "lr=a..b", "lr=1..1"])
def test_what_is_no_range_says_the_forms(text):
    with pytest.raises(ValueError, match="is no range; write it as lr=log:1e-4..1e-1"):
        parse_range(text)


@needs_optuna
def test_a_sweep_finds_the_better_value_and_goes_on(tmp_path, capsys):
    from bitwright.train import Recipe

    options = {"hidden": [16]}
    recipe = Recipe(name="tiny", model="sign_mlp", data="digits", epochs=1, model_options=options, device="cpu")
    ranges = dict([parse_range("lr=1e-6|3e-2"), parse_range("batch_size=32..64")])
    study = sweep(recipe, ranges, 3, tmp_path / "journal.log")
    study = sweep(recipe, ranges, 3, tmp_path / "journal.log")
    seen = {trial.params["lr"] for trial in study.trials}
    assert len(study.trials) == 6 and seen <= {1e-6, 3e-2} and 32 <= study.best_params["batch_size"] <= 64
    assert study.best_value == max(trial.value for trial in study.trials)
    assert len(seen) == 1 or study.best_params["lr"] == 3e-2
    assert capsys.readouterr().out.count("trial ") == 6
    with pytest.raises(ValueError, match=r"journal\.log holds trials with another kind of range or other .* 'lr'"):
        sweep(recipe, {**ranges, "lr": {"choices": [1e-6, 1e-2]}}, 1, tmp_path / "journal.log")
    with pytest.raises(ValueError, match=r"journal\.log holds trials of another recipe of the name 'tiny'"):
        sweep(recipe.override({"epochs": 2}), ranges, 1, tmp_path / "journal.log")
    with pytest.raises(ValueError, match="no field 'rate'"):
        sweep(recipe, {"rate": {"low": 0.1, "high": 0.2, "log": False}}, 1, tmp_path / "other.log")
    with pytest.raises(ValueError, match="trains on the validation split"):
        sweep(recipe.override({"train_on_validation": True}), ranges, 1, tmp_path / "other.log")


@needs_optuna
def test_ctrl_c_names_the_journal_and_the_way_on(tmp_path, monkeypatch, capsys):
    import bitwright.train
    from bitwright.train import Recipe, TrainingInterrupted

    results = iter([types.SimpleNamespace(val_accuracy=50.0)])

    def one_then_ctrl_c(*_, **__):
        for result in results:
            return result
        raise TrainingInterrupted("interrupted; without a folder nothing was saved")

    monkeypatch.setattr(bitwright.train, "train_recipe", one_then_ctrl_c)
    recipe = Recipe(name="tiny", model="sign_mlp", data="digits", epochs=1, device="cpu")
    with pytest.raises(TrainingInterrupted, match=r"journal\.log keeps 1 trials, and the same command goes on"):
        sweep(recipe, dict([parse_range("lr=1e-6|3e-2")]), 3, tmp_path / "journal.log", data=object())
    assert capsys.readouterr().out.count("trial ") == 1
