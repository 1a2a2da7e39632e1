"""Begin a binary network with the weights of a float network that somebody trained."""

from pathlib import Path

import torch
from torch import nn

from ..data.float_weights import float_weights


def start_from_float(model: nn.Module, name: str, root: str | Path | None = None) -> nn.Module:
    """`model` with the weights of FLOAT_WEIGHTS[name], all of which it must have by the same names and shapes.

    What only the binary network has (slopes, scales, schedules) keeps its initial value. Raises ValueError naming the
    first weight that has no place.
    """
    saved = torch.load(float_weights(name, root), map_location="cpu", weights_only=True)["state_dict"]
    saved = {key.removeprefix("module."): value for key, value in saved.items()}
    own = model.state_dict()
    if "linear.bias" not in own and "shift.bias" in own:  # a binary layer has no bias of its own
        saved["shift.bias"] = saved.pop("linear.bias")
    for key, value in saved.items():
        if key not in own or own[key].shape != value.shape:
            there = f"{tuple(own[key].shape)}" if key in own else "nothing of that name"
            raise ValueError(f"start: {name} has {key} {tuple(value.shape)}, the model {there}; use the same topology")
    model.load_state_dict(saved, strict=False)
    return model
