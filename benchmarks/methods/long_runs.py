"""Runs of minutes to hours, one network after the other into one results file, resumable at any moment.

Each run keeps a checkpoint, and finished runs stand in the results file. Nothing is chosen by them, so they are judged
on CIFAR-10's test set, which no published start has seen either, unlike the validation split.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.methods.compare import load_runs, save_runs, table


@dataclass(frozen=True)
class LongRuns:
    """name: of the command's module and its results file. network(method, seed) makes the module to train; fields are
    of its recipe; the table's differences are paired with `base` by seed. freezes: accuracy is the frozen Program's."""

    name: str
    results: str
    methods: tuple[str, ...]
    network: Callable[[str, int], Any]
    fields: dict[str, Any]
    epochs: int
    seeds: int
    base: str
    freezes: bool

    def run(self, data, method: str, seed: int, epochs: int, folder: Path) -> dict[str, Any]:
        """Trains or goes on; the line for the results file."""
        from bitwright.train import evaluate, fit
        from bitwright.train.projection import soft_accuracy

        place = folder / f"{method.replace(':', '-').replace(',', '_')}-seed{seed}"
        fields = {"name": f"{method}, seed {seed}", **self.fields, "seed": seed, "epochs": epochs}
        result = fit(self.network(method, seed), data, folder=place, resume=True, **fields)
        seen = evaluate(result.model, data.x_test, data.y_test)
        return {"method": method, "kind": "BW", "seed": seed, "epochs": epochs, "val_accuracy": result.val_accuracy,
                "test_accuracy": self.frozen_accuracy(result.model, data) if self.freezes else seen,
                "model_test_accuracy": seen,
                "soft_test_accuracy": soft_accuracy(result.model, data.x_test, data.y_test),
                "seconds": round(result.seconds, 1)}  # fmt: skip

    def frozen_accuracy(self, model, data) -> float:
        """Percent of the test set that the Program puts into the right class."""
        from bitwright.freeze import freeze

        program = freeze(model, input=data)
        return 100 * float((program.predict(data.x_test) == data.y_test).mean())

    def seconds_an_epoch(self, data, steps: int = 8) -> float:
        """Measured on so many steps of the first method; those after the first of all, which prepares kernels."""
        from bitwright.train import fit

        batch = self.fields["batch_size"]
        few = replace(data, x_train=data.x_train[: batch * steps], y_train=data.y_train[: batch * steps],
                      x_val=data.x_val[:0], y_val=data.y_val[:0])  # fmt: skip
        start, network = 0.0, self.network(self.methods[0], 0)
        for _ in range(2):
            start = time.monotonic()
            fit(network, few, progress=False, **{**self.fields, "epochs": 1, "batchnorm_batches": 0})
        return (time.monotonic() - start) / steps * (len(data.x_train) // batch)

    def main(self, description: str) -> None:
        parser = argparse.ArgumentParser(prog=f"python -m benchmarks.methods.{self.name}", description=description)
        parser.add_argument("--out", type=Path, default=Path("results") / f"{self.results}.json")
        parser.add_argument("--runs", type=Path, default=Path("runs") / self.results, help="for the checkpoints")
        parser.add_argument("--methods", nargs="*", default=list(self.methods), help="also a searched pair, pair:...")
        parser.add_argument("--first", type=int, default=0, help="the first seed")
        parser.add_argument("--seeds", type=int, default=self.seeds)
        parser.add_argument("--epochs", type=int, default=self.epochs)
        parser.add_argument("--threads", type=int, default=0, help="0: as torch has them")
        parser.add_argument("--measure", action="store_true", help="say what it would take, train nothing")
        args = parser.parse_args()
        import torch

        from bitwright.data import load_data

        if args.threads:
            torch.set_num_threads(args.threads)
        data = load_data("cifar10")
        recipe = {**self.fields, "epochs": args.epochs}
        try:
            runs = load_runs(args.out, "recipe", recipe)
        except ValueError as error:
            parser.error(str(error))
        done = {(r["seed"], r["method"]) for r in runs}
        todo = [(s, m) for s in range(args.first, args.first + args.seeds) for m in args.methods
                if (s, m) not in done]  # fmt: skip
        if args.measure:
            epoch = self.seconds_an_epoch(data)
            total = epoch * args.epochs * len(todo) / 3600
            print(f"{epoch:.0f} s an epoch on {torch.get_num_threads()} threads: {total:.1f} h for {len(todo)} runs")
            return
        for seed, method in todo:
            runs.append(self.run(data, method, seed, args.epochs, args.runs))
            save_runs(args.out, "recipe", recipe, runs)
        print(table(runs, self.base, kinds=["BW"], split="test"))
