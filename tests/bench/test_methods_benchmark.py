"""The comparison of methods: paired intervals against SciPy's numbers by hand, resuming, and one run of each kind."""

import json
import sys

import numpy as np
import pytest
import torch

from benchmarks.claims import pcpp_fda
from benchmarks.claims.claim import NotMeasured
from benchmarks.methods import accumulators, compare, finetune, step, variants, vit
from bitwright.data import data_root, from_arrays
from bitwright.data.float_weights import FLOAT_WEIGHTS
from bitwright.quantizers import METHODS, make_quantizer, native_signs
from bitwright.quantizers.theory import check_pair

RNG = np.random.default_rng(0)
FLOAT = data_root() / FLOAT_WEIGHTS[finetune.START].path


def test_the_interval_is_students():
    # differences 1, 2, 3, 4, 5: mean 3, deviation sqrt(2.5), t(4) = 2.776
    mean, half = compare.interval([1, 2, 3, 4, 5])
    assert (mean, half) == pytest.approx((3, 2.776 * 2.5**0.5 / 5**0.5))
    assert np.isnan(compare.interval([1.0])[1])


def test_differences_are_paired_by_seed():
    runs = [{"method": m, "kind": "BW", "seed": s, "val_accuracy": 80 + s + d, "soft_val_accuracy": 81 + s + d}
            for s in range(3) for m, d in (("bnn", 0), ("parq", 0.5))]  # fmt: skip
    text = compare.table([*runs, {**runs[0], "method": "bc", "seed": 9}])  # a seed without BNN does not count
    assert "| BW | parq | 3 | 81.50 | +0.50 | +0.50 .. +0.50 | +1.00 |" in text and "bc" not in text


def test_every_method_comes_once_a_seed_and_kind_with_the_base_first():
    made = list(compare.jobs(2, ["bc", "bnn", "parq"]))
    assert len(made) == len(set(made)) == 12 and made[0] == (0, "BW", "bnn") and made[6][0] == 1


def test_proposed_pairs_are_consistent_and_end_as_the_sign():
    names = variants.proposals(5)
    assert names == variants.proposals(5) and len(set(names)) == 5
    assert {name.split(",")[0] for name in names} == {"pair:one", "pair:mean"}
    w = torch.linspace(-2, 2, 99, dtype=torch.float64)[None]
    for name in names:
        pair = variants.searched_pair(name)
        assert check_pair(variants.searched_pair(name.replace("mean", "one")), progress=0.5).exact
        assert torch.equal(pair.forward(w, **pair.values_at(1.0)).round(decimals=9), torch.where(w >= 0, 1.0, -1.0))
    with pytest.raises(ValueError, match="stand still"):
        variants.searched_pair("pair:one,1,8,0.5,-0.6,0.05")
    with pytest.raises(ValueError, match="is no pair of this search"):
        variants.searched_pair("pair:1,8,0.5,0,0")
    first, parq = variants.searched_pair(names[0]), make_quantizer("parq").pair
    for progress in (0.0, 0.4, 1.0):
        ours, theirs = (pair.forward(w, **pair.values_at(progress)) for pair in (first, parq))
        torch.testing.assert_close(ours, theirs)


PAIRS = ["pair:one,0.3,8,0.5,0.2,-0.1", "pair:mean,1,10,0.5,0.2,-0.1"]


@pytest.mark.parametrize("method", ["bnn++", "reactnet", "fda: module only", *PAIRS])
@pytest.mark.parametrize("kind", ["BW", "BWA"])
def test_a_run_trains_and_is_the_same_again_and_a_file_of_another_budget_is_refused(method, kind, tmp_path):
    data = from_arrays(RNG.integers(0, 256, (60, 1, 8, 8)).astype(np.uint8), np.arange(60) % 3, seed=0)
    budget = compare.Budget(examples=40, epochs=2, batch_size=16, channels=(4,), hidden=(6,))
    first = compare.run(budget, compare.part_of(data, 40), 0, kind, method)
    again = compare.run(budget, compare.part_of(data, 40), 0, kind, method)
    assert {**first, "seconds": 0} == {**again, "seconds": 0} and 0 <= first["val_accuracy"] <= 100
    compare.save(tmp_path / "x.json", budget, [first])
    assert compare.load(tmp_path / "x.json", budget) == [first] and json.loads((tmp_path / "x.json").read_text())
    with pytest.raises(ValueError, match="another budget"):
        compare.load(tmp_path / "x.json", compare.Budget())


def test_rows_of_accumulators_are_compared_with_exact_sums():
    rows = [{"setting": "small", "seed": s, "int32": 80 + s, "wrap8": 79.5 + s, "wrap8 wraps": {"a": 0.01 * s},
             "wrap8_half": 80 + s, "wrap8_half wraps": {}} for s in range(2)]  # fmt: skip
    rows = [{**row, "wrap8_half wraps": {"a": 0.0}} for row in rows]
    text = accumulators.table(rows)
    assert "| small | wrap8 | 2 | 80.00 | -0.50 | -0.50 .. -0.50 | 1.00 % |" in text and "trained" not in text


