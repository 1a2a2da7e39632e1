"""relu(alpha x) in one pass there and one back, in the native training library: operator bitwright::rasu."""

import ctypes
from typing import Any

import torch
from torch import Tensor

from ..quantizers import native_signs
from ..quantizers.native_library import OPERATORS
from . import native_cosine


def _rasu(x: Tensor, grad: Tensor | None, alpha: Tensor) -> tuple[Tensor, Tensor]:
    library = native_cosine.library()
    assert library is not None, "ask takes() first"
    y = torch.empty_like(x)
    sums = alpha.new_empty(0 if grad is None else -(-x.numel() // native_signs.CHUNK), 2)
    job = native_signs.pass_over(0, x.numel(), x.numel(), x=x, grad=grad, y=y, numbers=alpha, sums=sums)
    library.bw_train_rasu(ctypes.byref(job), grad is not None)
    return y, sums[:, 0].sum()


OPERATORS.define("rasu(Tensor x, Tensor? grad, Tensor alpha) -> (Tensor, Tensor)")
OPERATORS.impl("rasu", _rasu, "CPU")


class _Rasu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor) -> Tensor:
        ctx.save_for_backward(x, alpha)
        return torch.ops.bitwright.rasu(x, None, alpha.double())[0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        x, alpha = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of this derivative are wanted
            return tuple(native_signs.again(torch.relu(x * alpha), (x, alpha), grads[0]))
        to_x, to_alpha = torch.ops.bitwright.rasu(x, native_signs.laid_out_as(x, grads[0]), alpha.double())
        return to_x, to_alpha.to(alpha.dtype)


def takes(x: Tensor, alpha: Tensor) -> bool:
    """Whether the library computes with these; see native_signs.takes."""
    return native_signs.takes(x.detach(), alpha.detach()) and native_cosine.available()


def rasu(x: Tensor, alpha: Tensor) -> Tensor:
    """relu(alpha x) of x of any shape and alpha, one number, where `takes` says yes."""
    return _Rasu.apply(x, alpha)  # type: ignore[return-value]
