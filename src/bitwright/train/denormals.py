"""Numbers too small for the exponent, each of which costs a hundred others: zero while a network is trained."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Within, float operations of this thread take and give 0 instead of denormal numbers; then as before."""
    before = bool(torch.tensor(1e-40) * 1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
