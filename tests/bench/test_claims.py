"""The table of claims: bars are compared with results made here, and what is missing is open and says what to run."""

import json

import pytest

from benchmarks.claims import TABLES, __main__, cifar_campaign, claim, main_job, pytest_rows
from benchmarks.claims.claim import Claim, Measured, NotMeasured, Row, load_rows, measure, recall, save_rows
from benchmarks.claims.show import plain
from bitwright.bench import write_result
from bitwright.bench.results import FIELDS
from bitwright.bench.timing import Timing


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(main_job, "RESULTS", tmp_path)
    monkeypatch.setattr(claim, "RESULTS", tmp_path)
    monkeypatch.setattr(cifar_campaign, "RESULTS", tmp_path)
    return tmp_path


def put(folder, recipe, seed=0, **changed):
    result = dict.fromkeys(FIELDS, 0) | {
        "recipe": recipe, "seed": seed, "recipe_hash": "a", "frozen_accuracy": 99.0, "model_accuracy": 99.0,
        "exact": True, "agreement": 100.0, "first_layer_bits": 1, "last_layer_bits": 1, "weights": 900_000,
        "test_samples": 10_000, "hidden_compared": 5, "scores_compared": 5,
    }  # fmt: skip
    write_result(result | changed, folder)


def row(table_key):
    return measure(next(entry for entry in main_job.CLAIMS if entry.key == table_key))


def test_accuracy_is_met_by_the_mean_of_three_seeds(results):
    assert row("mnist-mlp").met is None and "bitwright train recipes/mnist_sign_mlp.toml" in row("mnist-mlp").measured
    for seed, accuracy in enumerate([98.5, 98.9, 98.7]):
        assert row("mnist-mlp").met is None
        put(results, "mnist_sign_mlp", seed, frozen_accuracy=accuracy)
    assert row("mnist-mlp").met and "98.70 ± 0.20 % (3 seeds)" in row("mnist-mlp").measured
    put(results, "mnist_sign_mlp", 2, frozen_accuracy=98.6)
    assert row("mnist-mlp").met is False and row("mnist-mlp").state == "open"


@pytest.mark.parametrize(
    "changed", [{"first_layer_bits": 8}, {"last_layer_bits": 4}, {"exact": False}, {"weights": 1_000_001}]
)
def test_accuracy_of_a_network_that_is_not_the_claims_does_not_count(results, changed):
    for seed in range(3):
        put(results, "fashion_sign_cnn", seed)
    assert row("fashion-cnn").met
    put(results, "fashion_sign_cnn", 1, **changed)
    assert row("fashion-cnn").met is False


def test_seeds_of_different_recipes_are_a_failed_row(results):
    for seed in range(3):
        put(results, "mnist_sign_mlp", seed, recipe_hash=str(seed))
    assert row("mnist-mlp").met is False and "recipes differ" in row("mnist-mlp").measured


@pytest.mark.parametrize("program, twin, met", [(90.2, 0, True), (89.8, 0, True), (90.21, 0, False), (90.0, 1, False)])
def test_residual_within_two_tenths_and_equal_to_its_twin(results, program, twin, met):
    put(results, main_job.RESNET, model_accuracy=90.0, frozen_accuracy=program, twin_differing=twin, agreement=97.5)
    assert row("fashion-resnet").met is met and "97.50" in row("fashion-resnet").measured


def test_exact_needs_both_networks_whole(results):
    put(results, main_job.MLP)
    assert row("exact").met is None
    put(results, main_job.CNN)
    assert row("exact").met and row("exact").measured.startswith("0 differing of 10 hidden bits and 10 scores")
    put(results, main_job.CNN, hidden_differing=1)
    assert row("exact").met is False
    put(results, main_job.CNN, test_samples=9_999)
    assert row("exact").met is False


def fixed(key, value="3 x", met=True, reads=False, error=None):
    def measured():
        if error:
            raise error
        return Measured(value, met)

    return Claim(key, f"what {key}", "a bar", f"run {key}", measured, reads)


def test_a_time_counts_only_on_an_idle_machine():
    calm, noisy = Timing(2, 1.9, 2.1, 9, 1), Timing(2, 1.3, 2.1, 9, 1)
    assert main_job.timed("12 x", True, [calm, calm], {}) == Measured("12 x", True, {})
    assert not main_job.timed("9 x", False, [calm], {}).met
    disturbed = main_job.timed("12 x", True, [calm, noisy], {})
    assert not disturbed.met and "idle machine" in disturbed.value


def test_a_measurement_that_fails_is_an_open_row():
    assert measure(fixed("a", error=RuntimeError("no core"))).measured == "failed: RuntimeError: no core"
    assert measure(fixed("a", error=RuntimeError())).met is False
    assert measure(fixed("a", error=NotMeasured("run: it"))).met is None


