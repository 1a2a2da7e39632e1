"""The claims of the CIFAR-10 campaign, from its rows and the results of their recipes."""

import math
from collections.abc import Callable
from statistics import fmean
from typing import Any

from benchmarks.claims.claim import RESULTS, Claim, Measured, NotMeasured
from bitwright.app.campaign.rows import ROWS, Row
from bitwright.bench.results import read_results, summarize_seeds

BEST_COUNTS = ("weights",)  # rows whose bar is the best recipe's; elsewhere it is the first one's
GATES_AT_MOST = {"logic-conv": 1_000_000}  # with the adders of the vote, every position counted, as its paper does
VIT_FLOAT, VIT_BAR, VIT_APART = "cifar_vit_float", 80.0, 1.5
GNET, GNET_BAR = "cifar_gnet_wide", 84.8


def row_measure(row: Row) -> Callable[[], Measured]:
    """Its recipes' means. With a bar: the mean that counts, on all seeds; without: whether all recipes have results."""

    def measure() -> Measured:
        found = {name: summarize_seeds(name, RESULTS) for name in row.recipes if read_results(name, RESULTS)}
        if not found:
            raise NotMeasured("not run yet")
        words = "; ".join(f"{name} {summary}" for name, summary in found.items())
        if row.bar is None:
            enough = len(found) == len(row.recipes) and all(len(s.seeds) >= row.seeds for s in found.values())
            return Measured(words, enough, {name: summary.mean for name, summary in found.items()})
        counted = row.recipes if row.key in BEST_COUNTS else row.recipes[:1]
        limit = GATES_AT_MOST.get(row.key)
        whole = [found[name].mean for name in counted if name in found and len(found[name].seeds) >= row.seeds
                 and (limit is None or all(gates(run) <= limit for run in found[name].results))]  # fmt: skip
        return Measured(words, bool(whole) and max(whole) >= row.bar, {name: s.mean for name, s in found.items()})

    return measure


def gates(run: dict[str, Any]) -> float:
    """Gates of a result with the adders; infinitely many where it does not say."""
    logic = run.get("logic") or {}
    return logic["gates_run"] + logic["adders"] if {"gates_run", "adders"} <= logic.keys() else math.inf


def float_mean(recipe: str) -> float:
    runs = read_results(recipe, RESULTS)
    if not runs:
        raise NotMeasured(f"no results of {recipe} yet")
    return fmean(float(run.get("model_accuracy") or 0.0) for run in runs)


def vit_float() -> Measured:
    mean = float_mean(VIT_FLOAT)
    return Measured(f"{mean:.2f} %", mean >= VIT_BAR, {"mean": mean})


def vit_gap() -> Measured:
    """The best transformer with weights of one bit against the float one."""
    real = float_mean(VIT_FLOAT)
    names = [name for row in ROWS if row.key == "vit" for name in row.recipes if name.startswith("cifar_vit_bw_")]
    found = {name: float_mean(name) - real for name in ["cifar_vit_bw", *names] if read_results(name, RESULTS)}
    if not found:
        raise NotMeasured("no transformer with weights of one bit yet")
    words = ", ".join(f"{name} {apart:+.2f}" for name, apart in found.items())
    return Measured(words, max(found.values()) >= -VIT_APART, found)


def gnet_float() -> Measured:
    mean = float_mean(GNET)
    return Measured(f"{mean:.2f} %", mean >= GNET_BAR, {"mean": mean})


def twins() -> Measured:
    """Values on which a Program of the campaign differs from its twin or, of exact networks, from its model."""
    runs = [run for row in ROWS for name in row.recipes for run in read_results(name, RESULTS)]
    frozen = [run for run in runs if "twin_differing" in run and not run.get("not_frozen")]
    if not frozen:
        raise NotMeasured("no results of the campaign yet")
    differing = sum(run["twin_differing"] + (run["scores_differing"] or 0) * bool(run["exact"]) for run in frozen)
    part = [run for run in frozen if run.get("compared_samples", run["test_samples"]) < run["test_samples"]]
    cut = f"; {len(part)} of them not on all samples: bitwright eval RUN --compare 10000" if part else ""
    value = f"{differing:,} values of {len(frozen)} Programs{cut}"
    return Measured(value, differing == 0 and not part, {"differing": differing, "part": len(part)})


def _bar(row: Row) -> str:
    if row.bar is None:
        return "reported"
    best = "best of them " if row.key in BEST_COUNTS else ""
    return f"{best}>= {row.bar:.1f} %" + (f" (aim {row.aim:.1f})" if row.aim else "")


def _command(row: Row) -> str:
    return f"bitwright campaign --rows {row.key}"


CLAIMS = [
    *(Claim(row.key, row.what, _bar(row), _command(row), row_measure(row), reads=True) for row in ROWS),
    Claim("vit-float", "the float vision transformer", f">= {VIT_BAR:.1f} %", "bitwright campaign --rows vit",
          vit_float, reads=True),
    Claim("vit-gap", "weights of one bit to the float transformer, best method", f"within {VIT_APART} points",
          "bitwright campaign --rows vit", vit_gap, reads=True),
    Claim("gnet-float", "the float G-Net", f">= {GNET_BAR:.1f} %", "bitwright campaign --rows gnet", gnet_float,
          reads=True),
    Claim("twins", "Program = grid twin on the whole test set, every row", "0 differing", "bitwright campaign", twins,
          reads=True),
]  # fmt: skip
