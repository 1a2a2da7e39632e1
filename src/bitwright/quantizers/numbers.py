"""Numbers of a module that are buffers, so that they are saved with it, read from their device as seldom as can be.

Reading one makes a processor wait for its GPU; in training that would be once a layer and step.
"""

from typing import Any

import torch
from torch import nn

KNOWN = "_known_numbers"  # of a module: name -> (buffer, its version then, value)


def register_number(module: nn.Module, name: str, value: float) -> None:
    """A float64 buffer of no dimensions; an integer for an int."""
    dtype = torch.int64 if isinstance(value, int) else torch.float64
    module.register_buffer(name, torch.tensor(value, dtype=dtype))


def write_number(module: nn.Module, name: str, value: float) -> None:
    buffer = getattr(module, name).fill_(value)
    _known(module)[name] = buffer, buffer._version, value


def read_number(module: nn.Module, name: str) -> Any:
    """The number, read from its device only after somebody else has changed it or put another buffer there."""
    buffer, known = getattr(module, name), _known(module)
    had = known.get(name)
    if had is None or had[0] is not buffer or had[1] != buffer._version:
        had = known[name] = buffer, buffer._version, buffer.item()
    return had[2]


def _known(module: nn.Module) -> dict[str, tuple[torch.Tensor, int, float]]:
    return module.__dict__.setdefault(KNOWN, {})
