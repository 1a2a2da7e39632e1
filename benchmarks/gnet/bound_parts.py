"""Bounds in docs/gnet.md: of each results/gnet/bound-*.json a table, a plot, and what the network's would take."""

import json
import math
from pathlib import Path
from typing import Any

from bitwright.bench.svg_curves import svg_curves

NOTHING = 2.0  # as far as two numbers within -1 and 1 can be apart
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
        parts += [f"## Bound beside observation: {path.stem.removeprefix('bound-')}", ""]
        parts += [f"| {' | '.join(HEADS)} |", "| --- " * len(HEADS) + "|"]
        parts += [line for row in rows for line in lines_of(row)]
        parts += ["", *(told for row in rows for told in notes_of(row)), f"![bound](gnet-{path.stem}.svg)", ""]
    return parts


def lines_of(row: dict[str, Any]) -> list[str]:
    """One a length."""
    lines = []
    of, allowed = row["seeds"], f"{100 * row['delta']:g} % allowed"
    for n, bound, seen, beyond in zip(row["lengths"], row["bounds"], row["largest"], row["beyond"], strict=True):
        said = "none" if bound >= NOTHING else f"{bound:.3f}"
        counted = f"{beyond * of:.0f} of {of}, {allowed}"
        lines.append(f"| {row['layer']} | {row['projection']} | {n:,} | {said} | {seen:.3f} | {counted} |")
    return lines


def notes_of(row: dict[str, Any]) -> list[str]:
    if row.get("bias"):
        return [f"- {row['layer']}, {row['projection']} rows: {row['bias']:.3f} of every bound is for their bias, as "
                f"measured with a confidence of its own; no N removes it.", ""]  # fmt: skip
    if "samples" not in row:
        return []
    told = (
        f"- The network, {row['projection']} rows: errors of its class cosines on {row['samples']} samples. The bound "
    )
    told += "lets each layer turn all of its error into the direction that hurts the next one most, so it is far above "
    told += "what is seen, and at short lengths says nothing."
    if "required" in row:
        lengths = ", ".join(f"{n:.2g}" if n >= 1e6 else f"{n:,}" for n in row["required"])
        told += f" An error of {row['required_for']:g} is promised from N = {lengths} signs, layer by layer."
    else:
        told += " The bias of these rows leaves no room for a promise of 1."
    return [told, ""]
