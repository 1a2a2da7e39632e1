"""Activations around signs: Sign, the shifted RSign, and RPReLU for the real-valued stream beside them.

Source: Hubara et al. 2016, arXiv:1602.02830 (sign of activations); Liu et al. 2020 (ReActNet), arXiv:2003.03488,
Eq. 1 (RSign) and Eq. 4 (RPReLU).
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..ir import lower
from ..quantizers import make_quantizer, native_signs
from .binary import QuantizerLike


def _per_channel(vector: Tensor, x: Tensor) -> Tensor:
    """vector (C,) shaped to broadcast along axis 1 of x (batch, C, ...)."""
    return vector.reshape(-1, *[1] * (x.dim() - 2))


class Sign(nn.Module):
    """x, any shape -> -1 or +1 of the same shape (x >= 0 gives +1). quantizer: name of QUANTIZERS or a pair.

    channels: of x (batch, channels, ...), for a quantizer that has weights of its own.
    """

    def __init__(self, quantizer: QuantizerLike = "ste", channels: int | None = None):
        super().__init__()
        self.quantizer = make_quantizer(quantizer, channels, axis=1)

    def forward(self, input: Tensor) -> Tensor:
        return self.quantizer(input)


class RSign(nn.Module):
    """sign(x + bias[c]) on x (batch, channels, ...), the bias learned; +1 where the sum is >= 0."""

    def __init__(self, channels: int, quantizer: QuantizerLike = "approx_sign"):
        super().__init__()
        self.channels = channels
        self.bias = nn.Parameter(torch.zeros(channels))
        self.quantizer = make_quantizer(quantizer, channels, axis=1)

    def forward(self, input: Tensor) -> Tensor:
        return self.quantizer(input + _per_channel(self.bias, input))


class _Rprelu(torch.autograd.Function):
    """In one pass there and one back, in the native training library."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shift_in: Tensor, slope: Tensor, shift_out: Tensor, plain: Any) -> Tensor:
        ctx.save_for_backward(x, shift_in, slope, shift_out)
        ctx.plain = plain
        return torch.ops.bitwright.sign_rprelu(x, None, torch.stack([shift_in, slope, shift_out]))[0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        x, *learned = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of this derivative are wanted
            return *native_signs.again(ctx.plain(x, *learned), (x, *learned), grads[0]), None
        grad = native_signs.laid_out_as(x, grads[0])
        grad_x, sums = torch.ops.bitwright.sign_rprelu(x, grad, torch.stack(learned))
        return grad_x, *sums.unbind(0), None


class RPReLU(nn.Module):
    """prelu(x - shift_in[c]) + shift_out[c] on x (batch, channels, ...): slope 1 above zero, slope[c] below.

    All three vectors are learned; a slope may become negative.
    """

    def __init__(self, channels: int, slope: float = 0.25):
        super().__init__()
        self.channels = channels
        self.shift_in = nn.Parameter(torch.zeros(channels))
        self.slope = nn.Parameter(torch.full((channels,), float(slope)))
        self.shift_out = nn.Parameter(torch.zeros(channels))

    def forward(self, input: Tensor) -> Tensor:
        learned = self.shift_in, self.slope, self.shift_out
        if native_signs.features_last(input, self.channels) and native_signs.takes(
            input.detach(), *(v.detach() for v in learned)
        ):
            return _Rprelu.apply(input, *learned, self.plain)  # type: ignore[return-value]
        return self.plain(input, *learned)

    @staticmethod
    def plain(input: Tensor, shift_in: Tensor, slope: Tensor, shift_out: Tensor) -> Tensor:
        """What it means, on any device, dtype and layout."""
        moved = input - _per_channel(shift_in, input)
        bent = torch.where(moved >= 0, moved, moved * _per_channel(slope, input))
        return bent + _per_channel(shift_out, input)


@lower.register
def _(layer: Sign, x):
    return x.sign()


@lower.register
def _(layer: RSign, x):
    return x.shift(layer.bias).sign()


@lower.register
def _(layer: RPReLU, x):
    slope = layer.slope.detach()
    moved = x.affine(lambda v: v - _per_channel(layer.shift_in, v), 1.0, -layer.shift_in)
    bent = moved.two_slopes(lambda v: torch.where(v >= 0, v, v * _per_channel(slope, v)), 1.0, slope)
    return bent.shift(layer.shift_out)
