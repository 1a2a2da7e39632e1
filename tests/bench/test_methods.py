"""The comparison of methods: paired intervals against SciPy's numbers by hand, resuming, and one run of each kind."""

import json

import numpy as np
import pytest

from benchmarks.methods import compare
from bitwright.data import from_arrays

RNG = np.random.default_rng(0)


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


@pytest.mark.parametrize("method", ["bnn++", "reactnet"])
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
