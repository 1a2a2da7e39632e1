"""Pages take their numbers from results/*.json, and the committed pages hold those of the committed results."""

import json
from pathlib import Path

import pytest

from bitwright.bench import write_failure, write_result
from bitwright.bench.published import PAPERS, papers_table, say_what_is_shown
from bitwright.bench.report import main, rewrite
from bitwright.bench.results import FIELDS
from bitwright.train import Recipe

ROOT = Path(__file__).resolve().parents[2]
PAGE = "before\n<!-- numbers: {} -->\nold\n<!-- /numbers -->\nafter\n"


def put(folder, seed, accuracy, model, recipe="net"):
    result = dict.fromkeys(FIELDS, 0) | {
        "recipe": recipe, "seed": seed, "recipe_hash": Recipe(name=recipe).hash(), "data": "mnist",
        "frozen_accuracy": accuracy, "model_accuracy": model, "agreement": 99.5, "weights": 1_234_567,
        "first_layer_bits": 1, "last_layer_bits": 8, "file_bytes": 154_321,
    }  # fmt: skip
    write_result(result, folder)


def test_accuracies_of_all_recipes(tmp_path):
    put(tmp_path, 0, 98.0, 98.1)
    put(tmp_path, 1, 99.0, 98.3)
    write_failure(Recipe(name="worse"), "loss is nan", tmp_path)
    text = rewrite(PAGE.format("accuracy"), tmp_path)
    assert text.startswith("before\n<!-- numbers: accuracy -->\n| recipe") and text.endswith(
        "<!-- /numbers -->\nafter\n"
    )
    line = next(line for line in text.splitlines() if "`net`" in line)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == [
        "`net`",
        "mnist",
        "98.50 ± 0.71 % (2 seeds)",
        "98.20 %",
        "99.50 %",
        "1,234,567",
        "1 / 8 bit",
        "154 kB",
    ]
    assert "0.00 % (1 seed, 1 failed)" in text
    assert "old" not in text and rewrite(text, tmp_path) == text


def test_claims_and_timings(tmp_path):
    rows = [
        {"key": "gemm", "what": "GEMM", "bar": ">= 10 x", "measured": "14 x", "met": True},
        {"key": "speed-1", "what": "batch 1", "bar": ">= 10 x", "measured": "not measured yet", "met": None},
        {"key": "kill", "what": "kill", "bar": "same", "measured": "1 failed", "met": False},
    ]
    (tmp_path / "claims-main-job.json").write_text(json.dumps({"hardware": "a CPU", "rows": rows}))
    timing = rewrite(PAGE.format("timing"), tmp_path)
    assert "| GEMM | 14 x |" in timing and "batch 1" not in timing and "Measured on a CPU" in timing
    claims = rewrite(PAGE.format("claims main-job"), tmp_path)
    assert "| GEMM | >= 10 x | 14 x | met |" in claims and claims.count("| open |") == 2


def test_the_headline(tmp_path):
    assert "Not measured yet." in rewrite(PAGE.format("headline"), tmp_path)
    put(tmp_path, 0, 98.2, 98.2, recipe="mnist_logic")
    put(tmp_path, 1, 98.0, 98.0, recipe="mnist_logic")
    assert "Not measured yet." in rewrite(PAGE.format("headline"), tmp_path)
    rows = [{"key": "trained", "what": "net", "bar": "printed", "measured": "2.40 M images/s, 1 core", "met": True}]
    (tmp_path / "claims-logic-gates.json").write_text(json.dumps({"hardware": "a CPU", "rows": rows}))
    text = rewrite(PAGE.format("headline"), tmp_path)
    assert "a file of 154 kB: 98.20 % of MNIST's test images right" in text
    assert "right (its recipe: 98.10 ± 0.14 % (2 seeds)); 2.40 M images/s, 1 core." in text
    assert "| net | 2.40 M images/s, 1 core |" in rewrite(PAGE.format("timing"), tmp_path)


def test_embedded_networks_beside_published(tmp_path):
    row = {"split": "test", "hyperdimensions": 2047, "projection": "hadamard", "model_accuracy": 99.4}
    rows = [row | {"accuracy": 98.0}, row | {"accuracy": 99.0}, row | {"accuracy": 1.0, "corrected": 500}]
    rows += [row | {"accuracy": 2.0, "split": "val"}, row | {"accuracy": 3.0, "hyperdimensions": 511}]
    table = {"rows": rows, "recipe_fields": Recipe(name="mnist_gnet_noise").to_dict()}
    (tmp_path / "gnet").mkdir()
    (tmp_path / "gnet" / "mnist_gnet_noise-seed0.json").write_text(json.dumps(table))
    text = rewrite(PAGE.format("papers"), tmp_path)
    line = next(line for line in text.splitlines() if "| 95.24 |" in line)
    assert "| 98.50 ± 0.71 % (1 seed x 2 projections); bits 1/8/seed/12 | `mnist_gnet_noise`, " in line
    assert "not run yet" in next(line for line in text.splitlines() if "| 85.00 |" in line)
    assert text.count("\nBits are those of weights/activations/projections/sums") == 1


