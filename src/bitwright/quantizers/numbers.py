"""Numbers of a module that are buffers, so that they are saved with it, read from their device as seldom as can be.

Reading one makes a processor wait for its GPU; in training that would be once a layer and step.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

_known: WeakTensorKeyDictionary = WeakTensorKeyDictionary()  # buffer -> (its version then, the number)


def register_number(module: nn.Module, name: str, value: float) -> None:
    """A float64 buffer of no dimensions; an integer for an int."""
    dtype = torch.int64 if isinstance(value, int) else torch.float64
    module.register_buffer(name, torch.tensor(value, dtype=dtype))


def write_number(module: nn.Module, name: str, value: float) -> None:
    buffer: Tensor = getattr(module, name)
    if buffer.is_inference():  # which has no version
        buffer.fill_(value)
    elif _known.get(buffer) != (buffer._version, value):
        buffer.fill_(value)
        _known[buffer] = buffer._version, value


def read_number(module: nn.Module, name: str) -> Any:
    """The number, read from its device only after somebody else has changed it or put another buffer there."""
    buffer: Tensor = getattr(module, name)
    if buffer.is_inference():
        return buffer.item()
    had = _known.get(buffer)
    if had is None or had[0] != buffer._version:
        had = _known[buffer] = buffer._version, buffer.item()
    return had[1]
