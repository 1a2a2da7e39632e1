"""Accuracies of G-Nets, their embeddings, gaps and exactness, from results/gnet/RECIPE-seedK.json."""

import json
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from benchmarks.claims.claim import RESULTS, Measured, NotMeasured

SEEDS, PROJECTION_SEEDS = 3, 10


def tables_of(recipe: str) -> list[dict[str, Any]]:
    """The tables of a recipe's seeds, with the rows of the test set alone."""
    tables = [json.loads(path.read_text()) for path in sorted((RESULTS / "gnet").glob(f"{recipe}-seed*.json"))]
    for table in tables:
        table["rows"] = [row for row in table["rows"] if row["split"] == "test"]
    return [table for table in tables if table["rows"]]


def said(values: list[list[float]], wanted_rows: int) -> tuple[float, str, bool]:
    """(mean over training seeds of means, words, whether there are as many seeds as asked)."""
    rows = min(map(len, values))
    mean = fmean(map(fmean, values))
    spread = f"{min(map(min, values)):.2f} to {max(map(max, values)):.2f}"
    words = f"{mean:.2f} % ({spread}; {len(values)} training seeds x {rows} projections)"
    return mean, words, len(values) >= SEEDS and rows >= wanted_rows


def float_accuracy(recipe: str, bar: float) -> Callable[[], Measured]:
    def measure() -> Measured:
        tables = tables_of(recipe)
        if not tables:
            raise NotMeasured(f"no results of {recipe} yet")
        mean, words, enough = said([[table["rows"][0]["model_accuracy"]] for table in tables], 1)
        return Measured(words, enough and mean >= bar, {"mean": mean, "enough_seeds": enough})

    return measure


def evaluated(recipe: str, bar: float, why: str) -> Callable[[], Measured]:
    """Mean accuracy of float networks as `bitwright eval` or the campaign wrote it. why: said where there is none."""

    def measure() -> Measured:
        found = [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{recipe}-seed*.json"))]
        if not found:
            raise NotMeasured(why)
        mean, words, enough = said([[result.get("model_accuracy", 0.0)] for result in found], 1)
        return Measured(words, enough and mean >= bar, {"mean": mean, "enough_seeds": enough})

    return measure


def rows_of(table: dict[str, Any], n: int, projection: str, corrected: bool) -> list[dict[str, Any]]:
    found = [r for r in table["rows"] if r["hyperdimensions"] == n and r["projection"] == projection]
    return [r for r in found if bool(r.get("corrected")) == corrected]


def embedded(
    recipe: str, n: int, projections: list[str], bar: float, corrected: bool = False
) -> Callable[[], Measured]:
    """The mean over all rows of that length; of several projections the worst counts."""

    def measure() -> Measured:
        found = {}
        for projection in projections:
            chosen = [[r["accuracy"] for r in rows_of(table, n, projection, corrected)] for table in tables_of(recipe)]
            if chosen := [values for values in chosen if values]:
                found[projection] = said(chosen, PROJECTION_SEEDS)
        if len(found) < len(projections):
            raise NotMeasured(f"no rows of N = {n} by {', '.join(p for p in projections if p not in found)} yet")
        mean = min(mean for mean, _, _ in found.values())
        words = "; ".join(f"{projection} {text}" for projection, (_, text, _) in found.items())
        enough = all(enough for _, _, enough in found.values())
        return Measured(words, enough and mean >= bar, {"mean": mean, "enough_seeds": enough})

    return measure


def gap(recipe: str, n: int, bar: float, corrected: bool = False) -> Callable[[], Measured]:
    def measure() -> Measured:
        gaps = []
        for table in tables_of(recipe):
            if rows := rows_of(table, n, "hadamard", corrected):
                gaps.append(rows[0]["model_accuracy"] - fmean(r["accuracy"] for r in rows))
        if not gaps:
            raise NotMeasured(f"no rows of N = {n} by hadamard yet")
        enough = len(gaps) >= SEEDS
        return Measured(f"{fmean(gaps):.2f} points, {len(gaps)} training seeds", enough and max(gaps) <= bar)

    return measure


def beside_cnn(recipe: str, cnn: str) -> Measured:
    """Means over seeds of the float networks' accuracies; the plain CNN's from `bitwright eval`."""
    plain = [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{cnn}-seed*.json"))]
    ours = [table["rows"][0]["model_accuracy"] for table in tables_of(recipe)]
    if not plain or not ours:
        raise NotMeasured(f"no results of {cnn if not plain else recipe} yet")
    theirs = [result["model_accuracy"] for result in plain]
    words = f"{fmean(ours):.2f} % against {fmean(theirs):.2f} %; {len(ours)} and {len(theirs)} training seeds"
    return Measured(words, fmean(theirs) - fmean(ours) <= 0.3 and min(len(ours), len(theirs)) >= SEEDS)


def tuned_gap(recipe: str, n: int, bar: float) -> Callable[[], Measured]:
    """Points that a net with tuned codes has less than its own float; rows of benchmarks.gnet.pareto, of the worst way
    where several were read on the test set.
    """

    def measure() -> Measured:
        gaps = []
        for table in tables_of(recipe):
            path = RESULTS / "gnet" / f"pareto-{recipe}-seed{table['seed']}.json"
            rows = json.loads(path.read_text())["rows"] if path.exists() else []
            ways: dict[str, list[float]] = {}
            for r in rows:
                if r.get("tuned") and r["hyperdimensions"] == n and r["split"] == "test":
                    ways.setdefault(r["way"], []).append(r["accuracy"])
            if ways:
                gaps.append(table["rows"][0]["model_accuracy"] - min(map(fmean, ways.values())))
        if not gaps:
            raise NotMeasured(f"no tuned rows of {recipe} at N = {n} yet")
        words = f"{fmean(gaps):.2f} points, {len(gaps)} training seeds"
        return Measured(words, len(gaps) >= SEEDS and max(gaps) <= bar)

    return measure


def verified(recipes: Sequence[str]) -> Measured:
    """Over all rows of these recipes whose Program was compared with its twin and run by every kernel."""
    rows = [row for table in map(tables_with_all_rows, recipes) for row in table if "kernels_agree" in row]
    if not rows:
        raise NotMeasured("no verified rows yet")
    compared = sum(r.get("twin_compared", 0) for r in rows)
    off = sum(r.get("twin_differing", 0) for r in rows)
    kernels = all(r["kernels_agree"] for r in rows)
    same = "equal" if kernels else "DIFFER"
    text = f"{off} of {compared:,} values off the twin; kernels {same}; {len(rows)} Programs"
    return Measured(text, off == 0 and kernels)


def tables_with_all_rows(recipe: str) -> list[dict[str, Any]]:
    paths = (RESULTS / "gnet").glob(f"{recipe}-seed*.json")
    return [row for path in paths for row in json.loads(path.read_text())["rows"]]
