"""The test set, read once for a (recipe, seed): `evaluate_run` writes results/<recipe>-seed<k>.json.

Numbers of the README and of the claims come from such files and nowhere else.
"""

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from bitwright.app.doctor import cpu_name, metadata_version
from bitwright.app.workflow import CHECKPOINT, freeze_model, load_run
from bitwright.freeze import agreement
from bitwright.ir import Program
from bitwright.train import load_checkpoint

LINEAR = ("xnor_linear", "xnor_conv2d", "int_linear", "int_conv2d")


def evaluate_run(folder: str | Path, results: str | Path = "results") -> tuple[Path, dict[str, Any]]:
    """(path of the results file, its contents) of a finished run, its Program frozen anew, on the whole test set.

    An earlier results file of the same recipe and seed is replaced; `test_reads` counts on.
    Raises ValueError for data without a test set and what `load_run` raises.
    """
    recipe, source, data, model = load_run(folder)
    if len(data.y_test) == 0:
        raise ValueError(f"eval: {source.data} has no test set; split one off with test=0.2")
    state = load_checkpoint(Path(folder) / CHECKPOINT)
    program = freeze_model(model, recipe, data)
    started = time.perf_counter()
    predicted = program.predict(data.x_test, threads=recipe.threads or 1)
    seconds = time.perf_counter() - started
    agreed = agreement(program, data.x_test, data.y_test)
    path = Path(results) / f"{recipe.name}-seed{recipe.seed}.json"
    earlier = json.loads(path.read_text(encoding="utf-8")).get("test_reads", 0) if path.exists() else 0
    n = len(data.y_test)
    measured = {
        "recipe": recipe.name,
        "recipe_hash": recipe.hash(),
        "recipe_fields": recipe.to_dict(),
        "seed": recipe.seed,
        "data": data.name,
        "test_samples": n,
        "test_reads": earlier + 1,
        "frozen_accuracy": round(100 * float((predicted == data.y_test).mean()), 4),
        "model_accuracy": round(100 * (agreed.model_correct or 0) / n, 4),
        "agreement": round(100 * agreed.same_class / n, 4),
        "exact": agreed.exact,
        "hidden_compared": agreed.hidden_compared,
        "hidden_differing": agreed.hidden_differing,
        "scores_compared": agreed.scores_compared,
        "scores_differing": agreed.scores_differing,
        "twin_differing": agreed.twin_differing,
        "file_bytes": len(program.to_bytes()),
        **describe_program(program),
        "val_accuracy": next((row["val_accuracy"] for row in reversed(state["history"])), None),
        "seconds": round(state["seconds"], 1),
        "test_seconds": round(seconds, 3),
        "threads": recipe.threads,
        "hardware": hardware(),
        "versions": versions(),
        "commit": commit(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)
    return path, measured


def describe_program(program: Program) -> dict[str, Any]:
    """Weights, bits of a weight in the first and last layer, the accumulators, and what stays wider than a bit."""
    layers = [op for op in program.ops if op.name in LINEAR]
    widths = {"bit": 1, "i4": 4, "i8": 8, "i16": 16}
    return {
        "weights": sum(int(np.prod(op.consts["w"].shape)) for op in layers),
        "first_layer_bits": widths[layers[0].weight_dtype] if layers else None,
        "last_layer_bits": widths[layers[-1].weight_dtype] if layers else None,
        "accumulators": sorted({("int32", "wrap8", "wrap8_half")[op.attrs.get("accumulator", 0)] for op in layers}),
        "wider_than_a_bit": program.header.get("wider_than_a_bit", []),
    }


def hardware() -> str:
    return f"{cpu_name()}, {os.cpu_count()} logical cores, {platform.system()} {platform.machine()}"


def versions() -> dict[str, str]:
    packages = {name: metadata_version(name) or "from sources" for name in ("bitwright", "torch", "numpy")}
    return packages | {"python": platform.python_version()}


def commit() -> str | None:
    """The checkout's commit, with "+" when files differ from it; None where there is no checkout."""
    here = Path(__file__).resolve().parent
    try:
        head = subprocess.run(["git", "-C", here, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(
            ["git", "-C", here, "status", "--porcelain"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip()[:12] + ("+" if changed.stdout.strip() else "")
