"""The command line as a user meets it: in a process of its own, by its output, exit code and files."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from bitwright.cli import COMMANDS

QUICK = ["--epochs", "2", "--model-options.hidden", "32"]


def bitwright(*args, **kwargs):
    command = [sys.executable, "-m", "bitwright", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run folder: digits, two epochs."""
    pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
    folder = tmp_path_factory.mktemp("runs") / "digits"
    done = bitwright("train", "recipes/digits_sign_mlp.toml", *QUICK, "--out", folder)
    assert done.returncode == 0, done.stderr
    assert "validation accuracy" in done.stdout and "bitwright predict" in done.stdout
    return folder


def one_line_error(done) -> str:
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith("bitwright: error: ") and "Traceback" not in done.stderr
    return lines[-1]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_loads_no_torch(name):
    code = (
        "import sys\nfrom bitwright.cli import main\n"
        f"try: main([{name!r}, '--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'rich', 'PIL'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"bitwright {name}" in done.stdout and "Example" in done.stdout


def test_overview_lists_every_command():
    done = bitwright()
    assert done.returncode == 0 and all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_a_misspelt_command_names_the_nearest():
    assert "did you mean 'freeze'" in one_line_error(bitwright("freze"))


def test_every_field_of_a_recipe_can_be_overridden(run):
    described = json.loads((run / "run.json").read_text())["recipe"]
    assert described["epochs"] == 2 and described["model_options"]["hidden"] == [32]
    assert described["lr"] == 5e-3  # the file's own


def test_a_misspelt_field_names_the_nearest(tmp_path):
    done = bitwright("train", "digits_sign_mlp", "--epoch", "3")
    assert done.returncode == 2 and "--epochs" in done.stderr
    (tmp_path / "r.toml").write_text('data = "digits"\nepoch = 3\n')
    assert "did you mean 'epochs'" in one_line_error(bitwright("train", tmp_path / "r.toml"))


def test_an_option_the_recipe_does_not_set_can_be_given(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    options = ["--model-options.temperature", "2.5", "--out", tmp_path / "run"]
    done = bitwright("train", "digits_sign_mlp", *QUICK, *options)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run/run.json").read_text())["recipe"]["model_options"]["temperature"] == 2.5
    assert "no option 'hiden'" in one_line_error(
        bitwright("train", "digits_sign_mlp", "--model-options.hiden", "3", "--out", tmp_path / "b")
    )


def test_a_finished_run_is_not_overwritten(run):
    assert "--resume" in one_line_error(bitwright("train", "digits_sign_mlp", *QUICK, "--out", run))
    assert bitwright("train", "digits_sign_mlp", *QUICK, "--out", run, "--resume").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals: not on this system")
def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_resume(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    words = [
        "train",
        "digits_sign_mlp",
        "--epochs",
        "60",
        "--model-options.hidden",
        "256",
        "--out",
        str(tmp_path / "r"),
    ]
    command = [sys.executable, "-m", "bitwright", *words]
    going = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert going.stderr is not None
    assert "epoch 1/60" in going.stderr.readline()  # training has begun
    going.send_signal(signal.SIGINT)
    said = going.communicate(timeout=120)[1]
    assert going.returncode == 130 and "--resume" in said and "Traceback" not in said
    assert (tmp_path / "r/checkpoint.pt").exists() and not (tmp_path / "r/model.bw").exists()
    assert "--resume" in one_line_error(bitwright("freeze", tmp_path / "r"))
    done = bitwright(*words, "--resume")
    assert done.returncode == 0 and (tmp_path / "r/model.bw").exists(), done.stderr


def test_freeze_verify_summary(run, tmp_path):
    done = bitwright("freeze", run, "--out", tmp_path / "m.bw")
    assert done.returncode == 0 and "wider than a bit" in done.stdout, done.stderr
    done = bitwright("verify", run, "--samples", "50")
    assert done.returncode == 0 and "0 of" in done.stdout, done.stderr
    done = bitwright("verify", tmp_path / "m.bw", "--samples", "50")
    assert done.returncode == 0 and "50 samples" in done.stdout, done.stderr
    assert "xnor_linear" in bitwright("summary", tmp_path / "m.bw").stdout


def test_eval_writes_the_results_file_and_counts_the_reads(run, tmp_path):
    for reads in (1, 2):
        done = bitwright("eval", run, "--results", tmp_path)
        assert done.returncode == 0, done.stderr
        measured = json.loads((tmp_path / "digits_sign_mlp-seed0.json").read_text())
        assert measured["test_reads"] == reads and measured["test_samples"] == 400
        assert measured["hidden_differing"] == measured["scores_differing"] == 0
        assert measured["frozen_accuracy"] == measured["model_accuracy"] > 50


def test_a_run_that_diverged_is_recorded_as_failed(tmp_path):
    folder = tmp_path / "runs"
    done = bitwright("train", "digits_sign_mlp", "--optimizer", "sgd", "--lr", "1e30", "--float-twin",
                     "--epochs", "2", "--out", folder)  # fmt: skip
    assert done.returncode == 2 and "the loss is nan" in done.stderr, done.stderr
    done = bitwright("eval", folder, "--results", tmp_path / "results")
    assert done.returncode == 1 and "the test set was not read" in done.stdout, done.stderr
    (result,) = (json.loads(path.read_text()) for path in (tmp_path / "results").iterdir())
    assert "nan" in result["failed"] and result["test_reads"] == 0


def test_predict_prints_names_and_scores(run, tmp_path):
    import bitwright as package

    program, data = package.load(run / "model.bw"), package.load_data("digits")
    np.save(tmp_path / "x.npy", data.x_test[:3])
    scores = program.run(data.x_test[:3], backend="interpreter")
    done = bitwright("predict", run / "model.bw", tmp_path / "x.npy", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(row["scores"].values()) for row in rows] == scores.tolist()
    assert [row["class"] for row in rows] == [str(i) for i in scores.argmax(1)]
    plain = bitwright("predict", run / "model.bw", tmp_path / "x.npy", "--top", "1").stdout.splitlines()
    assert plain[0].split() == ["x.npy[0]", str(scores[0].argmax()), str(scores[0].max())]


def test_bad_input_is_one_line_and_exit_code_2(run, tmp_path):
    model = run / "model.bw"
    np.save(tmp_path / "float.npy", np.zeros((2, 1, 8, 8)))
    np.save(tmp_path / "shape.npy", np.zeros((2, 9), np.uint8))
    (tmp_path / "damaged.bw").write_bytes(model.read_bytes()[:-7])
    assert "astype" in one_line_error(bitwright("predict", model, tmp_path / "float.npy"))
    assert "shape" in one_line_error(bitwright("predict", model, tmp_path / "shape.npy"))
    assert "cat.png" in one_line_error(bitwright("predict", model, tmp_path / "cat.png"))
    assert "cut off" in one_line_error(bitwright("predict", tmp_path / "damaged.bw", tmp_path / "float.npy"))
    assert "none.bw" in one_line_error(bitwright("summary", tmp_path / "none.bw"))
    assert "run folder" in one_line_error(bitwright("freeze", tmp_path))
    assert "photos" in one_line_error(bitwright("train", "--data", tmp_path / "photos/"))
    assert "did you mean" in one_line_error(bitwright("train", "mnist_sgn_mlp"))


def test_debug_shows_the_traceback(tmp_path):
    done = bitwright("summary", tmp_path / "none.bw", env={**os.environ, "BITWRIGHT_DEBUG": "1"})
    assert "Traceback" in done.stderr and done.returncode == 1


def test_a_table_from_training_to_prediction(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    rng = np.random.default_rng(0)
    rows = [f"{a:.4f},{b:.3f},{'red' if a > 0.2 else 'blue'}" for a, b in rng.standard_normal((300, 2))]
    (table := tmp_path / "t.csv").write_text("\n".join(["a,b,colour", *rows]))
    assert "--target" in one_line_error(bitwright("train", "--data", table, "--out", tmp_path / "r"))
    done = bitwright("train", "--data", table, "--target", "colour", "--epochs", "15", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    (tmp_path / "new.csv").write_text("b,a\n0,2.5\n0,-2.5\n")
    done = bitwright("predict", tmp_path / "run/model.bw", tmp_path / "new.csv", "--json")
    assert [json.loads(line)["class"] for line in done.stdout.splitlines()] == ["red", "blue"], done.stderr
    assert bitwright("verify", tmp_path / "run").returncode == 0


def test_photos_from_training_to_prediction(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    image = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install pillow")
    rng = np.random.default_rng(0)
    for name, colour in (("sun", (230, 200, 30)), ("sea", (20, 60, 200))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(30):
            pixels = np.clip(np.array(colour) + rng.integers(-20, 20, (20, 24, 3)), 0, 255).astype(np.uint8)
            image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    options = ["--size", "16", "--epochs", "6", "--out", tmp_path / "run"]
    done = bitwright("train", "--data", tmp_path / "photos", *options)
    assert done.returncode == 0, done.stderr
    done = bitwright("predict", tmp_path / "run/model.bw", tmp_path / "photos/sun", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 30 and sum(row["class"] == "sun" for row in rows) > 25, done.stdout