def test_claims_read_what_the_comparisons_left(tmp_path, monkeypatch):
    monkeypatch.setattr(pcpp_fda, "RESULTS", tmp_path)
    with pytest.raises(NotMeasured, match="python -m benchmarks.methods"):
        pcpp_fda.methods_compared()
    runs = [{"method": m, "kind": k, "seed": s} for m in METHODS for k in compare.KINDS for s in range(5)]
    for kept, met in ((runs, True), (runs[1:], False)):
        (tmp_path / "methods-smoke.json").write_text(json.dumps({"budget": {}, "runs": kept}))
        assert pcpp_fda.methods_compared().met is met
    rows = [{"setting": "wide", "seed": s, "int32": 80.0, "wrap8_half": 70.0, "wrap8_half wraps": {"a": 0.02},
             "int32 tuned": 80.0, "wrap8_half tuned": 79.5, "wrap8_half tuned wraps": {"a": 0.01}}
            for s in range(2)]  # fmt: skip
    (tmp_path / "accumulators.json").write_text(json.dumps(rows))
    assert pcpp_fda.narrow_trained().met
    with pytest.raises(NotMeasured, match="no rows of 'small'"):
        pcpp_fda.narrow_untrained()
    means = {"bc": 80.0, "bnn++": 81.0, "pair:1": 82.0, "pair:2": 80.5}
    pairs = [{"kind": "BW", "method": m, "seed": s, "val_accuracy": means[m] + s / 8} for m in means for s in range(3)]
    (tmp_path / "pair-confirm.json").write_text(json.dumps({"runs": pairs}))
    assert pcpp_fda.better_pair().value.startswith("yes: pair:1, lower end of the interval +1.00")
    (tmp_path / "pair-confirm.json").write_text(json.dumps({"runs": pairs[:6] + pairs[9:]}))
    assert pcpp_fda.better_pair().value.startswith("no: pair:2")


@pytest.mark.skipif(not FLOAT.exists(), reason="needs pretrained/: set BITWRIGHT_DATA")
@pytest.mark.parametrize("method", ["bnn++", PAIRS[1]])
def test_fine_tuning_begins_with_the_float_weights_and_goes_on(method, tmp_path):
    data = from_arrays(RNG.integers(0, 256, (30, 3, 32, 32)).astype(np.uint8), np.arange(30) % 10, seed=0)
    before = finetune.network(method, 0).layer1[0].conv1.weight
    assert torch.equal(before, finetune.network("bc", 1).layer1[0].conv1.weight)  # not of the seed: published
    row = finetune.RUNS.run(data, method, 0, 1, tmp_path)
    assert row == {**finetune.RUNS.run(data, method, 0, 1, tmp_path), "seconds": row["seconds"]}


def test_transformers_of_the_table_differ_by_their_quantizers_alone():
    from bitwright.layers import BinaryLinear

    made = {method: vit.network(method, 3) for method in vit.RUNS.methods}
    real = [p for name, p in made[vit.FLOAT].named_parameters() if "scale" not in name]
    for method, model in made.items():
        layers = [m for m in model.modules() if isinstance(m, BinaryLinear)]
        assert len(layers) == 4 * 6 and all((m.weight_quantizer is None) == (method == vit.FLOAT) for m in layers)
        own = [p for name, p in model.named_parameters() if name in dict(made[vit.FLOAT].named_parameters())]
        assert all(torch.equal(a, b) for a, b in zip(own, real, strict=True))


def test_long_runs_go_on_where_the_results_file_ends(tmp_path, monkeypatch, capsys):
    images = RNG.integers(0, 256, (300, 3, 32, 32)).astype(np.uint8)
    monkeypatch.setattr("bitwright.data.load_data", lambda name: from_arrays(images, np.arange(300) % 10, seed=0))
    out = tmp_path / "vit.json"

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["vit", "--out", str(out), "--runs", str(tmp_path), "--epochs", "1", *words])
        vit.RUNS.main("")
        return capsys.readouterr().out

    call("--methods", vit.FLOAT)
    kept = json.loads(out.read_text())["runs"]
    shown = call("--methods", vit.FLOAT, vit.BOTH)
    runs = json.loads(out.read_text())["runs"]
    assert runs[0] == kept[0] and [r["method"] for r in runs] == [vit.FLOAT, vit.BOTH]
    assert f"| BW | {vit.BOTH} | 1 |" in shown
    assert "0.0 h for 0 runs" in call("--methods", vit.FLOAT, "--measure")


def test_a_step_is_timed_with_the_native_library_and_without(tmp_path, monkeypatch, capsys):
    path, seen = tmp_path / "small.toml", []
    path.write_text('model = "resnet20"\ndata = "cifar10"\nepochs = 4\nbatch_size = 8\noptimizer = "sgd"\n'
                    '[model_options]\nform = "single"\nwidth = 4\nblocks = [1]\nquantizer = "fda"\n')  # fmt: skip
    monkeypatch.setattr(native_signs, "available", lambda: True)  # whatever is built here
    monkeypatch.setattr(native_signs, "takes", lambda *x: bool(seen.append(native_signs.available())))
    out = tmp_path / "out" / "step.json"
    monkeypatch.setattr("sys.argv", ["step", str(path), "--steps", "1", "--out", str(out)])
    step.main()
    assert set(seen) == {True, False} and " 4 epochs" in capsys.readouterr().out
    (row,) = json.loads(out.read_text())["rows"]
    assert row["recipe"] == str(path) and row["plain"] > 0 and row["native"] > 0
