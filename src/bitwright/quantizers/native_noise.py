"""FDA's noise module and the sign beside it in one pass there and one back, in the native training library.

NoisyFourier's own forward in noise.py is what it means; hidden numbers are worked out again on the way back.
"""

from typing import Any

import torch
from torch import Tensor

from . import native_signs
from .native_backward import NativeBackward
from .pair import QuantizerPair, hard_sign, quantize


def takes(x: Tensor, pair: QuantizerPair, module: Any) -> bool:
    """Whether the library computes x, an activation, through this pair with this NoiseAdaptation beside it."""
    features, width = module.down.shape
    known = pair.forward is hard_sign and pair.prepare is None and isinstance(pair.backward, NativeBackward)
    if not known or width > native_signs.WIDTH or not native_signs.features_last(x, features):
        return False
    return native_signs.takes(x.detach(), module.down.detach(), module.up.detach())


class _Noisy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, down: Tensor, up: Tensor, pair: QuantizerPair, values: dict, module: Any,
                alpha: float) -> Tensor:  # fmt: skip
        ctx.save_for_backward(x, down, up)
        ctx.pair, ctx.values, ctx.module = pair, values, module
        ctx.numbers = native_signs.SHORTCUTS.index(module.shortcut), alpha, module.factor
        return torch.ops.bitwright.sign_noise(x, down.t().contiguous(), up.contiguous(), *ctx.numbers)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        x, down, up = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of this derivative are wanted: by what it means
            signs = quantize(x, ctx.pair, **ctx.values)
            y = signs + ctx.numbers[1] * ctx.module.of(x.movedim(1, -1), down, up).movedim(-1, 1)
            return *native_signs.again(y, (x, down, up), grads[0]), None, None, None, None
        back = ctx.pair.backward
        grad, numbers = native_signs.laid_out_as(x, grads[0]), back.numbers(x, **ctx.values)
        wide, high = down.t().contiguous(), up.contiguous()
        grad_x, sums = torch.ops.bitwright.sign_noise_back(grad, x, wide, high, numbers, back.kind, *ctx.numbers)
        return grad_x, sums[0].t(), sums[1], None, None, None, None


def noisy_signs(x: Tensor, pair: QuantizerPair, values: dict[str, float], module: Any, alpha: float) -> Tensor:
    """sign(x) + alpha e(x) of x (batch, channels, ...), where `takes` says yes; the gradient as in noise.py."""
    return _Noisy.apply(x, module.down, module.up, pair, values, module, alpha)  # type: ignore[return-value]