def test_quick_recalls_what_was_measured_and_reads_files_anew(tmp_path):
    rows = [measure(fixed("a", "1 x")), measure(fixed("b", "1 x", reads=True))]
    save_rows("t", rows, tmp_path)
    last = load_rows("t", tmp_path)
    assert list(last.values()) == rows
    assert recall(fixed("a", "2 x"), last).measured == "1 x"
    assert recall(fixed("b", "2 x", reads=True), last).measured == "2 x"
    assert recall(fixed("c"), last).measured == "not measured yet"


def test_the_command_measures_one_row_and_keeps_the_others(results, monkeypatch, capsys):
    monkeypatch.setitem(TABLES, "main-job", [fixed("a", "1 x"), fixed("b", "2 x")])
    assert __main__.main(["main-job", "--only", "a"]) == 1  # b is open
    assert __main__.main(["--of", "main-job", "--only", "b"]) == 0
    assert __main__.main(["main-job", "--quick"]) == 0
    table = json.loads((results / "claims-main-job.json").read_text())
    assert [(entry["key"], entry["measured"]) for entry in table["rows"]] == [("a", "1 x"), ("b", "2 x")]
    assert "2 met, 0 open" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        __main__.main(["main-job", "--only", "nothing"])


def test_every_row_has_its_command_and_no_key_twice():
    for claims in TABLES.values():
        keys = [entry.key for entry in claims]
        assert len(set(keys)) == len(keys)
        assert all(entry.command and entry.bar and entry.what for entry in claims)


def test_plain_table_shows_state_bar_measured_and_command():
    text = plain(
        "title", [Row("a", "what", "a bar", "3 x", True, "run it", "now", "c0ffee"), Row("b", "w", "b", "-", None, "c")]
    )
    assert [line.split()[0] for line in text.splitlines() if line and line[0] != " "] == ["title", "met", "open"]
    assert all(part in text for part in ("a bar", "3 x  (now, c0ffee)", "run it"))


def test_only_tests_that_ran_and_passed_prove_a_claim(tmp_path, monkeypatch):
    monkeypatch.setattr(pytest_rows, "ROOT", tmp_path)
    with pytest.raises(NotMeasured, match="no test yet"):
        pytest_rows.tests_prove("room/test_*.py")
    room = tmp_path / "tests" / "room"
    room.mkdir(parents=True)
    (room / "test_a.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    assert pytest_rows.tests_prove("room/test_*.py") == Measured("2 passed", True, {"passed": 2})
    (room / "test_b.py").write_text("import pytest\ndef test_c(): pytest.skip('no gcc')\n")
    with pytest.raises(NotMeasured, match="2 passed, 1 skipped"):
        pytest_rows.tests_prove("room/test_*.py")
    (room / "test_b.py").write_text("def test_c(): assert 0\n")
    assert not pytest_rows.tests_prove("room/test_*.py").met


def test_counts_are_read_from_the_last_line():
    assert pytest_rows.count("1 failed earlier\n3 passed, 2 skipped in 0.1s") == {"passed": 3, "skipped": 2}
    assert pytest_rows.count("nothing") == {}


def test_a_row_of_the_campaign_is_met_by_its_first_recipe_or_by_the_best_where_that_counts(results):
    def made(recipe, accuracy, seeds=3):
        for seed in range(seeds):
            put(results, recipe, seed, frozen_accuracy=accuracy, model_accuracy=accuracy)

    first = cifar_campaign.ROWS[0]
    find = cifar_campaign.row_measure(first)
    with pytest.raises(NotMeasured):
        find()
    made(first.recipes[1], 99.0)
    assert not find().met and first.recipes[1] in find().value
    made(first.recipes[0], first.bar + 0.1, seeds=2)
    assert not find().met  # a seed is missing
    made(first.recipes[0], first.bar + 0.1)
    assert find().met
    best = next(row for row in cifar_campaign.ROWS if row.key in cifar_campaign.BEST_COUNTS)
    made(best.recipes[-1], best.bar)
    assert cifar_campaign.row_measure(best)().met
    for recipe, accuracy in (("cifar_vit_float", 80.5), ("cifar_vit_bw", 78.9), ("cifar_vit_bw_pair", 79.1)):
        made(recipe, accuracy)
    assert cifar_campaign.vit_float().met and cifar_campaign.vit_gap().met
    made("cifar_vit_bw_pair", 78.9)
    assert not cifar_campaign.vit_gap().met
    conv = next(row for row in cifar_campaign.ROWS if row.key == "logic-conv")
    for n_gates, met in ((999_000, True), (1_000_000, False)):
        put(results, conv.recipes[0], 0, frozen_accuracy=conv.bar, logic={"gates_run": n_gates, "adders": 500})
        assert cifar_campaign.row_measure(conv)().met == met
    put(results, conv.recipes[0], 0, frozen_accuracy=conv.bar)
    assert not cifar_campaign.row_measure(conv)().met  # how many gates it does not say
    assert cifar_campaign.twins().met
    put(results, "cifar_fda", 0, compared_samples=1000)
    assert not cifar_campaign.twins().met and "--compare" in cifar_campaign.twins().value
    put(results, "cifar_fda", 0, twin_differing=3)
    assert not cifar_campaign.twins().met
