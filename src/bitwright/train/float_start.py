"""Begin a binary network with the weights of another: a float network that somebody trained, or an earlier stage."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

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


CHOSEN = "accumulator_code"  # of the network at hand, never taken over
AROUND = ("quantizer.", "scale.", CHOSEN)  # in a name: what another method has around the same weights


def start_from(model: nn.Module, saved: Mapping[str, Tensor], name: str) -> nn.Module:
    """`model` with the saved weights of another network of its topology, of any method.

    What only one of them has around the weights (schedules, scales, noise modules) is left out, or keeps its initial
    value. Raises ValueError naming the first other tensor that the two do not share.
    """
    own, taken = model.state_dict(), {}
    for key in dict.fromkeys([*saved, *own]):
        shapes = [tuple(state[key].shape) if key in state else None for state in (saved, own)]
        if shapes[0] == shapes[1] and not key.endswith(CHOSEN):
            taken[key] = saved[key]
        elif not any(part in key for part in AROUND):
            there, here = ("nothing of that name" if shape is None else str(shape) for shape in shapes)
            raise ValueError(f"start: {key} is {there} in {name}, {here} in this network; use the same topology")
    model.load_state_dict(taken, strict=False)
    return model
