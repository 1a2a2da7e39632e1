"""Faults in docs/gnet.md: curves of single Programs, and systems of equal bytes with the rates where curves cross."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from bitwright.bench.faults import STORED, FaultPoint, summarize_faults
from bitwright.bench.replicas import crossings
from bitwright.bench.svg_curves import svg_curves

STORES, MAKES = "program, what it stores of it", "program, how much an image makes of it"
# target -> what is flipped, and the head of its table
TARGETS = {
    "weights": ("What is stored of the weights: codes, or numbers of the file's width.", STORES),
    "thresholds": (
        "What is stored beside the weights: thresholds, factors, offsets, as numbers of the file. One high bit of a "
        "factor spoils a channel, so where relus keep numbers these need protection that codes of weights do not.",
        STORES,
    ),
    "bytes": ("Everything stored but wiring and seeds: weights and thresholds together.", STORES),
    "activations": ("Every bit that an operation makes, codes of projections among them, anew for each image.", MAKES),
    "projections": ("The bits of codes of inputs, before they are compared, anew for each image.", MAKES),
    "accumulators": ("The bits of all sums, in the width their range needs, anew for each image.", MAKES),
}
PLOT_LABELS = "bits flipped, %", "accuracy, %"


def table_lines(first: str, found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row a system, a column a rate; means over draws of flips."""
    rates = sorted({row["rate"] for rows in found.values() for row in rows})
    lines = [f"| {first} | " + " | ".join(f"{100 * rate:g} %" for rate in rates) + " |"]
    lines.append("| --- |" + " --- |" * len(rates))
    for name, rows in found.items():
        at = {row["rate"]: row["mean"] for row in rows}
        lines.append(f"| {name} | " + " | ".join(f"{at[r]:.1f}" if r in at else "" for r in rates) + " |")
    return lines


def plot(found: dict[str, list[dict[str, Any]]], title: str, path: Path) -> None:
    curves = {name: [(100 * row["rate"], row["mean"], row["sd"]) for row in rows] for name, rows in found.items()}
    path.write_text(svg_curves(curves, title, *PLOT_LABELS, marks=True))


def fault_parts(results: Path, out: Path) -> list[str]:
    """Of every file of `bitwright faults`, one table and plot a target."""
    by_target = defaultdict(dict)
    for path in sorted((results / "faults").glob("*.json")):
        table = json.loads(path.read_text())
        rows = summarize_faults([FaultPoint(**point) for point in table["points"]])
        copies = table.get("copies", 1)
        target, bits = table["points"][0]["target"], table["points"][0]["bits"]
        size = f"{bits * copies / 8000:,.0f} kB" if target in STORED else f"{bits / table['samples']:,.0f} bits"
        name = table["program"] + (f", majority of {copies} copies" if copies > 1 else "") + f", {size}"
        by_target[target][f"{name} ({table['samples']:,} images)"] = rows
    parts = []
    for target, found in sorted(by_target.items(), key=lambda item: list(TARGETS).index(item[0])):
        flipped, head = TARGETS[target]
        plot(found, f"{target} flipped at an exact rate", out / f"gnet-faults-{target}.svg")
        parts += [f"## Faults: {target}", "", flipped, "", *table_lines(head, found), ""]
        parts += [f"![faults](gnet-faults-{target}.svg)", ""]
    return parts


def equal_parts(results: Path, out: Path) -> list[str]:
    """Of every results/gnet/equal-bytes-N.json: table, plot, and where the TASU network gets ahead or falls behind."""
    parts = []
    for path in sorted((results / "gnet").glob("equal-bytes-*.json"), key=lambda path: int(path.stem.split("-")[-1])):
        table = json.loads(path.read_text())
        kilobytes = f"{table['budget_bits'] / 8000:,.0f} kB"
        rows, found = {}, {}
        for system in table["systems"]:
            rows[system["name"]] = summarize_faults([FaultPoint(**point) for point in system["points"]])
            told = f"{system['name']}, {system['bits'] / 8000:,.0f} kB of a file of "
            told += f"{system['file_bytes'] / 1000:,.0f} kB, copies: {system['copies']}"
            found[told] = rows[system["name"]]
        draws = min(row["seeds"] for system in rows.values() for row in system)
        plot(found, f"weight bits flipped, {kilobytes} each", out / f"gnet-{path.stem}.svg")
        parts += [f"## Faults at equal bytes: {kilobytes}, N = {table['n']:,}", ""]
        parts += [
            f"`{table['recipe']}` seed {table['seed']}, {table['samples']:,} test images, draws of flips: {draws}. "
            "Rivals keep as many copies of each bit as fit, those of the smallest layers first, and take the majority. "
            "Only weight bits are counted, copied and flipped; thresholds, seeds and, of logic, the wiring are not. "
            "Bits of each kind as under Accuracy against operations.",
            "",
        ]
        parts += [*table_lines("system, one copy of it", found), "", *crossing_lines(table, rows), ""]
        parts += [f"![equal bytes](gnet-{path.stem}.svg)", ""]
    return parts


def crossing_lines(table: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> list[str]:
    """One line a rival, between rates that both were measured at; straight lines between them."""
    ours = {row["rate"]: row["mean"] for row in rows[table["recipe"]]}
    lines = []
    for name, theirs in rows.items():
        if name == table["recipe"]:
            continue
        at = {row["rate"]: row["mean"] for row in theirs if row["rate"] in ours}
        shared = sorted(at)
        found = crossings(shared, [ours[rate] for rate in shared], [at[rate] for rate in shared])
        first = next((ours[rate] - at[rate] for rate in shared if ours[rate] != at[rate]), 0.0)
        told = f"{'ahead' if first > 0 else 'behind'} at {100 * shared[0]:g} %"
        for rate, above in found:
            told += f", {'ahead' if above else 'behind'} from {100 * rate:.1f} %"
        widest = max(shared, key=lambda rate: at[rate] - ours[rate])
        if at[widest] > ours[widest]:
            told += f"; at most {at[widest] - ours[widest]:.2f} points behind, at {100 * widest:g} %"
        lines.append(f"- against {name}: {told}.")
    lines += [f"- {big['name']}: {big['bits'] / 8000:,.0f} kB do not fit." for big in table["too_large"]]
    return lines
