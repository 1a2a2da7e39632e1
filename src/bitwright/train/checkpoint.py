"""Checkpoints: written whole or not at all, loaded without running code, refused when they belong to another run."""

import errno
import io
import os
import random
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from .recipe import Recipe

FORMAT = 1
FREE_FIELDS = {"device", "threads", "checkpoint_seconds", "name"}  # may differ between the halves of a run


class CheckpointError(ValueError):
    """A checkpoint that is damaged, of another model, or of another recipe."""


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Writes to a temporary file beside `path`, flushes it to the disk, then renames: a kill leaves old or new.

    Raises OSError, naming the way out and leaving the old checkpoint, when the disk is full or not writable.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    try:
        with part.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
        kept = "the checkpoint before it is kept" if path.exists() else "there is no earlier one"
        size = f"{buffer.tell() / 1e6:.1f} MB"
        raise OSError(
            error.errno, f"checkpoint {path} ({size}) could not be written: {reason}; {kept}; free space and resume"
        ) from error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """The saved state, on the CPU. Raises FileNotFoundError or CheckpointError; never runs code from the file."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"checkpoint {path}: no such file; start without resume, or name the run's folder")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"checkpoint {path}: not readable as a checkpoint ({type(error).__name__})") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"checkpoint {path}: not a checkpoint of this library, format {FORMAT}")
    return state


def model_identity(model: nn.Module) -> list[str]:
    """One line a tensor of the state dict: name, shape, dtype."""
    return [f"{key} {tuple(value.shape)} {value.dtype}" for key, value in model.state_dict().items()]


def _filled(recipe: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint's recipe with the fields that are younger than it, at their defaults, whose effect it had."""
    try:
        return Recipe.from_dict(recipe).to_dict()
    except ValueError:  # a field that is no more: another recipe
        return recipe


def check_same_run(path: Path, state: dict[str, Any], model: nn.Module, recipe: dict, data_mark: str) -> None:
    """Raises CheckpointError naming what differs, if the checkpoint is of another model, recipe or data set."""
    mine, theirs = model_identity(model), state["identity"]
    if mine != theirs:
        odd = next((line for line in theirs if line not in mine), None) or next(x for x in mine if x not in theirs)
        raise CheckpointError(f"checkpoint {path}: of another model ({odd!r} differs); use its own model or folder")
    old = _filled(state["recipe"])
    differ = sorted(k for k in {*old, *recipe} - FREE_FIELDS if old.get(k) != recipe.get(k))
    if differ:
        told = ", ".join(f"{key}: {old.get(key)!r} there, {recipe.get(key)!r} here" for key in differ)
        raise CheckpointError(f"checkpoint {path}: of another recipe ({told}); same recipe or another folder")
    if state["data_mark"] != data_mark:
        raise CheckpointError(f"checkpoint {path}: trained on other data ({state['data_mark']}, here {data_mark})")


def rng_states() -> dict[str, Any]:
    """States of torch (CPU and CUDA), NumPy's global and Python's generator, as plain values and tensors."""
    kind, keys, position, has_gauss, cached = cast(tuple, np.random.get_state(legacy=True))
    version, inner, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [kind, keys.tolist(), int(position), int(has_gauss), float(cached)],
        "python": [version, list(inner), gauss],
    }


def restore_rng_states(states: dict[str, Any]) -> None:
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.device_count() == len(states["cuda"]):
        torch.cuda.set_rng_state_all(states["cuda"])
    kind, keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    version, inner, gauss = states["python"]
    random.setstate((version, tuple(inner), gauss))
