"""python -m benchmarks.gnet.bound RUN: largest error of a layer's estimates beside the bound that holds with 1 - delta.

Each cosine layer named gets the float network's own inputs; for every seed all its estimates of z are made from N signs
of independent Gaussian rows, and the largest error is kept. The bound is `hoeffding_error` for as many estimates. The
share of seeds beyond it has to be delta or less. Writes results/gnet/bound-RECIPE-seedK.json.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.__main__ import save
from benchmarks.gnet.slope import inputs_of, signs_of
from bitwright.app.workflow import load_run
from bitwright.bench.machine import commit
from bitwright.freeze.guarantees import hoeffding_error
from bitwright.freeze.projection import Projection

LENGTHS = [255, 511, 1023, 2047, 4095]


def largest_errors(v: torch.Tensor, w: torch.Tensor, seed: int, lengths: list[int]) -> list[float]:
    """Over all pairs of vectors v (M, p) and rows w (O, p), at each length; prefixes of one draw."""
    z = 2 / np.pi * torch.asin((F.normalize(v) @ F.normalize(w).T).clamp(-1, 1))
    codes = signs_of(Projection("gaussian", max(lengths), v.shape[1], seed, 0), torch.cat([v, w]))
    a, b = codes[: len(v)], codes[len(v) :]
    return [float(((a[:, :n] @ b[:, :n].T / n).double() - z).abs().max()) for n in lengths]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.bound", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--layers", nargs="+", default=["conv1", "head"])
    parser.add_argument("--n", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--vectors", type=int, default=100)
    parser.add_argument("--delta", type=float, default=0.05)
    args = parser.parse_args()
    recipe, _, data, model = load_run(args.run)
    path = RESULTS / "gnet" / f"bound-{recipe.name}-seed{recipe.seed}.json"
    table: dict[str, Any] = {"recipe": recipe.name, "seed": recipe.seed, "commit": commit(), "layers": []}
    for name, v, w in inputs_of(model, data.x_val[: args.vectors], args.vectors):
        if name not in args.layers:
            continue
        seen = np.array([largest_errors(v, w, seed, args.n) for seed in range(args.seeds)])
        bounds = [hoeffding_error(n, args.delta, len(v) * len(w)) for n in args.n]
        row = {
            "layer": name, "lengths": args.n, "bounds": bounds, "largest": seen.max(0).tolist(),
            "mean": seen.mean(0).tolist(), "beyond": (seen > np.array(bounds)).mean(0).tolist(),
            "estimates": len(v) * len(w), "seeds": args.seeds, "delta": args.delta,
        }  # fmt: skip
        for n, bound, largest, beyond in zip(args.n, bounds, row["largest"], row["beyond"], strict=True):
            print(
                f"{name:8} N {n:5}: bound {bound:.4f}, largest of {args.seeds} seeds {largest:.4f}, beyond {beyond:.3f}"
            )
        table["layers"].append(row)
        save(path, table)


if __name__ == "__main__":
    main()
