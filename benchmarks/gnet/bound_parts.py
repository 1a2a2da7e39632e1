"""Bounds in docs/gnet.md: of each results/gnet/bound-*.json a table, a plot, and what the network's would take."""

import json
import math
from pathlib import Path
from typing import Any

from bitwright.bench.svg_curves import svg_curves

NOTHING = 2.0  # as far as two numbers within -1 and 1 can be apart
SMALL = "A net of one hidden layer, 64 - 32 - 10, RASU, trained on 8x8 digits in seconds."
HEADS = ["error of", "rows", "N", "bound", "largest error seen", "draws of rows beyond it"]


def bound_parts(results: Path, out: Path) -> list[str]:
    parts = []
    for path in sorted((results / "gnet").glob("bound-*.json")):
        rows = [{"projection": "gaussian"} | row for row in json.loads(path.read_text())["layers"]]
        curves = {}
        for row in rows:
            for what, values in (("bound", row["bounds"]), ("largest", row["largest"])):
                told = [(math.log2(n), y, 0.0) for n, y in zip(row["lengths"], values, strict=True) if y < NOTHING]
                if told:
                    curves[f"{row['layer']}, {row['projection']}, {what}"] = told
        top = max(y for curve in curves.values() for _, y, _ in curve)
        svg = svg_curves(curves, "bound beside observation", "log2 N", "error of z", (0, top))
        (out / f"gnet-{path.stem}.svg").write_text(svg)
        name = path.stem.removeprefix("bound-")
        parts += [f"## Bound beside observation: {name}", ""]
        parts += [SMALL, ""] if name.startswith("digits-") else []
        parts += [f"| {' | '.join(HEADS)} |", "| --- " * len(HEADS) + "|"]
        parts += [line for row in rows for line in lines_of(row)]
        parts += ["", *notes_of(rows), f"![bound](gnet-{path.stem}.svg)", ""]
    return parts


def lines_of(row: dict[str, Any]) -> list[str]:
    """One a length."""
    lines = []
    of, allowed = row["seeds"], f"{100 * row['delta']:g} % allowed"
    for n, bound, seen, beyond in zip(row["lengths"], row["bounds"], row["largest"], row["beyond"], strict=True):
        said = "none" if bound >= NOTHING else f"{bound:.3f}"
        counted = "" if bound >= NOTHING else f"{beyond * of:.0f} of {of}, {allowed}"
        lines.append(f"| {row['layer']} | {row['projection']} | {n:,} | {said} | {seen:.3f} | {counted} |")
    return lines


def notes_of(rows: list[dict[str, Any]]) -> list[str]:
    """What the table does not say: biases, and what a network's bound is."""
    notes = []
    for row in rows:
        if row.get("bias"):
            notes.append(
                f"- {row['layer']}, {row['projection']} rows: {row['bias']:.3f} of every bound is their bias, measured "
                "with a confidence of its own; no N removes it."
            )
    networks = [row for row in rows if row["layer"] == "network"]
    if networks:
        notes.append(
            f"- network: the class cosines of {networks[0]['samples']} samples, N signs in every layer. The bound lets "
            "each layer turn all of its error into the direction that hurts the next one most, so it lies far above "
            "what is seen, and of short codes or of many layers it says nothing (none)."
        )
    for row in networks:
        said = "the bias leaves no room for a promise of 1 at any length."
        if "required" in row:
            lengths = ", then ".join(f"about 10^{math.log10(n):.0f}" if n >= 1e6 else f"{n:,}" for n in row["required"])
            said = f"an error of {row['required_for']:g} is promised from these lengths on, layer by layer: {lengths}."
        notes.append(f"- network, {row['projection']} rows: {said}")
    return [*notes, ""] if notes else []
