"""Accuracy of a model in eval mode, and the metrics.jsonl a run leaves behind."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn


@torch.no_grad()
def predict_scores(model: nn.Module, x: np.ndarray, batch_size: int = 512) -> torch.Tensor:
    """Scores (n, classes) of the model in eval mode, float32, autocast off, on the model's own device; then on CPU.

    x: raw inputs as the data set holds them, any numeric dtype, (n, ...). The model's mode is put back.
    """
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    was_training = model.training
    model.eval()
    try:
        parts = [
            model(torch.from_numpy(np.ascontiguousarray(x[i : i + batch_size])).to(device).float()).cpu()
            for i in range(0, len(x), batch_size)
        ]
    finally:
        model.train(was_training)
    return torch.cat(parts) if parts else torch.empty(0)


def evaluate(model: nn.Module, x: np.ndarray, y: np.ndarray, batch_size: int = 512) -> float:
    """Percent of x classified as y says (ties: the lowest index); nan for an empty x."""
    if len(x) == 0:
        return math.nan
    scores = predict_scores(model, x, batch_size)
    return 100.0 * float((scores.argmax(1).numpy() == y).mean())


class MetricsLog:
    """metrics.jsonl: one JSON object an epoch. Opening it at epoch `keep` drops later lines (of a killed run)."""

    def __init__(self, path: Path, keep: int):
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["epoch"] <= keep]
        path.write_text("".join(line + "\n" for line in kept))

    def write(self, values: Mapping[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")
