"""Results files: every field of the protocol, readings of the test set counted, seeds summed up, failures included."""

import json
import math

import pytest

from bitwright.bench import read_result, read_results, summarize_seeds, write_failure, write_result
from bitwright.bench.results import FIELDS, binomial_error, read_note, result_path
from bitwright.train import Recipe


def finished(seed=0, accuracy=98.5, recipe_hash="a" * 16, recipe="net"):
    return dict.fromkeys(FIELDS) | {
        "recipe": recipe, "seed": seed, "recipe_hash": recipe_hash, "frozen_accuracy": accuracy, "commit": "c0ffee"
    }  # fmt: skip


def test_a_result_is_read_back_as_written(tmp_path):
    path, written = write_result(finished(seed=3), tmp_path / "results")
    assert path == tmp_path / "results" / "net-seed3.json"
    assert read_result(path) == written == json.loads(path.read_text())
    assert written["test_reads"] == 1 and "earlier_reads" not in written
    assert read_note(written) == ""


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"test_reads"}))
def test_no_field_of_the_protocol_may_be_missing(tmp_path, field):
    result = finished()
    del result[field]
    with pytest.raises(ValueError, match=field):
        write_result(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_reading_of_the_test_set_is_counted_and_kept(tmp_path):
    write_result(finished(accuracy=98.1), tmp_path)
    _, second = write_result(finished(accuracy=98.2), tmp_path)
    _, third = write_result(finished(accuracy=98.3, recipe_hash="b" * 16), tmp_path)
    assert [second["test_reads"], third["test_reads"]] == [2, 3]
    assert [entry["frozen_accuracy"] for entry in third["earlier_reads"]] == [98.1, 98.2]
    assert "reading 2" in read_note(second) and "98.10" in read_note(second)
    assert "2 of them with another recipe" in read_note(third)
    assert write_result(finished(seed=1), tmp_path)[1]["test_reads"] == 1  # another seed has its own count


def test_summary_over_seeds(tmp_path):
    for seed, accuracy in enumerate([98.0, 99.0, 98.5]):
        write_result(finished(seed, accuracy), tmp_path)
    write_result(finished(7, 50.0, recipe="net2"), tmp_path)
    summary = summarize_seeds("net", tmp_path)
    assert summary.seeds == [0, 1, 2] and summary.failed == 0
    assert summary.mean == pytest.approx(98.5)
    assert summary.sd == pytest.approx(0.5)  # sqrt((0.25 + 0.25 + 0) / 2)
    assert str(summary) == "98.50 ± 0.50 % (3 seeds)"


def test_one_seed_has_no_spread(tmp_path):
    write_result(finished(accuracy=97.0), tmp_path)
    summary = summarize_seeds("net", tmp_path)
    assert math.isnan(summary.sd) and str(summary) == "97.00 % (1 seed)"


def test_a_failed_run_counts(tmp_path):
    recipe = Recipe(name="net", seed=1)
    write_result(finished(0, 98.0, recipe.hash()), tmp_path)
    path = write_failure(recipe, "loss is nan in epoch 2", tmp_path)
    assert read_result(path)["failed"] == "loss is nan in epoch 2" and read_result(path)["test_reads"] == 0
    summary = summarize_seeds("net", tmp_path)
    assert (summary.mean, summary.failed) == (49.0, 1)
    assert "1 failed" in str(summary)
    _, later = write_result(finished(1, 97.0, recipe.hash()), tmp_path)  # it read no test set
    assert later["test_reads"] == 1


def test_seeds_of_different_recipes_are_not_mixed(tmp_path):
    write_result(finished(0), tmp_path)
    write_result(finished(1, recipe_hash="b" * 16), tmp_path)
    with pytest.raises(ValueError, match="recipes differ"):
        summarize_seeds("net", tmp_path)


def test_nothing_there_says_how_to_get_it(tmp_path):
    assert read_results("net", tmp_path / "none") == []
    with pytest.raises(FileNotFoundError, match="bitwright eval"):
        summarize_seeds("net", tmp_path)


def test_a_damaged_file_names_itself(tmp_path):
    path = result_path("net", 0, tmp_path)
    path.write_text('{"recipe": ')
    with pytest.raises(ValueError, match="net-seed0.json: not JSON"):
        read_result(path)
    path.write_text('{"recipe": "net", "seed": 0, "recipe_hash": "x"}')
    with pytest.raises(ValueError, match="frozen_accuracy"):
        read_result(path)


def test_binomial_error():
    assert binomial_error(90.0, 10_000) == pytest.approx(0.3)  # 100 * sqrt(0.9 * 0.1 / 10000)
