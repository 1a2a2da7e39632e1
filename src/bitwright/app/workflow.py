"""From a recipe and somebody's data to a run folder, and back: what `bitwright train`, `freeze` and `eval` stand on.

A run folder holds checkpoint.pt, metrics.jsonl, run.json (the recipe and where the data came from) and model.bw.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import nn

from bitwright.app.source import Source
from bitwright.data import Dataset
from bitwright.freeze import FreezeError, correct_offsets, freeze
from bitwright.ir import Program
from bitwright.layers import CosineConv2d, CosineLinear
from bitwright.layers.thermometer import Thermometer, quantile_thresholds
from bitwright.train import CHECKPOINT, Diverged, FitResult, Recipe, fit, load_checkpoint, train_recipe
from bitwright.train import evaluate as accuracy_of
from bitwright.train.experiment import recipe_model

RUN, PROGRAM = "run.json", "model.bw"
THRESHOLDS = 16  # marks a real-valued feature is compared with


def build_model(recipe: Recipe, data: Dataset, n_thresholds: int = THRESHOLDS) -> nn.Module:
    """The recipe's untrained network for this data; real-valued features get a Thermometer of training quantiles."""
    if data.input.dtype != "float32":
        return recipe_model(recipe, data)
    thermometer = Thermometer(quantile_thresholds(data.x_train, n_thresholds))
    options = {**recipe.model_options, "shape": [thermometer.thresholds.numel()]}
    network = recipe_model(replace(recipe, model_options=options), data)
    model = nn.Sequential(OrderedDict(thermometer=thermometer, network=network))
    model.input_shape = data.input.shape  # type: ignore[assignment]
    return model


def run_folder(recipe: Recipe, root: str | Path = "runs") -> Path:
    return Path(root) / f"{recipe.name}-seed{recipe.seed}"


def train_network(
    recipe: Recipe, source: Source, folder: str | Path, resume: bool = False, progress: bool = True
) -> tuple[FitResult, Dataset]:
    """Train, and leave checkpoint and run.json in `folder`.

    Raises FileExistsError if the folder holds a run and `resume` is not said, and what `fit` raises.
    """
    folder = Path(folder)
    if (folder / CHECKPOINT).exists() and not resume:
        raise FileExistsError(
            f"train: {folder} holds a run already; add --resume to go on with it, or --out another folder"
        )
    data = source.open(validation=not recipe.train_on_validation)
    folder.mkdir(parents=True, exist_ok=True)
    described = {"recipe": recipe.to_dict(), "source": asdict(source)}
    _describe(folder, described)
    if data.input.dtype == "float32" and recipe.distill.weight:
        raise ValueError("train: a teacher for tables of real numbers is not supported; set distill.weight to 0")
    try:
        if data.input.dtype == "float32":
            model = build_model(recipe, data)
            result = fit(model, data, recipe=recipe, folder=folder, resume=resume, progress=progress)
        else:
            result = train_recipe(recipe, folder, data=data, resume=resume, progress=progress)
    except Diverged as error:
        _describe(folder, {**described, "failed": str(error)})
        raise
    return result, data


def train_run(
    recipe: Recipe, source: Source, folder: str | Path, resume: bool = False, progress: bool = True
) -> tuple[FitResult, Program, Dataset]:
    """`train_network`, then freeze: model.bw lies in `folder` too. Raises what both raise."""
    result, data = train_network(recipe, source, folder, resume, progress)
    return result, freeze_into(folder, result, data), data


def freeze_into(folder: str | Path, result: FitResult, data: Dataset) -> Program:
    """The Program of a training's model, saved as model.bw in its folder. Raises FreezeError."""
    program = freeze_model(result.model, result.recipe, data, result.val_accuracy)
    program.save(Path(folder) / PROGRAM)
    return program


