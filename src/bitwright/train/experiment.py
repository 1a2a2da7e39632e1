"""A recipe from end to end: its data, its model, its teacher if it names one, then `fit`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from ..data.float_weights import FLOAT_WEIGHTS
from ..models import create_model, float_twin
from .float_start import start_from, start_from_float
from .loop import FitResult, fit
from .recipe import Recipe, recipe_file


def recipe_model(recipe: Recipe, data=None) -> nn.Module:
    """The recipe's untrained network, initial weights from its seed. data: a Dataset whose shape and classes it takes.

    Where model_options give shape or classes themselves, those stand. float_twin = true gives the twin.
    """
    options: dict[str, Any] = dict(recipe.model_options)
    if data is not None:
        options = {"shape": tuple(data.input.shape), "classes": len(data.classes), **options}
    model = create_model(recipe.model, seed=recipe.seed, **options)
    return float_twin(model, seed=recipe.seed) if recipe.float_twin else model


def recipe_data(recipe: Recipe, root: str | Path | None = None):
    """The recipe's Dataset, the validation split folded into training where the recipe says so."""
    from ..data import load_data

    return load_data(recipe.data, root=root, validation=not recipe.train_on_validation)


def train_recipe(recipe: Recipe, folder: str | Path | None = None, *, data=None, resume: bool = False,
                 progress: bool = True) -> FitResult:  # fmt: skip
    """Trains what the recipe says. folder: for the checkpoint and metrics.jsonl. The networks it starts from and learns
    from have their own folders beside it, and are used again where they are already trained.

    data: a Dataset to use instead of the recipe's. Raises as `fit` and `load_data` do.
    """
    data = recipe_data(recipe) if data is None else data
    root = None if folder is None else Path(folder).parent
    teacher = _teacher(recipe, root, data, progress) if recipe.distill.weight else None
    model = recipe_model(recipe, data)
    if recipe.start in FLOAT_WEIGHTS:
        start_from_float(model, recipe.start)
    elif recipe.start:
        before = _other(recipe_file(recipe.start), recipe.seed, recipe, root, data, progress)
        start_from(model, before.state_dict(), recipe.start)
    return fit(model, data, recipe=recipe, folder=folder, resume=resume, teacher=teacher, progress=progress)


def _teacher(recipe: Recipe, root: Path | None, data, progress: bool) -> nn.Module:
    if not recipe.distill.teacher:
        raise ValueError("recipe: distill.weight is set but distill.teacher names no recipe; name its TOML file")
    seed = recipe.seed if recipe.distill.teacher_seed < 0 else recipe.distill.teacher_seed
    return _other(recipe_file(recipe.distill.teacher), seed, recipe, root, data, progress)


def _other(file: Path, seed: int, recipe: Recipe, root: Path | None, data, progress: bool) -> nn.Module:
    """The trained network of another recipe, from its folder beside this one where it is already there."""
    own = replace(Recipe.from_toml(file), seed=seed, device=recipe.device, threads=recipe.threads)
    folder = None if root is None else root / f"{own.name}-seed{seed}"
    return train_recipe(own, folder, data=data, resume=True, progress=progress).model
