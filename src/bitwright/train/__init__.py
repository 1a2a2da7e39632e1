"""Training: `fit` and what it stands on."""

from .augment import augment
from .bop import Bop, Together
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .experiment import recipe_data, recipe_model, train_recipe
from .loop import CHECKPOINT, Diverged, FitResult, TrainingInterrupted, fit
from .metrics import evaluate, predict_scores
from .proximal import ProxConnect, lasso_map
from .recipe import Augment, Distill, Recipe

__all__ = [
    "CHECKPOINT", "Augment", "Bop", "CheckpointError", "Distill", "Diverged", "FitResult", "ProxConnect", "Recipe",
    "Together", "TrainingInterrupted", "augment", "evaluate", "fit", "lasso_map", "load_checkpoint", "predict_scores",
    "recipe_data", "recipe_model", "save_checkpoint", "train_recipe",
]  # fmt: skip
