"""The factorial of G-Net: a small run measured way by way, once; table, plot and crossings of hand-made results."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from benchmarks.gnet import equal_bytes, pareto
from benchmarks.gnet.factorial import cheapest, factorial_parts, rows_of
from benchmarks.gnet.fault_parts import equal_parts
from benchmarks.gnet.page import PAGE, page
from bitwright.app.source import Source
from bitwright.app.workflow import load_run, train_run
from bitwright.freeze import freeze
from bitwright.ir import Builder
from bitwright.train import Recipe

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_page_is_what_the_results_say(tmp_path):
    text = page(ROOT / "results", tmp_path)
    assert (ROOT / "docs" / PAGE).read_text(encoding="utf-8") == text, "python -m benchmarks.gnet.page"
    for plot in tmp_path.glob("*.svg"):
        assert (ROOT / "docs" / plot.name).read_text() == plot.read_text(), "python -m benchmarks.gnet.page"


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    def train(activation, noise):
        options = {"channels": [2, 3], "kernels": [3, 3], "hidden": [9], "activation": activation}
        options |= {"train_dimensions": noise}
        recipe = Recipe(
            name=f"little_{activation}", model="gnet", model_options=options, data="digits", epochs=1, lr=0.01
        )
        folder = tmp_path_factory.mktemp(activation)
        train_run(recipe, Source("digits"), folder, progress=False)
        return folder

    return train


def arguments(**other):
    given = {"n": [31, 65], "projection": ["hadamard", "rademacher"], "seeds": 2, "correct": 20, "tune": 60}
    given |= {"tuned_layers": 2, "tune_epochs": 2, "tune_lr": 1e-3, "refit": False}
    return argparse.Namespace(**{**given, "tuned_seeds": 1, "split": "test", "samples": 50, **other})


def test_every_way_is_measured_once(small_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pareto, "PAPERS_N", 100)
    run = small_run("rasu", 64.0)
    path = pareto.embed_all(run, arguments(), tmp_path)
    rows = json.loads(path.read_text())["rows"]
    assert len(rows) == 2 * (2 * 2 + 2 + 1)  # lengths of: plain ones, corrected, tuned
    shown = len(capsys.readouterr().out.splitlines())
    assert pareto.embed_all(run, arguments(), tmp_path) == path and json.loads(path.read_text())["rows"] == rows
    assert shown == len(rows) and capsys.readouterr().out == ""
    plain = next(r for r in rows if r["hyperdimensions"] == 65 and r["projection"] == "rademacher")
    _, _, data, model = load_run(run)
    program = freeze(model, data, hyperdimensions=65, projection="rademacher", seed=0)
    right = (program.predict(data.x_test[:50]) == data.y_test[:50]).sum()
    assert plain["accuracy"] == pytest.approx(2 * right)
    assert plain["way"] == "noise-aware, shared Rademacher rows" and plain["file_bytes"] == len(
        program.to_bytes(short=True)
    )
    tuned = [r for r in rows if r["tuned"]]
    assert {r["way"] for r in tuned} == {"noise-aware, Hadamard rows, codes of 2 layers tuned"} and len(tuned) == 2
    assert all((r["tuned_layers"], r["tune_epochs"], r["tune_lr"]) == (2, 2, 1e-3) for r in tuned)
    more = {"n": [31], "projection": ["hadamard"], "seeds": 1, "correct": 0}
    pareto.embed_all(run, arguments(**more, refit=True, tuned_layers=3), tmp_path)
    pareto.embed_all(run, arguments(**more, tune_epochs=1), tmp_path)
    new = json.loads(path.read_text())["rows"][len(rows) :]
    assert [(r["way"].split(", ")[-1], r["tune_epochs"]) for r in new] == [
        ("codes of 3 layers refit", 2), ("codes of 2 layers tuned", 1),
    ]  # fmt: skip
    table = json.loads(path.read_text()) | {"recipe_hash": "other"}
    path.write_text(json.dumps(table))
    with pytest.raises(ValueError, match="another version"):
        pareto.embed_all(run, arguments(), tmp_path)


def test_rows_of_the_benchmark_are_taken_over(small_run, tmp_path, monkeypatch):
    monkeypatch.setattr(pareto, "PAPERS_N", 100)
    run = small_run("tasu", 0.0)
    cost = {"total": 7, "elementwise": 1}
    row = {"hyperdimensions": 31, "projection": "hadamard", "projection_seed": 0, "accuracy": 12.5, "cost": cost}
    (tmp_path / "gnet").mkdir()
    known = {"rows": [row | {"split": "test", "samples": 50}, row | {"split": "val", "samples": 50, "accuracy": 1}]}
    (tmp_path / "gnet" / "little_tasu-seed0.json").write_text(json.dumps(known))
    path = pareto.embed_all(
        run, arguments(n=[31], projection=["hadamard"], seeds=1, correct=0, tuned_seeds=0), tmp_path
    )
    first, limit = json.loads(path.read_text())["rows"]
    assert first["accuracy"] == 12.5 and first["way"] == "TASU, float training, Hadamard rows"
    assert limit["way"] == "TASU, limit of 4-bit weights" and limit["cost"]["weight_products"] > 0


def test_what_eval_has_read_is_not_read_again(tmp_path):
    b = Builder()
    program = b.finish(b.xnor_linear(b.input("bits", (5,)), np.ones((3, 5), np.uint8)))
    said = {"test_samples": 50, "frozen_accuracy": 71.5, "file_bytes": 9}
    (tmp_path / "x.json").write_text(json.dumps(said))
    found = pareto.evaluated(program, tmp_path / "x.json", {"split": "test", "samples": 50})
    assert found is not None and found["accuracy"] == 71.5 and found["cost"]["bit_operations"] == 15
    assert pareto.evaluated(program, tmp_path / "x.json", {"split": "test", "samples": 49}) is None
    assert pareto.evaluated(program, tmp_path / "x.json", {"split": "val", "samples": 50}) is None
    assert pareto.evaluated(program, tmp_path / "none.json", {"split": "test", "samples": 50}) is None


def put(folder, name, table):
    (folder / "gnet").mkdir(exist_ok=True)
    (folder / "gnet" / name).write_text(json.dumps(table))


def test_the_table_has_a_row_a_way_and_a_column_a_length(tmp_path):
    def row(way, n, seed, accuracy, total, split="test"):
        said = {"way": way, "projection_seed": seed, "accuracy": accuracy, "split": split, "samples": 10_000}
        return said | ({"hyperdimensions": n} if n else {}) | {"cost": {"total": total, "bit_operations": 5_000_000}}

    rows = [row("a", 100, 0, 98.0, 2e6), row("a", 100, 1, 99.0, 2e6), row("a", 100, 2, 5.0, 2e6, "val")]
    rows += [row("a", 200, 0, 98.9, 4e6), row("b", 200, 0, 99.0, 40e6), row("sign network", None, 0, 97.0, 1e6)]
    put(tmp_path, "pareto-x-seed0.json", {"data": "mnist", "seed": 0, "papers_total": 2_000_000_000, "rows": rows})
    put(tmp_path, "pareto-y-seed0.json", {"data": "other", "seed": 0, "rows": rows})
    text = "\n".join(factorial_parts(tmp_path, tmp_path))
    assert "| way | N = 100 | N = 200 |" in text
    assert "| a | 98.50 ± 0.71 (1 x 2), 2.0 M | 98.90 (1), 4.0 M |" in text and "| b |  | 99.00 (1), 40 M |" in text
    assert "| sign network | 97.00 (1) | 1.0 M | 5.0 M |" in text
    assert "a, N = 200: 98.90 %, 1/500 of that cost." in text
    grouped, paper = rows_of(tmp_path)
    assert cheapest(grouped, 98.95) == ("b", 200, 99.0, 40e6) and cheapest(grouped, 99.5) is None and paper == 2e9
    drawn = (tmp_path / "gnet-pareto.svg").read_text()
    assert drawn.count("<circle") == 4 and drawn.count("<polyline") == 3


def test_equal_bytes_on_a_small_run(small_run, tmp_path, monkeypatch, capsys):
    run = small_run("tasu", 0.0)
    monkeypatch.setattr(equal_bytes, "RESULTS", tmp_path)
    call = ["equal_bytes", str(run), "--n", "151", "--rates", "0", "0.2", "--samples", "60", "--rivals"]
    monkeypatch.setattr("sys.argv", call)
    large = Builder()
    large = large.finish(large.xnor_linear(large.input("bits", (900,)), np.ones((10, 900), np.uint8)))
    rivals = equal_bytes.rivals_of
    monkeypatch.setattr(equal_bytes, "rivals_of", lambda *given: {**rivals(*given), "large": large})
    equal_bytes.main()
    table = json.loads((tmp_path / "gnet" / "equal-bytes-151.json").read_text())
    assert table["too_large"] == [{"name": "large", "bits": 9000}]
    ours, limit = table["systems"]
    assert ours["bits"] == table["budget_bits"] == 151 * (2 + 3 + 9 + 10) and ours["copies"] == "1"
    assert limit["bits"] == 4 * (2 * 9 + 3 * 18 + 9 * 12 + 10 * 9) and limit["stored_bits"] in (
        ours["bits"],
        ours["bits"] - 1,
    )
    assert [p["flipped"] for p in ours["points"]] == [0, round(0.2 * ours["bits"])]
    measured = capsys.readouterr().out
    monkeypatch.setattr(equal_bytes, "fault_curve", lambda *_, **__: 1 / 0)
    equal_bytes.main()
    assert capsys.readouterr().out == measured


def test_crossings_are_told_from_our_side(tmp_path):
    def system(name, accuracies):
        points = [{"rate": r, "seed": 0, "accuracy": a, "target": "weights", "flipped": 0, "bits": 8000}
                  for r, a in zip([0.0, 0.1, 0.2], accuracies)]  # fmt: skip
        return {"name": name, "bits": 8000, "copies": "1", "stored_bits": 8000, "file_bytes": 2000, "points": points}

    systems = [system("ours", [98, 97, 90]), system("rival", [99, 96, 20]), system("worse", [90, 80, 70])]
    table = {"systems": systems, "recipe": "ours", "seed": 0, "samples": 50, "n": 7, "budget_bits": 8000}
    put(tmp_path, "equal-bytes-7.json", table | {"too_large": [{"name": "big", "bits": 16_000}]})
    text = "\n".join(equal_parts(tmp_path, tmp_path))
    assert (
        "| rival, 1 kB of a file of 2 kB, copies: 1 | 99.0 | 96.0 | 20.0 |" in text
        and "- big: 2 kB do not fit." in text
    )
    assert "- against rival: behind at 0 %, ahead from 5.0 %; at most 1.00 points behind, at 0 %." in text
    assert "- against worse: ahead at 0 %." in text
    assert np.all([word in text for word in ("1 kB, N = 7", "50 test images")])