def _describe(folder: Path, described: dict[str, Any]) -> None:
    (folder / RUN).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def freeze_model(
    model: nn.Module, recipe: Recipe, data: Dataset, val_accuracy: float | None = None, passes: Sequence[str] = (),
    correct: int = 0, embedding: Mapping[str, Any] | None = None,
) -> Program:  # fmt: skip
    """The Program, its header saying recipe, seed, data and validation accuracy (percent, if there was one).

    passes: as for `freeze`. embedding: hyperdimensions, projection, rounds and seed as for `freeze`, where they are not
    to be the recipe's. correct: training samples on which `correct_offsets` takes offsets out; 0 leaves them. Raises
    ValueError for embedding or correct where the model has no cosine layer, or a negative number.
    """
    if correct < 0:
        raise ValueError(f"freeze: correct is {correct}, expected a number of training samples, or 0 for none")
    asked = [*(embedding or {}), *["correct"] * bool(correct)]
    if asked and not any(isinstance(layer, (CosineConv2d, CosineLinear)) for layer in model.modules()):
        raise ValueError(
            f"freeze: {', '.join(asked)} given, which say how cosine layers become codes; {recipe.model} has no cosine "
            "layer: leave this out, or train a G-Net, such as `bitwright train mnist_gnet`"
        )
    header: dict[str, Any] = {
        "recipe": recipe.to_dict(), "recipe_hash": recipe.hash(), "seed": recipe.seed, "data": data.name,
    }  # fmt: skip
    if val_accuracy is not None and val_accuracy == val_accuracy:
        header["val_accuracy"] = round(val_accuracy, 4)
    options: dict[str, Any] = dict(embedding or {})
    program = freeze(model, input=data, header=header, passes=passes, **options)
    return correct_offsets(program, model, data.x_train[:correct]) if correct else program


def _described(folder: Path) -> dict[str, Any]:
    if not (folder / RUN).exists():
        raise FileNotFoundError(
            f"{folder} is no run folder (no {RUN}); `bitwright train` makes one, by default under runs/"
        )
    return json.loads((folder / RUN).read_text(encoding="utf-8"))


def load_run(folder: str | Path) -> tuple[Recipe, Source, Dataset, nn.Module]:
    """What a run folder holds: its recipe, data and trained model in eval mode.

    Raises FileNotFoundError if it is no run folder, and ValueError if checkpoint and recipe do not belong together.
    """
    folder = Path(folder)
    described = _described(folder)
    recipe, source = Recipe.from_dict(described["recipe"]), Source(**described["source"])
    data = source.open(validation=not recipe.train_on_validation)
    model = build_model(recipe, data)
    state = load_checkpoint(folder / CHECKPOINT)
    if state["epoch"] < recipe.epochs:
        raise ValueError(
            f"{folder}: trained for {state['epoch']} of {recipe.epochs} epochs; finish it: bitwright train --resume"
        )
    try:
        model.load_state_dict(state["model"])
    except RuntimeError as error:
        raise ValueError(f"{folder}: the checkpoint is of another model than run.json says: {error}") from error
    return recipe, source, data, model.eval()


def evaluate_run(
    folder: str | Path, results: str | Path = "results", compare: int = 0
) -> tuple[Path, dict[str, Any]]:
    """The reading of the test set for a finished run, see `bitwright.bench.evaluate`: (results file, its contents).

    A run that diverged reads nothing: it is recorded as failed, so that a summary over seeds counts it. Of a model that
    does not freeze, the PyTorch model's accuracy is recorded, marked as such.
    """
    from bitwright.bench import evaluate, evaluate_model, read_result, write_failure

    described = _described(Path(folder))
    if "failed" in described:
        path = write_failure(Recipe.from_dict(described["recipe"]), described["failed"], results)
        return path, read_result(path)
    recipe, _, data, model = load_run(folder)
    state = load_checkpoint(Path(folder) / CHECKPOINT)
    seen = accuracy_of(model, data.x_val, data.y_val) if len(data.x_val) else None
    marks: dict[str, Any] = {"train_seconds": state["seconds"], "val_accuracy": seen, "history": state["history"]}
    try:
        program = freeze_model(model, recipe, data, seen)
    except FreezeError as error:
        return evaluate_model(model, data, recipe, str(error), **marks, results=results)
    return evaluate(program, data, recipe, **marks, results=results, compare=compare)
