"""The one reading of the test set: `evaluate` runs a frozen Program on it, beside its model, and writes the result."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bitwright.bench.machine import commit, hardware, versions
from bitwright.bench.results import FOLDER, read_note, write_result
from bitwright.ir import Program
from bitwright.ir.executors import executor

LINEAR = ("xnor_linear", "xnor_conv2d", "int_linear", "int_conv2d")
CURVE_POINTS = 40
EMBEDDED_COMPARED = 1000  # samples; interpreter and twin are slow where codes are long
WIDTHS = {"bit": 1, "i4": 4, "i8": 8, "i16": 16}


def evaluate(
    program: Program,
    data: Any,
    recipe: Any,
    *,
    train_seconds: float | None = None,
    val_accuracy: float | None = None,
    history: Sequence[Mapping[str, Any]] = (),
    threads: int = 1,
    results: str | Path = FOLDER,
    compare: int = 0,
) -> tuple[Path, dict[str, Any]]:
    """(path of results/<recipe>-seed<k>.json, its contents).

    program: just frozen, so that it knows its model. data: the Dataset whose test set is read. recipe: the Recipe that
    was trained. train_seconds, val_accuracy, history (rows of `fit`): of the training. compare: test samples on which
    interpreter and twin are held against each other and the backend; 0 takes all, of embedded networks the first
    EMBEDDED_COMPARED. Accuracies are of the whole test set always. An earlier file of the same recipe and seed is
    replaced; `test_reads` counts on, and `read_note` says so. Raises ValueError for data without a test set, a negative
    `compare` and a Program that was loaded from a file, RuntimeError if backend and interpreter do not get equally many
    classes right.
    """
    from bitwright.freeze import agreement
    from bitwright.train import predict_scores

    n = len(data.y_test)
    if n == 0:
        raise ValueError(f"eval: {data.name} has no test set; split one off, e.g. with test=0.2")
    if compare < 0:
        raise ValueError(f"eval: compare is {compare}, expected a number of samples, or 0")
    compared = min(n, compare or (EMBEDDED_COMPARED if any(op.name == "project" for op in program.ops) else n))
    agreed = agreement(program, data.x_test[:compared], data.y_test[:compared])
    started = time.perf_counter()
    classes = program.predict(data.x_test, threads=threads)
    seconds = time.perf_counter() - started
    backend = executor("auto").name
    hits = classes == data.y_test
    if int(hits[:compared].sum()) != agreed.program_correct:
        raise RuntimeError(
            f"eval: {backend} classifies {hits[:compared].sum()} of {compared} rightly, the interpreter "
            f"{agreed.program_correct}; nothing was written; `bitwright verify` finds the first value that differs"
        )
    model_classes = predict_scores(program.frozen.graph, data.x_test).argmax(1).numpy()
    path, written = write_result(
        {
            **describe_run(recipe, data, train_seconds, val_accuracy, history),
            "frozen_accuracy": round(100 * int(hits.sum()) / n, 4),
            "model_accuracy": round(100 * int((model_classes == data.y_test).sum()) / n, 4),
            "agreement": round(100 * int((model_classes == classes).sum()) / n, 4),
            "exact": agreed.exact,
            "compared_samples": compared,
            "hidden_compared": agreed.hidden_compared,
            "hidden_differing": agreed.hidden_differing,
            "scores_compared": agreed.scores_compared,
            "scores_differing": agreed.scores_differing,
            "twin_compared": agreed.twin_compared,
            "twin_differing": agreed.twin_differing,
            "largest_score_difference": agreed.largest_score_difference,
            "file_bytes": len(program.to_bytes(short=True)),
            **describe_program(program),
            "test_seconds": round(seconds, 3),
            "threads": threads,
            "backend": backend,
        },
        results,
    )
    return path, {**written, "read_note": read_note(written)}


def evaluate_model(
    model: Any,
    data: Any,
    recipe: Any,
    not_frozen: str,
    *,
    train_seconds: float | None = None,
    val_accuracy: float | None = None,
    history: Sequence[Mapping[str, Any]] = (),
    results: str | Path = FOLDER,
) -> tuple[Path, dict[str, Any]]:
    """As `evaluate` for a trained model that has no Program: the PyTorch model's accuracy, marked as such.

    not_frozen: why it does not freeze. Raises ValueError for data without a test set.
    """
    from bitwright.train import evaluate as accuracy_of

    n = len(data.y_test)
    if n == 0:
        raise ValueError(f"eval: {data.name} has no test set; split one off, e.g. with test=0.2")
    path, written = write_result(
        {
            **describe_run(recipe, data, train_seconds, val_accuracy, history),
            "model_accuracy": round(accuracy_of(model, data.x_test, data.y_test), 4),
            "not_frozen": not_frozen,
        },
        results,
    )
    return path, {**written, "read_note": read_note(written)}


def describe_run(
    recipe: Any,
    data: Any,
    train_seconds: float | None,
    val_accuracy: float | None,
    history: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What was trained on what, for how long, where, and from which sources: the same for every kind of result."""
    return {
        "recipe": recipe.name,
        "recipe_hash": recipe.hash(),
        "recipe_fields": recipe.to_dict(),
        "seed": recipe.seed,
        "data": data.name,
        "test_samples": len(data.y_test),
        "val_accuracy": val_accuracy,
        "projection_gap": projection_gap(history),
        "block": describe_block(recipe),
        "train_seconds": None if train_seconds is None else round(train_seconds, 1),
        "train_threads": recipe.threads,
        "curve": learning_curve(history),
        "hardware": hardware(),
        "versions": versions(),
        "commit": commit(),
    }


def projection_gap(history: Sequence[Mapping[str, Any]]) -> float | None:
    """Points of validation accuracy that the relaxed weights of the last look have above their signs; 0 where signs
    alone were trained, None without a look.
    """
    looks = [row for row in history if row.get("val_accuracy") is not None]
    if not looks:
        return None
    last = looks[-1]["val_accuracy"]
    return round(looks[-1].get("soft_val_accuracy", last) - last, 4)


def learning_curve(history: Sequence[Mapping[str, Any]]) -> list[list[float | None]]:
    """[epoch, mean loss, percent of the validation split or None] of at most CURVE_POINTS epochs, the last too."""
    step = -(-len(history) // CURVE_POINTS)
    rows = [row for i, row in enumerate(history, 1) if (len(history) - i) % step == 0]
    return [[row["epoch"], round(row["loss"], 4), row.get("val_accuracy")] for row in rows]


def describe_program(program: Program) -> dict[str, Any]:
    """Weights in all, bits of a weight in the first and last layer, accumulators, what stays wider than a bit, and of
    logic its gates, adders and thresholds."""
    layers = [op for op in program.ops if op.name in LINEAR]
    binary = [op for op in layers if op.name.startswith("xnor")]
    return {
        "weights": sum(int(np.prod(op.consts["w"].shape)) for op in layers),
        "first_layer_bits": WIDTHS[layers[0].weight_dtype] if layers else None,
        "last_layer_bits": WIDTHS[layers[-1].weight_dtype] if layers else None,
        "accumulators": sorted({("int32", "wrap8", "wrap8_half")[op.attrs.get("accumulator", 0)] for op in binary}),
        "wider_than_a_bit": program.header.get("wider_than_a_bit", []),
        "logic": program.summary().logic,
    }


def describe_block(recipe: Any) -> str:
    """The model's name, and its variant of block where the recipe chooses one."""
    variant = recipe.model_options.get("form", recipe.model_options.get("block"))
    return recipe.model if variant is None else f"{recipe.model}, {variant}"
