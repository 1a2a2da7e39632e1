"""docs/methods-results.md: what is committed is what results/ say; the intervals drawn are those of the formula."""

import math
import re

import numpy as np
import pytest

from benchmarks.methods.compare import differences, table
from benchmarks.methods.forest import forest
from benchmarks.methods.page import ROOT, page

RUNS = [{"kind": "BW", "method": m, "seed": s, "val_accuracy": a, "soft_val_accuracy": a + 1}
        for m, values in {"bnn": (80, 81, 82), "bc": (81, 83, 82), "parq": (80, 81)}.items()
        for s, a in enumerate(values)]  # fmt: skip


def test_the_committed_page_is_what_the_results_say():
    for name, text in page(ROOT / "results").items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"python -m benchmarks.methods.page ({name})"


def test_differences_are_paired_by_seed():
    found = {name: (mean, half) for name, mean, half in differences(RUNS, "BW")}
    apart = np.array([1.0, 2.0, 0.0])
    assert found["bc"] == pytest.approx((1.0, 4.303 * apart.std(ddof=1) / math.sqrt(3)))
    assert found["parq"] == (0.0, 0.0) and "bnn" not in found
    assert "| BW | bc | 3 | 82.00 | +1.00 | -1.48 .. +3.48 | +1.00 |" in table(RUNS)
    assert "| BW | bnn | 3 | 81.00 | -1.00 | -3.48 .. +1.48 | +1.00 |" in table(RUNS, "bc")


def test_a_bar_is_as_long_as_its_interval_and_ends_at_the_edge():
    drawn = forest([("a", 1.0, 0.5), ("b", -9.0, 0.5), ("c", 0.0, math.nan)], "t", "l", reach=2.0)
    bars = re.findall(r'<line x1="([\d.]+)" y1="(\d+)" x2="([\d.]+)" y2="\2" stroke="(#\w+)" stroke-width="2"/>', drawn)
    width = 720 - 190 - 70
    (low, _, high, colour), (_, _, _, grey), (at_edge, _, same, _) = bars
    assert float(high) - float(low) == pytest.approx(width / 4, abs=0.2) and colour == "#1b6ca8"
    assert grey == "#8a97a5" and float(at_edge) == float(same) == 190
    assert drawn.index(">a<") < drawn.index(">c<") < drawn.index(">b<")
    with pytest.raises(ValueError, match="no rows to draw"):
        forest([], "t", "l")
