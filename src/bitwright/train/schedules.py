"""The learning rate over the training: warm-up, then cosine, linear, geometric, step or constant."""

import math

from .recipe import Recipe


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The rate of optimizer step `step`, from 0. All but step and constant reach lr_end just after the last step."""
    epoch = step / steps_per_epoch
    if epoch < recipe.warmup_epochs:
        return recipe.lr * (step + 1) / (recipe.warmup_epochs * steps_per_epoch + 1)
    left = max(recipe.epochs - recipe.warmup_epochs, 1e-9)
    progress = min((epoch - recipe.warmup_epochs) / left, 1.0)
    if recipe.schedule == "cosine":
        return recipe.lr_end + (recipe.lr - recipe.lr_end) * (1 + math.cos(math.pi * progress)) / 2
    if recipe.schedule == "linear":
        return recipe.lr_end + (recipe.lr - recipe.lr_end) * (1 - progress)
    if recipe.schedule == "geometric":
        return recipe.lr * (recipe.lr_end / recipe.lr) ** progress
    if recipe.schedule == "step":
        return recipe.lr * recipe.step_factor ** sum(epoch >= at for at in recipe.step_epochs)
    return recipe.lr
