"""The baselines' tree against all its questions, and the distribution of gates against a net built by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from benchmarks import gate_distribution, logic_baselines, logic_study  # noqa: E402
from bitwright.layers import LogicLinear, LogicStack  # noqa: E402


def test_a_deep_tree_learns_any_function_and_a_shallow_one_the_best_bit():
    x = (np.arange(32)[:, None] >> np.arange(5) & 1).astype(bool)
    y = x.sum(1) % 2
    tree = logic_baselines.grow(x, y, 5)
    assert (logic_baselines.ask(tree, x) == y).all() and tree.leaves() == 32
    y = (x[:, 3] & (x.sum(1) > 1)).astype(int)
    stump = logic_baselines.grow(x, y, 1)
    assert stump.bit == 3 and stump.leaves() == 2
    assert logic_baselines.ask(stump, x).tolist() == x[:, 3].astype(int).tolist()


def test_the_setting_that_is_right_most_often_wins():
    x, y = np.zeros((20, 2), bool), np.arange(20) % 2
    assert logic_baselines.choose(x, y, [3, 9, 5], lambda setting, *rows: setting + len(rows[2]) - len(rows[3])) == 9


def test_gates_are_counted_by_layer():
    model = LogicStack(LogicLinear(4, 5), LogicLinear(5, 3))
    chosen = [torch.tensor([6, 6, 1, 15, 0]), torch.tensor([3, 7, 7])]
    with torch.no_grad():
        for layer, gates in zip(model, chosen, strict=True):
            layer.tables.params.copy_(torch.nn.functional.one_hot(gates, 16).float())
    counts = gate_distribution.gate_counts(model)
    assert [count.tolist() for count in counts.values()] == [np.bincount(g, minlength=16).tolist() for g in chosen]
    assert " 40.0%" in gate_distribution.table(counts) and gate_distribution.svg(counts, "t").count("<rect") == 1 + 32


def test_a_study_trains_each_value_with_each_seed(tmp_path, monkeypatch, capsys):
    runs = []

    def train(recipe, data, progress):
        runs.append((recipe.model_options["tau"], recipe.seed, recipe.train_on_validation, recipe.epochs))
        return SimpleNamespace(val_accuracy=90.0 + recipe.model_options["tau"] + recipe.seed)

    monkeypatch.setattr(logic_study, "train_recipe", train)
    monkeypatch.setattr(logic_study, "load_data", lambda name: name)
    recipe, plot = tmp_path / "r.toml", tmp_path / "plot.svg"
    recipe.write_text('model = "logic_mlp"\ndata = "monk1"\ntrain_on_validation = true\n[model_options]\ntau = 5.0\n')
    words = [str(recipe), "model_options.tau", "1.0", "3.0", "--seeds", "2", "--set", "epochs=7", "--svg", str(plot)]
    logic_study.main(words)
    assert runs == [(tau, seed, False, 7) for tau in (1.0, 3.0) for seed in (0, 1)]
    said = capsys.readouterr().out
    assert "model_options.tau = 1.0: 91.50 ± 0.71 %" in said and "= 3.0: 93.50 ± 0.71 %" in said
    assert plot.read_text().count("<circle") == 4
    with pytest.raises(ValueError, match="no TOML value"):
        logic_study.toml_value("[24, 24")
