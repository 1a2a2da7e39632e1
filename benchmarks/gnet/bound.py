"""python -m benchmarks.gnet.bound [RUN]: largest errors of codes beside bounds that hold with probability 1 - delta.

Layers: each cosine layer named gets the float network's own inputs; for every seed all its estimates of z are made
from N signs of independent rows, and the largest error is kept. The bound is Hoeffding's for as many estimates; of
Rademacher rows it also has their bias as measured, which no N removes.
The network: frozen with N signs in every layer, the largest error of its class cosines; the bound adds up what each
layer's error may do to the next (`guaranteed_errors`), which of a deep network promises nothing at lengths that can be
run, so the lengths that it would take are told too.
The share of seeds beyond a bound has to be delta or less. Without RUN a net of one hidden layer is trained on digits, a
matter of seconds. Writes results/gnet/bound-RECIPE-seedK.json.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.__main__ import save
from benchmarks.gnet.slope import inputs_of, signs_of
from bitwright.app.workflow import load_run
from bitwright.bench.machine import commit
from bitwright.data import load_data
from bitwright.data.progress import Progress
from bitwright.freeze import freeze, guaranteed_errors, required_hyperdimensions
from bitwright.freeze.guarantees import hoeffding_error, measured_bias
from bitwright.freeze.projection import Projection
from bitwright.layers import Temperature
from bitwright.models import create_model
from bitwright.train import fit, predict_scores

LENGTHS = [255, 511, 1023, 2047, 4095]
LONG = [4095, 8191, 16383, 32767, 65535]  # of the small net; no activation of up to 65,535 is rounded
WANTED = 1.0  # error of a class cosine that lengths are told for
SMALL = "digits"


def largest_errors(v: torch.Tensor, w: torch.Tensor, seed: int, lengths: list[int], kind: str) -> list[float]:
    """Over all pairs of vectors v (M, p) and rows w (O, p), at each length; prefixes of one draw."""
    z = 2 / np.pi * torch.asin((F.normalize(v) @ F.normalize(w).T).clamp(-1, 1))
    codes = signs_of(Projection(kind, max(lengths), v.shape[1], seed, 0), torch.cat([v, w]))
    a, b = codes[: len(v)], codes[len(v) :]
    return [float(((a[:, :n] @ b[:, :n].T / n).double() - z).abs().max()) for n in lengths]


def network_errors(model: nn.Module, data: Any, x: np.ndarray, seed: int, lengths: list[int], kind: str) -> list[float]:
    """Of the class cosines: scores, in the model's unit, less the model's own, over its temperature."""
    factor = next((float(m.log_factor.detach().exp()) for m in model.modules() if isinstance(m, Temperature)), 1.0)
    want, found = predict_scores(model, x).numpy().astype(np.float64), []
    for n in lengths:
        program = freeze(model, data, hyperdimensions=n, projection=kind, seed=seed, activation_bits=16)
        found.append(float(np.abs(program.run(x) * program.frozen.score_scale - want).max()) / factor)
    return found


def row_of(what: str, kind: str, lengths: list[int], bounds: list[float], seen: np.ndarray, **more: Any) -> dict:
    """seen: (seeds, lengths), the largest error of each."""
    row = {
        "layer": what, "projection": kind, "lengths": lengths, "bounds": bounds, "largest": seen.max(0).tolist(),
        "mean": seen.mean(0).tolist(), "beyond": (seen > np.array(bounds)).mean(0).tolist(), "seeds": len(seen),
    }  # fmt: skip
    for n, bound, largest, beyond in zip(lengths, bounds, row["largest"], row["beyond"], strict=True):
        told = f"bound {bound:.4f}, largest of {len(seen)} seeds {largest:.4f}, beyond {beyond:.3f}"
        print(f"{what:8} {kind:10} N {n:5}: {told}", flush=True)
    return row | more


def layer_row(layer, name: str, v: torch.Tensor, w: torch.Tensor, kind: str, args: argparse.Namespace) -> dict:
    share = args.delta / 2 if kind == "rademacher" else args.delta
    bias = measured_bias(layer, v, share) if kind == "rademacher" else 0.0
    bounds = [hoeffding_error(n, share, len(v) * len(w)) + bias for n in args.n]
    seen = np.array([largest_errors(v, w, seed, args.n, kind) for seed in range(args.seeds)])
    more = {"estimates": len(v) * len(w), "delta": args.delta, "bias": bias}
    return row_of(name, kind, args.n, bounds, seen, **more)


def network_row(model: nn.Module, data: Any, x: np.ndarray, kind: str, args: argparse.Namespace) -> dict:
    def bound(n: int) -> float:
        return guaranteed_errors(model, x, n, args.delta, kind, "network")[-1].error

    bounds = [bound(n) for n in args.network_n]
    with Progress(f"networks of {kind} rows", args.network_seeds) as bar:
        seen = []
        for seed in range(args.network_seeds):
            seen.append(network_errors(model, data, x, seed, args.network_n, kind))
            bar.advance(1)
    more: dict[str, Any] = {"samples": len(x), "delta": args.delta}
    try:
        asked = required_hyperdimensions(model, x, WANTED, args.delta, kind, "network")
        more |= {"required": [each.hyperdimensions for each in asked], "required_for": WANTED}
    except ValueError as error:  # a bias that leaves no room
        print(error)
    return row_of("network", kind, args.network_n, bounds, np.array(seen), **more)


def small_net(data: Any) -> nn.Module:
    """One hidden layer of 32, RASU."""
    model = create_model("gnet", seed=0, shape=data.input.shape, channels=(), kernels=(), hidden=(32,), span=16,
                         train_dimensions=1024, dropout=0.0)  # fmt: skip
    fit(model, data, epochs=12, lr=1e-2)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.bound", description=__doc__)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--layers", nargs="*", help="by default the first and the head, of the small net none")
    parser.add_argument("--n", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--vectors", type=int, default=100)
    parser.add_argument("--delta", type=float, default=0.05)
    parser.add_argument("--projection", nargs="+", default=["gaussian", "rademacher"])
    parser.add_argument("--network-projection", nargs="*", help="by default gaussian, of the small net both")
    parser.add_argument("--network-n", nargs="+", type=int)
    parser.add_argument("--network-seeds", type=int, default=20)
    parser.add_argument("--samples", type=int, default=5, help="validation samples of the network")
    args = parser.parse_args()
    if args.run:
        recipe, _, data, model = load_run(args.run)
        name, seed = recipe.name, recipe.seed
    else:
        data = load_data(SMALL)
        name, seed, model = SMALL, 0, small_net(data)
    args.layers = ["conv1", "head"] if args.layers is None and args.run else args.layers or []
    both = ["gaussian"] if args.run else ["gaussian", "rademacher"]
    args.network_projection = both if args.network_projection is None else args.network_projection
    args.network_n = args.network_n or (LENGTHS[::2] if args.run else LONG)
    path = RESULTS / "gnet" / f"bound-{name}-seed{seed}.json"
    table: dict[str, Any] = {"recipe": name, "seed": seed, "commit": commit(), "layers": []}
    modules = dict(model.named_modules())
    for layer, v, w in inputs_of(model, data.x_val[: args.vectors], args.vectors):
        for kind in args.projection if layer in args.layers else []:
            table["layers"].append(layer_row(modules[layer], layer, v, w, kind, args))
            save(path, table)
    for kind in args.network_projection:
        table["layers"].append(network_row(model, data, data.x_val[: args.samples], kind, args))
        save(path, table)
    print(path)


if __name__ == "__main__":
    main()
