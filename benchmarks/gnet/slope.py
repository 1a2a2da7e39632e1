"""python -m benchmarks.gnet.slope RUN: mean square error against the length N of the codes, as slopes of log-log lines.

Two readings. One layer: each cosine layer gets the float network's own input, and z = (2/pi) arcsin(cos) is estimated
from N signs; independent rows give -1 at any N. The whole network: scores centred over the classes, in the model's
unit. Its slope is steeper: max-pools and relus turn zero-mean errors into offsets of the order 1/N that add up over
thousands of inputs of the next layer, so their square, of the order 1/N^2, is much of the error of short codes. With
several projection seeds the error is split: the variance between seeds, and the square of what is left in their mean.
Rows of two rounds are orthogonal within a block of Q = 2^ceil(log2 p), so their errors fall faster than 1/N while N is
below Q.
Writes results/gnet/slope-RECIPE-seedK.json.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.__main__ import save
from bitwright.app.workflow import load_run
from bitwright.bench.machine import commit
from bitwright.bits.generator import gaussian_rows
from bitwright.freeze import freeze
from bitwright.freeze.projection import Projection
from bitwright.layers import CosineConv2d, CosineLinear
from bitwright.train import predict_scores

LENGTHS = [255, 511, 1023, 2047, 4095, 8191, 16383]
CHUNK = 2048  # rows of a Gaussian matrix at a time


def centred(scores: np.ndarray) -> np.ndarray:
    return scores - scores.mean(1, keepdims=True)


def slope_of(lengths: list[int], errors: list[float]) -> float:
    """Of the least-squares line through (log N, log error)."""
    return float(np.polyfit(np.log(lengths), np.log(errors), 1)[0])


def inputs_of(model: nn.Module, x: np.ndarray, vectors: int) -> list[tuple[str, Tensor, Tensor]]:
    """(layer, vectors it sees (m, p), its weight rows (O, p)) of every cosine layer, float64, some vectors drawn."""
    seen, hooks = [], []
    rng = np.random.default_rng(0)

    def watch(name: str):
        def hook(layer, arguments, _):
            value = arguments[0].double()
            if isinstance(layer, CosineConv2d):
                value = F.pad(value, layer._reversed_padding_repeated_twice, value=layer.pad_value)
                value = F.unfold(value, layer.kernel_size, layer.dilation, 0, layer.stride).mT.flatten(0, 1)
                value = value[value.std(1) > 0]  # windows without anything in them are all alike
            value = value + float(layer.input_shift())
            chosen = torch.from_numpy(rng.permutation(len(value))[:vectors])
            seen.append((name, value[chosen], layer.weight.detach().double().flatten(1)))

        return hook

    for name, layer in model.named_modules():
        if isinstance(layer, (CosineConv2d, CosineLinear)):
            hooks.append(layer.register_forward_hook(watch(name)))
    with torch.no_grad():
        model.eval()(torch.from_numpy(x).float())
    for hook in hooks:
        hook.remove()
    return seen


def signs_of(projection: Projection, v: Tensor) -> Tensor:
    """(m, N) of -1 and +1, float32."""
    if projection.kind != "gaussian":
        return projection.codes(v).float() * 2 - 1
    parts = []
    for first in range(0, projection.n_out, CHUNK):
        n = min(CHUNK, projection.n_out - first)
        rows = gaussian_rows(projection.seed, projection.layer, n, projection.p, first_row=first)
        parts.append((v @ torch.from_numpy(rows).double().T >= 0).float() * 2 - 1)
    return torch.cat(parts, 1)


def layer_errors(v: Tensor, w: Tensor, kind: str, layer: int, seed: int, lengths: list[int]) -> list[float]:
    """Mean square error of z at each length, of prefixes of one draw."""
    z = 2 / np.pi * torch.asin((F.normalize(v) @ F.normalize(w).T).clamp(-1, 1))
    projection = Projection(kind, max(lengths), v.shape[1], seed, layer, 2 if kind == "hadamard" else 0)
    codes = signs_of(projection, torch.cat([v, w]))
    a, b = codes[: len(v)], codes[len(v) :]
    return [float(((a[:, :n] @ b[:, :n].T / n).double() - z).square().mean()) for n in lengths]


def row_of(what: str, kind: str, lengths: list[int], errors: list[float], **more: Any) -> dict[str, Any]:
    long = [(n, e) for n, e in zip(lengths, errors, strict=True) if n >= 1023]
    row = {"what": what, "projection": kind, "lengths": lengths, "errors": errors, "slope": slope_of(lengths, errors)}
    row["slope_from_1023"] = slope_of([n for n, _ in long], [e for _, e in long]) if len(long) > 1 else None
    tail = "" if row["slope_from_1023"] is None else f", from N = 1,023 on {row['slope_from_1023']:.3f}"
    print(f"{kind:10} {what:12} slope {row['slope']:.3f}{tail}", flush=True)
    return row | more


def network_row(model, data, x, kind: str, lengths: list[int], seeds: int) -> dict[str, Any]:
    want = centred(predict_scores(model, x).numpy().astype(np.float64))
    errors, variances, offsets = [], [], []
    for n in lengths:
        found = []
        for seed in range(seeds):
            program = freeze(model, data, hyperdimensions=n, projection=kind, seed=seed)
            found.append(centred(program.run(x) * program.frozen.score_scale) - want)
        off = np.stack(found)
        errors.append(float(np.mean(off**2)))
        spread = float(off.var(0, ddof=1).mean()) if seeds > 1 else float("nan")
        variances.append(spread)
        offsets.append(float(np.mean(off.mean(0) ** 2)) - spread / seeds)
        print(
            f"{kind:10} N {n:6}: {errors[-1]:.5g}, variance {variances[-1]:.5g}, offset^2 {offsets[-1]:.5g}", flush=True
        )
    row = row_of("network", kind, lengths, errors, samples=len(x), seeds=seeds, variances=variances, offsets=offsets)
    if seeds > 1:
        row["slope_of_variance"] = slope_of(lengths, variances)
        print(f"{kind:10} variance     slope {row['slope_of_variance']:.3f}", flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.slope", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--n", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--projection", nargs="+", default=["hadamard", "gaussian"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=100, help="validation samples")
    parser.add_argument("--vectors", type=int, default=200, help="of each layer's inputs")
    args = parser.parse_args()
    recipe, _, data, model = load_run(args.run)
    x = data.x_val[: args.samples]
    path = RESULTS / "gnet" / f"slope-{recipe.name}-seed{recipe.seed}.json"
    table: dict[str, Any] = {"recipe": recipe.name, "seed": recipe.seed, "commit": commit(), "slopes": []}
    seen = inputs_of(model, x, args.vectors)
    for kind in args.projection:
        for layer, (name, v, w) in enumerate(seen):
            errors = [layer_errors(v, w, kind, layer, seed, args.n) for seed in range(args.seeds)]
            mean = np.mean(errors, 0).tolist()
            table["slopes"].append(row_of(name, kind, args.n, mean, samples=len(v), seeds=args.seeds))
            save(path, table)
        table["slopes"].append(network_row(model, data, x, kind, args.n, args.seeds))
        save(path, table)


if __name__ == "__main__":
    main()
