"""`python -m benchmarks.gnet.page`: docs/gnet.md and its plots, from results/ alone.

Accuracies over lengths and projections, accuracy against operations, errors against length, fault curves, memory.
"""

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks.claims.claim import RESULTS, ROOT
from benchmarks.gnet.bound_parts import bound_parts
from benchmarks.gnet.estimator import estimator_parts
from benchmarks.gnet.factorial import factorial_parts
from benchmarks.gnet.fault_parts import equal_parts, fault_parts
from benchmarks.gnet.hypervectors import hypervector_parts
from bitwright.bench.svg_curves import svg_curves

PAGE = "gnet.md"
HEADER = """# G-Net: measured

The layers of a G-Net measure angles. `freeze` turns each angle into the agreement of two codes of N random signs,
without training, so a trained float network becomes a Program of bits and integers ([how to use it](gnet-use.md)).
Longer codes err less and cost more. This page says what they reach, what they cost, how far theory and measurement
agree, and what flipped bits do.

- **its float**: the trained network before it was embedded. **Program**: what `freeze` makes of it.
- **rows**: of the random projections whose signs are the codes, `hadamard` ones of two rounds. **projections**: seeds.
- **offsets corrected**: `correct_offsets` on 500 training images, without their labels.
- `mnist_gnet`: relus between layers (RASU), trained as it is; `mnist_gnet_noise`: with the noise that codes will have;
  `mnist_gnet_shift`: on images moved by up to two pixels; `mnist_gnet_tasu`: signs between layers (TASU), with noise;
  `fashion_gnet`: Fashion-MNIST, with noise; `epilepsy_gnet`, `epilepsy_mixed_gnet`: signals, with noise. Their fields
  stand in `recipes/`.

Written by `python -m benchmarks.gnet.page` from `results/gnet` and `results/faults`; do not edit. A row comes from
`python -m benchmarks.gnet RUN`, faults from `bitwright faults` and `python -m benchmarks.gnet.equal_bytes`, slopes
from `python -m benchmarks.gnet.slope`, ways from `python -m benchmarks.gnet.pareto`, estimates from
`python -m benchmarks.gnet.estimator`, bounds from `python -m benchmarks.gnet.bound`, hypervector classifiers from
`python -m benchmarks.gnet.hypervectors --split test`.
"""
MEMORY = (
    "Beside codes a file holds thresholds, factors and a header. Codes of short rows take more than int4 weights do."
)
FLOAT_BITS, INT4_BITS = 32, 4


def tables(results: Path) -> list[dict[str, Any]]:
    paths = sorted((results / "gnet").glob("*-seed*.json"))
    return [json.loads(path.read_text()) for path in paths if not path.name.startswith(("slope-", "bound-", "pareto-"))]


def groups(found: list[dict[str, Any]]) -> dict[tuple, list[dict[str, Any]]]:
    """Rows of the test set by (recipe, how embedded, lengths), with the training seed in each."""
    grouped = defaultdict(list)
    for table in found:
        for row in table["rows"]:
            if row["split"] == "test":
                n = row["hyperdimensions"]
                how = row["projection"] + (", offsets corrected" if row.get("corrected") else "")
                key = (table["recipe"], how, tuple(n) if isinstance(n, list) else n)
                grouped[key].append(row | {"seed": table["seed"]})
    return dict(sorted(grouped.items(), key=str))


