"""The factorial table and the Pareto plot of docs/gnet.md: accuracy against all operations, of every way to ship a net.

From results/gnet/pareto-*.json alone, whose rows `python -m benchmarks.gnet.pareto` measures.
"""

import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from bitwright.bench.svg_curves import svg_curves

PAPER_N, PAPER_ACCURACY = 10_000, 98.81  # of runs in the paper's repository, Gaussian rows
PLOT = "gnet-pareto.svg"
FLOOR = 90  # of the plot; less is drawn at its edge

Groups = dict[tuple[str, Any], list[dict[str, Any]]]


def rows_of(results: Path, data: str = "mnist") -> tuple[Groups, int]:
    """(rows of whole test sets by (way, N), operations of the paper's way; 0 if no run has said). N is None without."""
    grouped: Groups = defaultdict(list)
    paper = 0
    for path in sorted((results / "gnet").glob("pareto-*.json")):
        table = json.loads(path.read_text())
        if table["data"] != data:
            continue
        paper = paper or table.get("papers_total", 0)
        for row in table["rows"]:
            n = row.get("hyperdimensions")
            key = (row["way"], tuple(n) if isinstance(n, list) else n)
            grouped[key].append(row | {"seed": table["seed"]}) if row["split"] == "test" else None
    return dict(sorted(grouped.items(), key=lambda item: (item[0][1] is not None, item[0][0], str(item[0][1])))), paper


def cell(rows: list[dict[str, Any]]) -> str:
    seen = [row["accuracy"] for row in rows]
    spread = f" ± {stdev(seen):.2f}" if len(seen) > 1 else ""
    seeds = len({row["seed"] for row in rows})
    samples = min(row["samples"] for row in rows)
    told = f"{seeds} x {len(rows) // seeds}" if len(rows) > 1 else "1"
    fewer = f", {samples:,} images" if samples < 10_000 else ""
    return f"{fmean(seen):.2f}{spread} ({told}{fewer})"


def total(rows: list[dict[str, Any]]) -> int:
    return rows[0]["cost"]["total"]


def millions(count: float) -> str:
    return f"{count / 1e6:,.{0 if count >= 1e7 else 1 if count >= 1e6 else 2}f} M"


def table_lines(grouped: Groups) -> list[str]:
    """One row a way, one column a length, the operations beside each; rivals without a length below."""
    lengths = sorted({n for _, n in grouped if isinstance(n, int)})
    ways = list(dict.fromkeys(way for way, n in grouped if n is not None))
    lines = ["| way | " + " | ".join(f"N = {n:,}" for n in lengths) + " |", "| --- |" + " --- |" * len(lengths)]
    for way in ways:
        cells = [grouped.get((way, n)) for n in lengths]
        shown = [f"{cell(rows)}, {millions(total(rows))}" if rows else "" for rows in cells]
        if any(shown):
            lines.append(f"| {way} | " + " | ".join(shown) + " |")
    other = [(way, n, rows) for (way, n), rows in grouped.items() if not isinstance(n, int)]
    if other:
        lines += ["", "| beside | accuracy, % | operations | of them bits |", "| --- | --- | --- | --- |"]
    for way, n, rows in other:
        at = f", N = {', '.join(map(str, n))}" if n else ""
        bits = rows[0]["cost"]["bit_operations"]
        lines.append(f"| {way}{at} | {cell(rows)} | {millions(total(rows))} | {millions(bits)} |")
    return lines


def cheapest(grouped: Groups, accuracy: float) -> tuple[str, Any, float, int] | None:
    """(way, N, mean accuracy, operations) of the cheapest embedding whose mean reaches the accuracy."""
    reached = [
        (total(rows), way, n, fmean(row["accuracy"] for row in rows))
        for (way, n), rows in grouped.items()
        if n is not None and fmean(row["accuracy"] for row in rows) >= accuracy
    ]
    if not reached:
        return None
    count, way, n, mean = min(reached, key=lambda found: found[0])
    return way, n, mean, count


def said_of_paper(grouped: Groups, paper: int) -> str:
    found = cheapest(grouped, PAPER_ACCURACY)
    start = (
        f"Runs in the paper's repository reach {PAPER_ACCURACY} % with i.i.d. rows of N = {PAPER_N:,}; with rows "
        f"shared by all channels that is {millions(paper)} operations of this network. "
    )
    if found is None:
        return start + "No way measured here reaches that accuracy."
    way, n, mean, count = found
    told = f"{n:,}" if isinstance(n, int) else ", ".join(map(str, n))
    return (
        start + f"The cheapest way here that does: {way}, N = {told}: {mean:.2f} %, 1/{paper / count:.0f} of that cost."
    )


def curves_of(grouped: Groups) -> dict[str, list[tuple[float, float, float]]]:
    curves = defaultdict(list)
    for (way, _), rows in grouped.items():
        seen = [row["accuracy"] for row in rows]
        curves[way].append((math.log10(total(rows)), fmean(seen), stdev(seen) if len(seen) > 1 else 0.0))
    return {way: sorted(points) for way, points in curves.items()}


def factorial_parts(results: Path, out: Path) -> list[str]:
    """Lines of the page; writes the plot into out. Nothing where nothing was measured."""
    grouped, paper = rows_of(results)
    if not grouped:
        return []
    svg = svg_curves(curves_of(grouped), "accuracy against all operations", "log10 of operations an image",
                     "accuracy, %", (FLOOR, 100), marks=True)  # fmt: skip
    (out / PLOT).write_text(svg)
    parts = ["## Accuracy against operations", "", *table_lines(grouped), ""]
    parts += [
        "Test accuracy in %, mean and deviation over (trainings x projections), then operations an image: adds and "
        "products of projections, words of the generator, products of bits and gates, products with weights, "
        "comparisons and the steps of pools, all counted alike, of the formula rather than of an engine. Of one "
        "topology but for shipped networks, which have their names. Adds of integers count as much as products of "
        f"two bits, which favours rivals with wide numbers. Below {FLOOR} % the plot draws points at its edge.",
        "",
        "Bits of weights, activations, projections, sums: RASU 1, 8, a seed, int32; TASU 1, 1, a seed, int32; the "
        "limit of 4-bit weights 4, 1, none, int32; `mnist_sign_mlp` and sign networks 1, 1, none, int32; plain CNN 8, "
        "16, none, int64; `mnist_logic`: gates and bits alone.",
        "",
    ]
    if paper:
        parts += [said_of_paper(grouped, paper), ""]
    return [*parts, f"![accuracy against operations]({PLOT})", ""]
