"""A backward map that the native training library knows: one pass there, several in plain PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from . import native_signs

# Of x and the schedules' values: the numbers of the library's pass; None for none.
Numbers = Callable[..., Tensor | None]


def no_numbers(x: Tensor, **values: float) -> None:
    return None


@dataclass(frozen=True)
class NativeBackward:
    """backward(x, grad, **values) of a pair. plain: what it means, and what is computed where the library does not.

    kind: WINDOW, TENT or FOURIER of native_signs; numbers: those of the pass.
    """

    plain: Callable[..., Tensor]
    kind: int
    numbers: Numbers = no_numbers

    def __call__(self, x: Tensor, grad: Tensor, **values: Any) -> Tensor:
        if not native_signs.takes(x, grad):
            return self.plain(x, grad, **values)
        numbers = self.numbers(x, **values)
        return torch.ops.bitwright.sign_pass(x, native_signs.laid_out_as(x, grad), numbers, self.kind)[0]
