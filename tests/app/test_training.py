"""`bitwright train` in this process: what does not freeze is trained all the same, health is summed up, options of a
quantizer are named."""

import json

import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright import cli

VIT = """
model = "vit"
data = "digits"
epochs = 1
batch_size = 512
health = true
[model_options]
width = 12
depth = 1
heads = 2
"""


def test_a_transformer_is_trained_its_health_shown_and_the_way_on_is_eval(tmp_path, capsys):
    (tmp_path / "tiny.toml").write_text(VIT)
    assert cli.main(["train", str(tmp_path / "tiny.toml"), "--out", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "validation accuracy" in said and "gradient_cosine" in said
    assert "no Program: freeze: 'tokens'" in said and f"next: bitwright eval {tmp_path / 'run'}" in said
    assert cli.main(["eval", str(tmp_path / "run"), "--results", str(tmp_path)]) == 0
    assert "model_accuracy" in json.loads((tmp_path / "tiny-seed0.json").read_text())


def test_an_option_of_a_quantizer_is_named_on_the_command_line_and_in_the_run(tmp_path, capsys):
    options = ["weight-quantizer", "parq", "quantizer", "fda", "quantizer.omega", "0.3", "method", "dorefa"]
    flags = [f"--model-options.{word}" if i % 2 == 0 else word for i, word in enumerate(options)]
    quick = ["--epochs", "1", "--batch-size", "600", "--model-options.hidden", "8"]
    assert cli.main(["train", "digits_sign_mlp", *quick, *flags, "--out", str(tmp_path / "run")]) == 0
    told = json.loads((tmp_path / "run/run.json").read_text())["recipe"]["model_options"]
    assert told.pop("weight_quantizer") == "parq"
    assert told == {"hidden": [8], "quantizer": {"name": "fda", "omega": 0.3}, "method": "dorefa"}
    run = tmp_path / "plain/run.json"  # parts that the recipe has give way to a method
    assert cli.main(["train", "digits_sign_mlp", *quick, *flags[-2:], "--out", str(run.parent)]) == 0
    assert json.loads(run.read_text())["recipe"]["model_options"] == {"hidden": [8], "method": "dorefa"}
    assert cli.main(["train", "digits_sign_mlp", "--model-options.quantizer.omega", "0.3"]) == 2
    assert "which is not set; set it to a name first" in capsys.readouterr().err


def test_of_several_processes_the_first_alone_freezes_and_speaks(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    quick = ["--epochs", "1", "--batch-size", "600", "--model-options.hidden", "8"]
    assert cli.main(["train", "digits_sign_mlp", *quick, "--out", str(tmp_path / "run")]) == 0
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"] and not capsys.readouterr().out
