"""Learning curves of the recipes that have results, a figure a data set: what docs/papers.md shows."""

from pathlib import Path
from statistics import fmean, stdev

from bitwright.bench.results import read_results
from bitwright.bench.svg_curves import svg_curves

MOST = 8  # curves of a figure


def learning_curves(recipes: list[str], results: Path) -> dict[str, str]:
    """File name -> SVG. Percent of the validation split over the share of the training that is done, means over seeds
    with the sample's standard deviation. Recipes trained on the validation split too have no curve."""
    by_data: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    for recipe in recipes:
        runs = [run for run in read_results(recipe, results) if not run.get("failed")]
        curve = _mean([run.get("curve", []) for run in runs])
        if len(curve) > 1:
            by_data.setdefault(runs[0]["data"], {})[recipe] = curve
    return {f"curves-{data}.svg": _draw(data, curves) for data, curves in sorted(by_data.items())}


def _mean(curves: list[list[list[float | None]]]) -> list[tuple[float, float, float]]:
    """Of the epochs that every seed has looked at."""
    seen = [{epoch: value for epoch, _, value in curve if value is not None} for curve in curves]
    epochs = sorted(set.intersection(*(set(one) for one in seen))) if seen else []
    points = []
    for epoch in epochs:
        values = [one[epoch] for one in seen]
        spread = stdev(values) if len(values) > 1 else 0.0
        points.append((100 * epoch / epochs[-1], fmean(values), spread))
    return points


def _draw(data: str, curves: dict[str, list[tuple[float, float, float]]]) -> str:
    shown = dict(list(curves.items())[:MOST])
    last = min(curve[-1][1] for curve in shown.values())
    floor = max(0.0, 5 * ((last - 10) // 5))
    return svg_curves(shown, f"{data}: validation split", "training, %", "accuracy, %", (floor, 100))