def spread(values: list[float]) -> str:
    return f"{fmean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def accuracy_lines(grouped) -> list[str]:
    lines = [
        "| recipe | rows | N a layer | Program, % | lowest | its float, % | trainings x projections "
        "| operations an image |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (recipe, projection, n), rows in grouped.items():
        seen = [row["accuracy"] for row in rows]
        own = fmean({row["seed"]: row["model_accuracy"] for row in rows}.values())
        seeds = len({row["seed"] for row in rows})
        lines.append(
            f"| `{recipe}` | {projection} | {n:,} | {spread(seen)} | {min(seen):.2f} | {own:.2f} "
            f"| {seeds} x {len(rows) // seeds} | {rows[0]['cost']['total'] / 1e6:,.0f} M |"
            if isinstance(n, int)
            else f"| `{recipe}` | {projection} | {', '.join(map(str, n))} | {spread(seen)} | {min(seen):.2f} "
            f"| {own:.2f} | {seeds} x {len(rows) // seeds} | {rows[0]['cost']['total'] / 1e6:,.0f} M |"
        )
    return lines


def memory_lines(grouped) -> list[str]:
    lines = [
        "| recipe | N a layer | file | weight codes, 1 bit each | the same weights in fp32 | in int4 | projections |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (recipe, projection, n), rows in grouped.items():
        cost = rows[0]["cost"]
        sizes = [row["file_bytes"] for row in rows if "file_bytes" in row]
        if not isinstance(n, int) or not sizes:
            continue
        real = cost["real_weights"]
        lines.append(
            f"| `{recipe}` | {n:,} | {sizes[0] / 1000:,.0f} kB | {cost['weight_bits'] / 8000:,.0f} kB "
            f"| {real * FLOAT_BITS / 8000:,.0f} kB | {real * INT4_BITS / 8000:,.0f} kB | {stored(projection)} |"
        )
    return lines if len(lines) > 2 else []


def stored(projection: str) -> str:
    """Of `hadamard, offsets corrected`: what a file has of the rows, then the rest."""
    kind, *rest = projection.split(", ")
    return "; ".join([f"{kind}: {'int16 rows' if kind == 'orthogonal' else 'a seed'}", *rest])


def slope_parts(results: Path, out: Path) -> list[str]:
    parts = []
    for path in sorted((results / "gnet").glob("slope-*.json")):
        table = json.loads(path.read_text())
        name = path.stem.removeprefix("slope-")
        lines = [
            "| error of | rows | slope | from N = 1,023 on | of the variance alone |",
            "| --- | --- | --- | --- | --- |",
        ]
        curves = {}
        for row in table["slopes"]:
            what = row.get("what", "network")
            late, alone = row.get("slope_from_1023"), row.get("slope_of_variance")
            lines.append(
                f"| {what} | {row['projection']} | {row['slope']:.2f} | {'' if late is None else f'{late:.2f}'} "
                f"| {'' if alone is None else f'{alone:.2f}'} |"
            )
            points = zip(row["lengths"], row["errors"], strict=True)
            curves[f"{what}, {row['projection']}"] = [(math.log10(n), math.log10(e), 0.0) for n, e in points]
        ends = [y for curve in curves.values() for _, y, _ in curve]
        svg = svg_curves(curves, f"{name}: mean square error", "log10 N", "log10", (min(ends), max(ends)))
        (out / f"gnet-{path.stem}.svg").write_text(svg)
        parts += [f"## Error against length: {name}", "", *lines, "", f"![errors](gnet-{path.stem}.svg)", ""]
    if parts:
        parts += [
            "A layer alone gets the float network's own input: independent rows give -1. Of the whole network the line "
            "is steeper: relus and max-pools turn zero-mean errors into offsets of the order 1/N, which the next layer "
            "adds up, and the square of that falls as 1/N^2. Rows of two rounds are orthogonal within a block of Q, so "
            "they fall faster while N is below Q.",
            "",
        ]
    return parts


def page(results: Path, out: Path) -> str:
    grouped = groups(tables(results))
    parts = [HEADER, "## Accuracy", "", *accuracy_lines(grouped), ""]
    parts += [
        "Test set, mean and deviation over trainings x projections. Bits: weights are codes of 1 bit; activations are "
        "1 bit where TASU stands, behind RASU integers of up to 8, pixels 8; rows of projections are seeds; sums lie "
        "within -N and N, held as int32. The float networks have 32 throughout. Operations: adds, products of bits and "
        "generator words, comparisons, counted alike.",
        "",
    ]
    parts += factorial_parts(results, out)
    if memory := memory_lines(grouped):
        parts += ["## Memory", "", *memory, "", MEMORY, ""]
    for made in (hypervector_parts, estimator_parts, slope_parts, bound_parts, equal_parts, fault_parts):
        parts += made(results, out)
    return "\n".join(parts).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.page", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / PAGE).write_text(page(args.results, args.out), encoding="utf-8")
    print(args.out / PAGE)


if __name__ == "__main__":
    main()
