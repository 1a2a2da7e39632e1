"""`python -m benchmarks.gnet.hypervectors --data mnist --n 2048 10000`: hypervector classifiers on a data set's split.

They are fitted on the training rows; without --split test accuracy is that of the validation split. Writes
results/gnet/hdc-DATA.json, a row for each method, length, seed and split, and prints it.
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.claims.claim import RESULTS
from bitwright.bench.machine import commit, hardware
from bitwright.data import load_data
from bitwright.models.hypervectors import METHODS, HypervectorClassifier


def measure(data: Any, method: str, n: int, seed: int, split: str) -> dict[str, Any]:
    """Accuracy in percent on x_val or x_test, and seconds of both halves."""
    started = time.perf_counter()
    model = HypervectorClassifier(method, n, seed, data.input.lo, data.input.hi).fit(data.x_train, data.y_train)
    fitted = time.perf_counter()
    x, y = (data.x_test, data.y_test) if split == "test" else (data.x_val, data.y_val)
    accuracy = 100 * float((model.predict(x) == y).mean())
    seconds = [round(fitted - started, 1), round(time.perf_counter() - fitted, 1)]
    row = {"method": method, "hyperdimensions": n, "seed": seed, "split": split, "samples": len(y)}
    return row | {"accuracy": round(accuracy, 4), "fit_seconds": seconds[0], "predict_seconds": seconds[1]}


def written(data: str, rows: list[dict[str, Any]], results: Path) -> Path:
    """hdc-DATA.json with these rows in the place of earlier ones of the same method, length, seed and split."""
    path = results / "gnet" / f"hdc-{data}.json"
    key = ("method", "hyperdimensions", "seed", "split")
    kept = {tuple(row[k] for k in key): row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    kept |= {tuple(row[k] for k in key): row for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {"data": data, "hardware": hardware(), "commit": commit(), "rows": [kept[k] for k in sorted(kept)]}
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return path


def hypervector_parts(results: Path, out: Path) -> list[str]:
    """Of the test set: a table a data set, a row a method, a column a length."""
    parts = []
    for path in sorted((results / "gnet").glob("hdc-*.json")):
        table, seen = json.loads(path.read_text()), defaultdict(list)
        for row in table["rows"]:
            if row["split"] == "test":
                seen[row["method"], row["hyperdimensions"]].append(row["accuracy"])
        if lengths := sorted({n for _, n in seen}):
            lines = ["| method | " + " | ".join(f"N = {n:,}" for n in lengths) + " |"]
            lines.append("| --- |" + " --- |" * len(lengths))
            for method in dict.fromkeys(method for method, _ in seen):
                cells = [seen.get((method, n), []) for n in lengths]
                shown = [f"{fmean(cell):.2f} ({len(cell)})" if cell else "" for cell in cells]
                lines.append(f"| {method} | " + " | ".join(shown) + " |")
            parts += [f"## Hypervector classifiers: {table['data']}", "", *lines, "", "Test accuracy in % (seeds).", ""]
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--n", type=int, nargs="+", default=[2048, 10000], help="lengths of the codes")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    data = load_data(asked.data)
    for n in asked.n:
        for method in asked.methods:
            for seed in range(asked.seeds):
                row = measure(data, method, n, seed, asked.split)
                path = written(asked.data, [row], asked.results)
                seconds = f"{row['fit_seconds']:g} + {row['predict_seconds']:g} s"
                print(f"{method}, N = {n:,}, seed {seed}: {asked.split} {row['accuracy']:.2f} %, {seconds}; {path}",
                      flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
