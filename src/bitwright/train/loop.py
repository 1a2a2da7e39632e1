"""`fit`: the training loop. Resuming from a checkpoint gives bit for bit the weights of the uninterrupted run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .denormals import flushed_denormals
from .recipe import Recipe
from .run import CHECKPOINT, Diverged, FitResult, Run
from .stop import TrainingInterrupted

__all__ = ["CHECKPOINT", "Diverged", "FitResult", "TrainingInterrupted", "fit"]


def fit(model: nn.Module, data, *, recipe: Recipe | None = None, folder: str | Path | None = None,
        resume: bool = False, teacher: nn.Module | None = None, progress: bool = True,
        optimizer: Callable[[nn.Module], Any] | str | None = None, **fields: Any) -> FitResult:  # fmt: skip
    """Trains `model` in place on data.x_train / y_train and leaves it in eval mode on the CPU.

    data: a Dataset. recipe: a Recipe; `fields` are changes to it (epochs=10, lr=3e-3, augment={"shift": 2}).
    folder: for checkpoint.pt and metrics.jsonl; None writes nothing. resume: continue from the folder's checkpoint,
    or start if there is none. teacher: float model whose scores are learned too, with recipe.distill.weight > 0.
    optimizer: a function of the model that makes its optimizer, such as ProxConnect around one, or Together of Bop and
    another, or a name for recipe.optimizer, which is the default. Accuracies are of projected weights; where they
    differ, soft_val_accuracy too.
    Raises ValueError (recipe, data), CheckpointError (another run's checkpoint), OSError (disk), TrainingInterrupted.
    """
    if isinstance(optimizer, str):
        fields, optimizer = {**fields, "optimizer": optimizer}, None
    recipe = (recipe or Recipe(name="fit")).override(fields)
    if len(data.x_train) == 0:
        raise ValueError(f"fit: data set {data.name!r} has no training examples; load it with its train split")
    if recipe.distill.weight and teacher is None:
        raise ValueError("fit: distill.weight is set but no teacher was given; pass teacher=, or set the weight to 0")
    if teacher is not None and not recipe.distill.weight:
        raise ValueError("fit: a teacher was given but distill.weight is 0; say distill={'weight': 0.5}, or no teacher")
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    with torch.random.fork_rng(), flushed_denormals():
        torch.manual_seed(recipe.seed)
        run = Run(model, data, recipe, None if folder is None else Path(folder), teacher, optimizer)
        if resume and run.path is not None and run.path.exists():
            run.restore()
        if run.team.rank:  # the first process alone writes and speaks
            run.folder = run.path = None
            torch.manual_seed(recipe.seed + 1_000_003 * run.team.rank)  # dropout and noise of its own rows
        return run.train(progress and not run.team.rank)
