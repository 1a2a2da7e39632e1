"""python -m benchmarks.gnet RUN --n 1023 2047 --projection hadamard --seeds 10 --split val|test

Embeds a trained G-Net at every length, by every projection, with every projection seed, and measures the Programs on a
whole split. Choices are made on --split val; --split test is for what has been chosen. Rows join those of
results/gnet/RECIPE-seedK.json; every reading of the test set is a row there.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.cost import cost_of
from bitwright.app.workflow import load_run
from bitwright.bench.machine import commit, hardware, versions
from bitwright.freeze import agreement, correct_offsets, freeze
from bitwright.ir.executors import executor
from bitwright.train import predict_scores


def measure(model, data, x, y, n, projection: str, rounds: int, seed: int, verify: int, correct: int) -> dict[str, Any]:
    """One row: accuracy in percent, operations, bytes; with verify > 0 kernels and the twin on so many samples; with
    correct > 0 offsets of the sums taken out on so many training samples (then there is no twin)."""
    program = freeze(model, data, hyperdimensions=n, projection=projection, rounds=rounds, seed=seed)
    if correct:
        program = correct_offsets(program, model, data.x_train[:correct])
    started = time.perf_counter()
    right = int((program.predict(x) == y).sum())
    row = {
        "hyperdimensions": n, "projection": projection, "rounds": rounds if projection == "hadamard" else 0,
        "projection_seed": seed, "corrected": correct, "accuracy": round(100 * right / len(x), 4), "samples": len(x),
        "seconds": round(time.perf_counter() - started, 2), "backend": executor("auto").name,
        "file_bytes": len(program.to_bytes(short=True)), "cost": cost_of(program).to_json(),
    }  # fmt: skip
    if verify:
        row |= {"verified_samples": verify, "kernels_agree": bool(program.verify(x[:verify]).ok)}
        if not correct:
            report = agreement(program, x[:verify], y[:verify])
            row |= {"twin_compared": report.twin_compared, "twin_differing": report.twin_differing}
    return row


def lengths(text: str) -> int | list[int]:
    parts = [int(part) for part in text.split(",")]
    return parts if len(parts) > 1 else parts[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished training of a gnet recipe")
    parser.add_argument("--n", nargs="+", type=lengths, default=[2047], help="or one a layer: 511,2047,2047,1023")
    parser.add_argument("--projection", nargs="+", default=["hadamard"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--correct", type=int, default=0, help="training samples to take offsets of the sums out on")
    parser.add_argument("--split", choices=["val", "test"], default="val")
    parser.add_argument("--samples", type=int, default=0, help="the first so many of the split; 0 takes all")
    parser.add_argument("--verify", type=int, default=1, help="samples for kernels and twin, first seed; seconds each")
    args = parser.parse_args()
    recipe, _, data, model = load_run(args.run)
    x, y = (data.x_val, data.y_val) if args.split == "val" else (data.x_test, data.y_test)
    x, y = x[: args.samples or len(x)], y[: args.samples or len(y)]
    path = RESULTS / "gnet" / f"{recipe.name}-seed{recipe.seed}.json"
    table: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"rows": []}
    float_accuracy = 100 * float((predict_scores(model, x).argmax(1).numpy() == y).mean())
    print(f"{recipe.name} seed {recipe.seed}, {args.split}, {len(x):,} samples; model itself {float_accuracy:.2f} %")
    table |= {
        "recipe": recipe.name, "recipe_hash": recipe.hash(), "recipe_fields": recipe.to_dict(), "seed": recipe.seed,
        "data": data.name, "hardware": hardware(), "versions": versions(), "commit": commit(),
    }  # fmt: skip
    for projection in args.projection:
        for n in args.n:
            seen: list[float] = []
            for seed in range(args.first_seed, args.first_seed + args.seeds):
                row = measure(
                    model, data, x, y, n, projection, args.rounds, seed, args.verify if not seen else 0, args.correct
                )
                row |= {"split": args.split, "model_accuracy": round(float_accuracy, 4)}
                table["rows"].append(row)
                seen.append(row["accuracy"])
                save(path, table)
            spread = f" +- {np.std(seen, ddof=1):.2f}" if len(seen) > 1 else ""
            first = table["rows"][-len(seen)]
            kept = ""
            if args.verify:
                kept = f"; kernels {'equal' if first['kernels_agree'] else 'DIFFER'}"
                if "twin_compared" in first:
                    kept += f", {first['twin_differing']} of {first['twin_compared']:,} values off the twin"
            print(f"{projection:10} N {n}: {np.mean(seen):.2f} %{spread}, {first['seconds']:.1f} s{kept}", flush=True)
    print(path)


def save(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    main()
