"""From products of vectors to z = (2/pi) arcsin(cos), with gradients that are finite everywhere, in plain PyTorch."""

import math

import torch
from torch import Tensor

EDGE = 1 - 1e-6  # |cos| is kept below it, where arcsin's slope is still finite
TINY = 1e-30  # squared norm of a vector without a direction: its cosines are 0


def inverse_length(squares: Tensor) -> Tensor:
    """1 / length of vectors with these squared lengths."""
    return squares.clamp_min(TINY).rsqrt()


class _Arcsine(torch.autograd.Function):
    """Forward and backward in few passes over memory, which is what such a layer waits for."""

    @staticmethod
    def forward(ctx, cos: Tensor) -> Tensor:
        clamped = cos.clamp(-EDGE, EDGE)
        ctx.save_for_backward(cos, clamped)
        return torch.asin(clamped).mul_(2 / math.pi)

    @staticmethod
    def backward(ctx, *grads: Tensor):
        cos, clamped = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of this derivative are wanted
            clamped = cos + (clamped - cos).detach()
            return (1 - clamped * clamped).rsqrt() * (2 / math.pi) * grads[0]
        return torch.addcmul(clamped.new_ones(()), clamped, clamped, value=-1).rsqrt_().mul_(2 / math.pi).mul_(grads[0])


def arcsine(cos: Tensor) -> Tensor:
    """(2/pi) arcsin of cos clamped to +-(1 - 1e-6); its gradient is that at the clamped place, so finite."""
    return _Arcsine.apply(cos)  # type: ignore[return-value]
