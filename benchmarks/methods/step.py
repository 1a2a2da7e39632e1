"""How fast a training step of a recipe is on a CPU, with the native library's passes and without.

`python -m benchmarks.methods.step cifar_fda60 cifar_best60_resnet20`: random images, steps of both kinds in turn, the
median of their processor time, and the hours that a run of that many epochs takes at that pace. --out keeps the table.
"""

import argparse
import json
import statistics
import time
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np

from bitwright.bench.machine import commit, hardware

RECIPES = ("cifar_fda60_baseline", "cifar_fda60_sine", "cifar_fda60", "cifar_best60_resnet20", "cifar_gnet_cpu")
TRAINING_IMAGES = 45_000  # of CIFAR-10, without the validation split


def measure(name: str, steps: int, warm_up: int = 2) -> tuple[float, float, int]:
    """(images a second of processor time with plain PyTorch, the same with the library, epochs) of a recipe."""
    import torch

    from bitwright.data import from_arrays
    from bitwright.models import create_model
    from bitwright.quantizers import native_signs
    from bitwright.train import Recipe
    from bitwright.train.denormals import flushed_denormals
    from bitwright.train.layout import layout_kept
    from bitwright.train.recipe import recipe_file
    from bitwright.train.run import Run

    recipe = Recipe.from_toml(recipe_file(name)).override({"device": "cpu"})
    rng, n = np.random.default_rng(0), max(100, 2 * recipe.batch_size)
    data = from_arrays(rng.integers(0, 256, (n, 3, 32, 32)).astype(np.uint8), np.arange(n) % 10, seed=0)
    model = create_model(recipe.model, seed=0, shape=(3, 32, 32), classes=10, **recipe.model_options).train()
    run = Run(model, data, recipe, None, None)  # without a teacher, where the recipe has one
    rows = torch.arange(recipe.batch_size)
    taken: dict[bool, list[float]] = {False: [], True: []}
    with flushed_denormals(), layout_kept(model):
        for i in range(warm_up + steps):
            for native in (False, True):
                with nullcontext() if native else mock.patch.object(native_signs, "available", return_value=False):
                    start = time.process_time()
                    run.train_step(rows)
                    taken[native] += [time.process_time() - start] if i >= warm_up else []
    plain, fast = (recipe.batch_size / statistics.median(taken[native]) for native in (False, True))
    return plain, fast, recipe.epochs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods.step", description=__doc__)
    parser.add_argument("recipes", nargs="*", default=list(RECIPES), help="names or files; images of 3 x 32 x 32")
    parser.add_argument("--steps", type=int, default=7, help="of each kind")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="such as results/training-step.json")
    args = parser.parse_args()
    import torch

    from bitwright.quantizers import native_signs

    torch.set_num_threads(args.threads)
    if not native_signs.available():
        raise SystemExit("the native training library is not built: pip install . with a C compiler, or make setup")
    print(f"{'recipe':28} {'plain':>8} {'native':>8} {'ratio':>6}  images a second of processor time")
    rows = []
    for name in args.recipes:
        plain, fast, epochs = measure(name, args.steps)
        hours = epochs * TRAINING_IMAGES / fast / 3600
        rows.append({"recipe": name, "plain": round(plain, 1), "native": round(fast, 1), "core_hours": round(hours, 2)})
        print(f"{name:28} {plain:8.0f} {fast:8.0f} {fast / plain:6.2f}  {epochs} epochs: {hours:.1f} core-hours",
              flush=True)  # fmt: skip
    if args.out is not None:
        table = {"unit": "images a second of processor time", "steps": args.steps, "threads": args.threads,
                 "hardware": hardware(), "commit": commit(), "rows": rows}  # fmt: skip
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
