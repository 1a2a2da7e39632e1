"""python -m benchmarks.gnet.slope RUN: mean square error of the scores against the length of the codes.

Scores centred over the classes, in the model's unit, on the first validation samples; a line through the logarithms.
Theory: independent rows give -1 once the errors are small. Writes results/gnet/slope-RECIPE-seedK.json.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.__main__ import save
from bitwright.app.workflow import load_run
from bitwright.bench.machine import commit
from bitwright.freeze import freeze
from bitwright.train import predict_scores


def centred(scores: np.ndarray) -> np.ndarray:
    return scores - scores.mean(1, keepdims=True)


def slope_of(lengths: list[int], errors: list[float]) -> float:
    """Of the least-squares line through (log N, log error)."""
    return float(np.polyfit(np.log(lengths), np.log(errors), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.slope", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--n", nargs="+", type=int, default=[255, 511, 1023, 2047, 4095, 8191, 16383])
    parser.add_argument("--projection", nargs="+", default=["hadamard", "gaussian"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=100)
    args = parser.parse_args()
    recipe, _, data, model = load_run(args.run)
    x = data.x_val[: args.samples]
    want = centred(predict_scores(model, x).numpy().astype(np.float64))
    path = RESULTS / "gnet" / f"slope-{recipe.name}-seed{recipe.seed}.json"
    table: dict[str, Any] = {"recipe": recipe.name, "seed": recipe.seed, "commit": commit(), "slopes": []}
    for projection in args.projection:
        errors = []
        for n in args.n:
            found = []
            for seed in range(args.seeds):
                program = freeze(model, data, hyperdimensions=n, projection=projection, seed=seed)
                got = centred(program.run(x) * program.frozen.score_scale)
                found.append(float(np.mean((got - want) ** 2)))
            errors.append(float(np.mean(found)))
            print(f"{projection:10} N {n:6}: {errors[-1]:.5g}", flush=True)
        row = {"projection": projection, "lengths": args.n, "errors": errors, "samples": len(x), "seeds": args.seeds}
        row |= {"slope": slope_of(args.n, errors), "slope_from_1023": None}
        if sum(n >= 1023 for n in args.n) > 1:
            long = [(n, e) for n, e in zip(args.n, errors) if n >= 1023]
            row["slope_from_1023"] = slope_of([n for n, _ in long], [e for _, e in long])
        print(f"{projection:10} slope {row['slope']:.3f}, from N = 1,023 on {row['slope_from_1023']}")
        table["slopes"].append(row)
        save(path, table)


if __name__ == "__main__":
    main()
