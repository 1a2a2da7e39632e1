"""Every method on the same small sign CNN, data, budget and seeds; differences to BNN paired by seed.

A smoke comparison: few epochs on a part of the training split, judged on the validation split only (the test set is
never read). It says how methods start, not what they reach.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {"BW": "relu", "BWA": ""}  # weights of one bit on real activations; weights and activations
BASE = "bnn"


@dataclass(frozen=True)
class Budget:
    """What every run gets. examples: of the training split, the first ones of a fixed shuffle."""

    data: str = "fashion_mnist"
    examples: int = 4000
    epochs: int = 3
    batch_size: int = 64
    lr: float = 2e-3
    channels: tuple[int, ...] = (16, 32)
    hidden: tuple[int, ...] = (64,)


def part_of(data, examples: int):
    """The data set with fewer training examples."""
    order = np.random.default_rng(0).permutation(len(data.x_train))[:examples]
    return replace(data, x_train=data.x_train[order], y_train=data.y_train[order])


def jobs(seeds: int, methods: list[str], first: int = 0) -> Iterator[tuple[int, str, str]]:
    """(seed, kind, method): every method once before the next seed, so that a table can be read early."""
    for seed in range(first, first + seeds):
        for kind in KINDS:
            for method in [BASE, *(m for m in methods if m != BASE)]:
                yield seed, kind, method


def parts_of(method: str, kind: str) -> dict[str, Any]:
    """Options of sign_cnn: of a method, a variant of FDA, or a searched pair ("pair:" and its parameters)."""
    from benchmarks.methods.variants import SEARCHED, VARIANTS, searched_pair
    from bitwright.layers import method_parts

    if method.startswith(SEARCHED):
        pair = searched_pair(method)
        return {"weight_quantizer": pair, "quantizer": KINDS[kind] or "ste", "scale": "none"}
    if method in VARIANTS:
        parts = VARIANTS[method]()
        return {**parts, "quantizer": KINDS[kind] or parts["quantizer"]}
    return method_parts(method, KINDS[kind])


def run(budget: Budget, data, seed: int, kind: str, method: str) -> dict[str, Any]:
    """Trains one network; its validation accuracy, the soft one, and seconds."""
    from bitwright.models import create_model
    from bitwright.quantizers import METHODS
    from bitwright.train import fit

    options = {"shape": data.input.shape, "classes": len(data.classes), "channels": budget.channels,
               "pool": (True,) * len(budget.channels), "hidden": budget.hidden}  # fmt: skip
    parts = parts_of(method, kind)
    recipe = {"seed": seed, "batch_size": budget.batch_size, "lr": budget.lr, "eval_every": budget.epochs,
              "clip_latent": 1.0}  # fmt: skip
    start = time.monotonic()
    epochs = budget.epochs
    model = create_model("sign_cnn", seed=seed, **options, **parts)
    if method in METHODS and METHODS[method].two_stage:  # real weights for half of the epochs
        first = create_model("sign_cnn", seed=seed, **options, **{**parts, "weight_quantizer": "real"})
        fit(first, data, epochs=epochs // 2, progress=False, **recipe)
        kept = {k: v for k, v in first.state_dict().items() if k in model.state_dict()}
        model.load_state_dict({**model.state_dict(), **kept})
        epochs -= epochs // 2
    last = fit(model, data, epochs=epochs, progress=False, **recipe).history[-1]
    soft = last.get("soft_val_accuracy", last["val_accuracy"])
    return {"method": method, "kind": kind, "seed": seed, "val_accuracy": last["val_accuracy"],
            "soft_val_accuracy": soft, "seconds": round(time.monotonic() - start, 1)}  # fmt: skip


def load(path: Path, budget: Budget) -> list[dict[str, Any]]:
    """The runs there are. Raises ValueError if the file is of another budget."""
    return load_runs(path, "budget", asdict(budget))


def save(path: Path, budget: Budget, runs: list[dict[str, Any]]) -> None:
    save_runs(path, "budget", asdict(budget), runs)


def load_runs(path: Path, what: str, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs there are. Raises ValueError if the file's `what` is not the wanted one."""
    if not path.exists():
        return []
    kept = json.loads(path.read_text())
    if kept[what] != json.loads(json.dumps(wanted)):
        raise ValueError(f"{path}: made with another {what}, {kept[what]}; give another --out")
    return kept["runs"]


def save_runs(path: Path, what: str, value: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    """One line a run below the `what` they share; the file is whole at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    lines = ",\n  ".join(json.dumps(run) for run in runs)
    part.write_text(f'{{"{what}": {json.dumps(value)},\n "runs": [\n  {lines}\n]}}\n')
    part.replace(path)


# two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def interval(differences: list[float]) -> tuple[float, float]:
    """Mean and half width of the 95 % interval of paired differences; nan for one."""
    n = len(differences)
    mean = sum(differences) / n
    if n < 2:
        return mean, math.nan
    deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1))
    return mean, T_95[min(n - 1, len(T_95)) - 1] * deviation / math.sqrt(n)


def _by_seed(runs: list[dict[str, Any]], kind: str) -> dict[tuple[str, int], dict[str, Any]]:
    return {(r["method"], r["seed"]): r for r in runs if r["kind"] == kind}


def differences(runs: list[dict[str, Any]], kind: str, base: str = BASE,
                split: str = "val") -> list[tuple[str, float, float]]:  # fmt: skip
    """(method, mean difference of accuracy to the base on the seeds both have, half width of its 95 % interval)."""
    of, rows = _by_seed(runs, kind), []
    for method in dict.fromkeys(method for method, _ in of):
        key = f"{split}_accuracy"
        apart = [of[method, s][key] - of[base, s][key] for m, s in of if m == method != base and (base, s) in of]
        if apart:
            rows.append((method, *interval(apart)))
    return rows


def table(runs: list[dict[str, Any]], base: str = BASE, kinds: Iterable[str] = tuple(KINDS),
          split: str = "val") -> str:  # fmt: skip
    """Mean accuracy, mean difference to the base on the same seeds with its 95 % interval, and the projection gap.

    split: "val" or "test", which the accuracies are of.
    """
    lines = [f"| kind | method | seeds | accuracy % | to {base} | 95 % | soft - projected |", "|" + " --- |" * 7]
    for kind in kinds:
        of, rows = _by_seed(runs, kind), []
        apart = {name: (mean, half) for name, mean, half in differences(runs, kind, base, split)}
        for method in dict.fromkeys(method for method, _ in of):
            if method != base and method not in apart:
                continue
            mine = [run for (m, seed), run in of.items() if m == method and (base, seed) in of]
            mean = sum(run[f"{split}_accuracy"] for run in mine) / len(mine)
            gap = sum(run[f"soft_{split}_accuracy"] for run in mine) / len(mine) - mean
            shown = width = ""
            if method != base:
                by, half = apart[method]
                shown, width = f"{by:+.2f}", "" if math.isnan(half) else f"{by - half:+.2f} .. {by + half:+.2f}"
            rows.append((mean, f"| {kind} | {method} | {len(mine)} | {mean:.2f} | {shown} | {width} | {gap:+.2f} |"))
        lines += [line for _, line in sorted(rows, reverse=True)]
    return "\n".join(lines)
