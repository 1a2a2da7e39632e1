"""Sums in 8 bits that wrap around against exact ones: `python -m benchmarks.methods.accumulators`, resumable.

A BNN (weights and activations) of the comparison's budget, then the same with narrow sums in every layer that eats
signs but the head: not trained for it, and, in a wider network whose sums wrap more often, trained with it in two ways:
from the start, and tuned, as many epochs more from the exact network with a penalty on what leaves the range; beside
the latter the exact network with as many epochs more. Judged on the validation split.
"""

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.methods.compare import Budget, interval, part_of

NARROW = ("wrap8", "wrap8_half")
TRAINED = "wrap8_half"  # of the two the one that reaches twice as far
PENALTY = 10.0  # of recipe.overflow_penalty, chosen between 1 and 10 on seed 0
TUNED_RATE = 1e-3
WIDE = {"channels": (32, 64), "hidden": (64,)}  # 3,136 signs a sum in the linear layer


def one(setting: str, data, seed: int) -> dict[str, Any]:
    """The rows of one seed: accuracy with exact sums, wrapped untrained, and trained (the wide setting alone)."""
    import copy

    import torch

    from bitwright.layers.accumulator import overflow_rates, set_accumulator
    from bitwright.models import create_model
    from bitwright.train import evaluate, fit

    budget = replace(Budget(), **WIDE) if setting == "wide" else Budget()
    options = {"shape": data.input.shape, "classes": len(data.classes), "channels": budget.channels,
               "pool": (True,) * len(budget.channels), "hidden": budget.hidden}  # fmt: skip
    recipe = {"seed": seed, "batch_size": budget.batch_size, "lr": budget.lr, "eval_every": budget.epochs,
              "epochs": budget.epochs, "progress": False}  # fmt: skip
    look = torch.from_numpy(data.x_val[:500]).float()

    def trained(accumulator: str):
        model = create_model("sign_cnn", seed=seed, **options)
        if accumulator != "int32":
            set_accumulator(model, accumulator, look[:8], keep=["head"])
        return fit(model, data, **recipe).model

    model = exact = trained("int32")
    row: dict[str, Any] = {"setting": setting, "seed": seed, "int32": evaluate(model, data.x_val, data.y_val)}
    for name in NARROW:
        set_accumulator(model, name, look[:8], keep=["head"])
        row[name] = evaluate(model, data.x_val, data.y_val)
        row[f"{name} wraps"] = {k: round(v, 5) for k, v in overflow_rates(model, look).items()}
        set_accumulator(model, "int32", look[:8])
    if setting == "wide":
        model = trained(TRAINED)
        row[f"{TRAINED} trained"] = evaluate(model, data.x_val, data.y_val)
        row[f"{TRAINED} trained wraps"] = {k: round(v, 5) for k, v in overflow_rates(model, look).items()}
        for name in (TRAINED, "int32"):
            tuned = copy.deepcopy(exact).train()
            set_accumulator(tuned, name, look[:8], keep=["head"])
            fit(tuned, data, **{**recipe, "seed": seed + 100, "lr": TUNED_RATE}, overflow_penalty=PENALTY)
            row[f"{name} tuned"] = evaluate(tuned, data.x_val, data.y_val)
            row[f"{name} tuned wraps"] = {k: round(v, 5) for k, v in overflow_rates(tuned, look).items()}
    return row


def table(rows: list[dict[str, Any]]) -> str:
    head = "| setting | sums | seeds | accuracy % | to exact | 95 % | wrapped sums, worst layer |"
    lines = [head, "|" + " --- |" * 7]
    for setting in dict.fromkeys(row["setting"] for row in rows):
        of = [row for row in rows if row["setting"] == setting]
        for name in ("int32", *NARROW, f"{TRAINED} trained", "int32 tuned", f"{TRAINED} tuned"):
            if name not in of[0]:
                continue
            beside = "int32 tuned" if name.endswith("tuned") else "int32"
            mean = sum(row[name] for row in of) / len(of)
            apart, half = interval([row[name] - row[beside] for row in of])
            width = "" if name == beside or math.isnan(half) else f"{apart - half:+.2f} .. {apart + half:+.2f}"
            worst = max((max(row[f"{name} wraps"].values()) for row in of if row.get(f"{name} wraps")), default=0.0)
            cells = (setting, name, len(of), f"{mean:.2f}", f"{apart:+.2f}", width, f"{100 * worst:.2f} %")
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods.accumulators", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/accumulators.json"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    rows: list[dict[str, Any]] = json.loads(args.out.read_text()) if args.out.exists() else []
    if not args.table:
        import torch

        from bitwright.data import load_data

        torch.set_num_threads(1)
        data = part_of(load_data(Budget().data), Budget().examples)
        done = {(row["setting"], row["seed"]) for row in rows}
        for seed in range(args.seeds):
            for setting in ("small", "wide"):
                if (setting, seed) not in done:
                    rows.append(one(setting, data, seed))
                    args.out.parent.mkdir(parents=True, exist_ok=True)
                    args.out.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
                    print(rows[-1], flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
