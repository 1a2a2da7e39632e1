"""python -m benchmarks.gnet.equal_bytes TASU_RUN --rivals mnist_sign_mlp mnist_logic RUN.. : weight bits flipped, at
equal bytes.

A budget is what the weight codes of the TASU network take at a length N. Within it every rival keeps as many copies of
each weight bit as fit (odd numbers, smallest constants first) and takes their majority: the limit of the TASU network
with 4-bit weights, shipped networks, and other finished runs; of a logic network the weights are its tables. Every copy
loses the same exact share of its bits. Rivals too large for the budget are left out, and said so. Writes
results/gnet/equal-bytes-N.json, system after system; what is there is not measured again, unless on fewer samples.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.__main__ import save
from bitwright.app.workflow import load_run
from bitwright.app.zoo import list_pretrained, pretrained
from bitwright.bench.faults import as_json, fault_curve, stored_sizes
from bitwright.bench.machine import commit, hardware
from bitwright.bench.replicas import copies_within
from bitwright.freeze import freeze
from bitwright.ir import Program

RATES = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5]


def rivals_of(model: Any, data: Any, names: Sequence[str]) -> dict[str, Program]:
    """The limit of the TASU model, and what was named: shipped networks, or folders of runs."""
    found = {"limit of 4-bit weights": freeze(model, data, limit_bits=4)}
    for name in names:
        if name in list_pretrained():
            found[name] = pretrained(name)
        else:
            recipe, _, its, other = load_run(name)
            found[recipe.name] = freeze(other, its)
    return found


def told_copies(copies: np.ndarray) -> str:
    """The number, or each number with its share of the bits."""
    kinds, counts = np.unique(copies, return_counts=True)
    if len(kinds) == 1:
        return str(kinds[0])
    return " and ".join(f"{kind} of {100 * count / len(copies):.0f} %" for kind, count in zip(kinds, counts))


def measure(program: Program, copies: np.ndarray, x, y, rates, seeds: int, known: list[dict[str, Any]]) -> list[dict]:
    """Points of the curve, those that are known first looked up."""
    points = {(p["rate"], p["seed"]): p for p in known if p["bits"] == len(copies)}
    for rate in rates:
        missing = [seed for seed in range(seeds) if (rate, seed) not in points]
        if missing:
            for point in as_json(fault_curve(program, x, y, "weights", [rate], missing, copies=copies)):
                points[rate, point["seed"]] = point
    return [points[key] for key in sorted(points)]


def known_points(results: Path, name: str, samples: int) -> list[dict[str, Any]]:
    path = results / "faults" / f"weights-{name}.json"
    table = json.loads(path.read_text()) if path.exists() else {"points": []}
    return table["points"] if table.get("samples") == samples and table.get("copies", 1) == 1 else []


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.equal_bytes", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished training of a TASU recipe")
    parser.add_argument("--rivals", nargs="*", default=["mnist_sign_mlp", "mnist_logic"])
    parser.add_argument("--n", nargs="+", type=int, default=[4095], help="lengths whose bytes are the budgets")
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    parser.add_argument("--seeds", type=int, default=1, help="draws of flips")
    parser.add_argument("--samples", type=int, default=0, help="the first so many test samples; 0 takes all")
    args = parser.parse_args()
    recipe, _, data, model = load_run(args.run)
    x, y = data.x_test[: args.samples or None], data.y_test[: args.samples or None]
    for n in args.n:
        path = RESULTS / "gnet" / f"equal-bytes-{n}.json"
        ours = freeze(model, data, hyperdimensions=n, seed=0)
        budget = sum(stored_sizes(ours))
        table: dict[str, Any] = {"systems": []}
        if path.exists():
            table = json.loads(path.read_text())
        if table.get("samples", len(x)) < len(x):
            table = {"systems": []}
        elif table.get("samples", len(x)) > len(x):
            raise ValueError(f"{path} has {table['samples']} samples; move it away to measure {len(x)} alone")
        table |= {"recipe": recipe.name, "seed": recipe.seed, "data": data.name, "samples": len(x), "n": n}
        table |= {"budget_bits": budget, "hardware": hardware(), "commit": commit(), "too_large": []}
        print(f"N = {n:,}: {budget / 8000:,.0f} kB, {len(x):,} test samples, {args.seeds} draws of flips")
        for name, program in {recipe.name: ours, **rivals_of(model, data, args.rivals)}.items():
            sizes = stored_sizes(program)
            if sum(sizes) > budget:
                table["too_large"].append({"name": name, "bits": sum(sizes)})
                save(path, table)
                print(f"{name}: {sum(sizes) / 8000:,.0f} kB do not fit")
                continue
            copies = copies_within(sizes, budget)
            before = next((s for s in table["systems"] if s["name"] == name), {"copies": "", "points": []})
            known = before["points"] if before["copies"] == told_copies(copies) else []
            if name == recipe.name and recipe.seed == 0 and n == 4095:
                known = known_points(RESULTS, name, len(x)) + known
            points = measure(program, copies, x, y, args.rates, args.seeds, known)
            table["systems"] = [s for s in table["systems"] if s["name"] != name]
            stored = int(copies.sum())
            size = len(program.to_bytes(short=True))
            table["systems"].append({"name": name, "bits": sum(sizes), "copies": told_copies(copies),
                                     "stored_bits": stored, "file_bytes": size, "points": points})  # fmt: skip
            save(path, table)
            print(f"{name}, {told_copies(copies)} copies: "
                  + ", ".join(f"{100 * p['rate']:g} %: {p['accuracy']:.2f}" for p in points if p["seed"] == 0),
                  flush=True)  # fmt: skip
        print(path)


if __name__ == "__main__":
    main()
