"""ResNet-20 on CIFAR-10 from published float weights, weights of one bit, 5 epochs.

`python -m benchmarks.methods.finetune`, resumable at any moment: each run keeps a checkpoint, and finished runs stand
in the results file. Judged on the validation split; one epoch is minutes on a CPU, and `--measure` says how many.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.methods.compare import table

METHODS = ("bnn", "bc", "parq", "bnn+", "bnn++")
START = "resnet20-12fca82f"
FIELDS: dict[str, Any] = {
    "batch_size": 128, "optimizer": "adam", "lr": 1e-3, "schedule": "cosine", "clip_latent": 1.0,
    "augment": {"shift": 4.0, "flip": True}, "batchnorm_batches": 50, "eval_every": 1,
}  # fmt: skip


def network(method: str, seed: int):
    """ResNet-20 with all weights of one bit by this method or searched pair, begun with the float weights."""
    from benchmarks.methods.compare import parts_of
    from bitwright.models import create_model
    from bitwright.train.float_start import start_from_float

    parts = parts_of(method, "BW")
    model = create_model("resnet20", seed=seed, form="standard", quantizer="relu", binary_ends=True, scale="channel",
                         weight_quantizer=parts["weight_quantizer"])  # fmt: skip
    start_from_float(model, START)
    return model


def run(data, method: str, seed: int, epochs: int, folder: Path) -> dict[str, Any]:
    """Trains or goes on; the line for the results file."""
    from bitwright.train import fit

    place = folder / f"{method.replace(':', '-').replace(',', '_')}-seed{seed}"
    result = fit(network(method, seed), data, folder=place, resume=True, seed=seed, epochs=epochs, **FIELDS)
    last = result.history[-1]
    return {"method": method, "kind": "BW", "seed": seed, "epochs": epochs, "val_accuracy": result.val_accuracy,
            "soft_val_accuracy": last.get("soft_val_accuracy", last["val_accuracy"]),
            "seconds": round(result.seconds, 1)}  # fmt: skip


def seconds_an_epoch(data, steps: int = 8) -> float:
    """Measured on so many steps of BNN, the longest of the ways forward aside."""
    from dataclasses import replace

    from bitwright.train import fit

    few = replace(data, x_train=data.x_train[: 128 * steps], y_train=data.y_train[: 128 * steps],
                  x_val=data.x_val[:0], y_val=data.y_val[:0])  # fmt: skip
    start = time.monotonic()
    fit(network("bnn", 0), few, epochs=1, progress=False, **{**FIELDS, "batchnorm_batches": 0})
    return (time.monotonic() - start) / steps * -(-len(data.x_train) // 128)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods.finetune", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/pretrained-bw.json"))
    parser.add_argument("--runs", type=Path, default=Path("runs/pretrained-bw"), help="for the checkpoints")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), help="also a searched pair, pair:...")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0: as torch has them")
    parser.add_argument("--measure", action="store_true", help="say what it would take, train nothing")
    args = parser.parse_args()
    import torch

    from bitwright.data import load_data

    if args.threads:
        torch.set_num_threads(args.threads)
    runs: list[dict[str, Any]] = json.loads(args.out.read_text())["runs"] if args.out.exists() else []
    data = load_data("cifar10")
    done = {(r["seed"], r["method"], r["epochs"]) for r in runs}
    todo = [(s, m) for s in range(args.seeds) for m in args.methods if (s, m, args.epochs) not in done]
    if args.measure:
        epoch = seconds_an_epoch(data)
        total = epoch * args.epochs * len(todo) / 3600
        print(f"{epoch:.0f} s an epoch on {torch.get_num_threads()} threads: {total:.1f} h for {len(todo)} runs")
        return
    for seed, method in todo:
        runs.append(run(data, method, seed, args.epochs, args.runs))
        args.out.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n  ".join(json.dumps(row) for row in runs)
        args.out.write_text(f'{{"fields": {json.dumps(FIELDS)},\n "runs": [\n  {lines}\n]}}\n')
    print(table(runs, kinds=["BW"]))


if __name__ == "__main__":
    main()