def test_other_measurements_in_the_folder_are_no_recipes(tmp_path):
    (tmp_path / "curve-net-seed0.json").write_text(json.dumps({"rows": [], "recipe": "net"}))
    assert "No results yet." in rewrite(PAGE.format("accuracy"), tmp_path)


def test_without_results_it_says_so(tmp_path):
    assert "No results yet." in rewrite(PAGE.format("accuracy"), tmp_path)
    assert "Not measured yet." in rewrite(PAGE.format("timing"), tmp_path)
    with pytest.raises(ValueError, match="blocks: .*accuracy"):
        rewrite(PAGE.format("acuracy"), tmp_path)


def test_check_writes_nothing_and_names_the_page(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(PAGE.format("accuracy"))
    words = [str(page), "--results", str(tmp_path)]
    assert main([*words, "--check"]) == 1 and "page.md" in capsys.readouterr().out
    assert page.read_text() == PAGE.format("accuracy")
    assert main(words) == 0 and "No results yet." in page.read_text()
    assert main([*words, "--check"]) == 0


def test_the_committed_pages_hold_the_committed_numbers():
    pages = [str(page) for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
    assert main([*pages, "--results", str(ROOT / "results"), "--check"]) == 0


def test_papers_beside_results(tmp_path):
    write_failure(Recipe(name="mnist_logic", seed=0), "loss is nan", tmp_path)
    text = rewrite(PAGE.format("papers"), tmp_path)
    assert "| MNIST, 48,000 gates | 97.69 ± 0.11 | second-hand | 0.00 % (1 seed, 1 failed) | `mnist_logic`" in text
    assert "| ResNet-18, ImageNet | 60.2 | paper | not reproduced: no data |  |" in text
    kinds = {row.kind for rows in PAPERS.values() for row in rows}
    assert kinds == {"paper", "code", "second-hand", "not available to us"}
    assert "not run yet" in text and text.count("### ") == len(PAPERS)


def test_a_study_of_methods_beside_the_papers(tmp_path):
    seen = [("bc", 87.0), ("parq", 10.0), ("bc", 89.0)]
    runs = [{"method": method, "test_accuracy": accuracy} for method, accuracy in seen]
    recipe = {"epochs": 5, "batch_size": 128, "optimizer": "adam", "lr": 0.001}
    (tmp_path / "pretrained-bw.json").write_text(json.dumps({"recipe": recipe, "runs": runs}))
    text = papers_table(tmp_path)
    ours = "88.00 ± 1.41 % (2 seeds) | `bc` in `results/pretrained-bw.json`, 5 epochs of 128, adam 0.001"
    assert f"| the same (ours: 5 epochs) | 89.56 | paper | {ours} |" in text
    assert "| the same, PARQ (ours: 5 epochs) | 90.48 | paper | 10.00 % (1 seed) |" in text
    assert "| the same, BNN++ (ours: 5 epochs) | - | not available to us | not run yet |  |" in text
    studies = {row.study for rows in PAPERS.values() for row in rows} - {""}
    assert studies and all((ROOT / "results" / f"{study}.json").exists() for study in studies)


def test_a_float_network_of_the_campaign_is_found_among_the_papers(tmp_path, capsys):
    """The campaign evaluates it as any run; its row is about the network before it was embedded."""
    fields = {"epochs": 150, "batch_size": 128, "optimizer": "adam", "lr": 0.003}
    for seed, accuracy in enumerate((84.0, 86.0)):
        result = {"recipe": "cifar_gnet", "recipe_hash": "x", "recipe_fields": fields, "seed": seed, "data": "cifar10"}
        (tmp_path / f"cifar_gnet-seed{seed}.json").write_text(
            json.dumps(result | {"model_accuracy": accuracy, "not_frozen": "a test"})
        )
    text = papers_table(tmp_path)
    ours = "85.00 ± 1.41 % (2 seeds) | `cifar_gnet`, 150 epochs of 128, adam 0.003"
    assert f"| CIFAR-10, float, RASU | 84.85 | code | {ours} |" in text
    say_what_is_shown(tmp_path)
    assert capsys.readouterr().err == ""
    say_what_is_shown(tmp_path / "none")
    assert "--results names it" in capsys.readouterr().err
