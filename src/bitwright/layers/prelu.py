"""PReLU as torch has it, in one pass there and one back on a CPU.

PyTorch's own way back writes the products that make the slope's gradient to memory before it adds them up.
Source: He et al. 2015, arXiv:1502.01852.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..quantizers import native_signs


class _Prelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.ops.bitwright.sign_pass(x, None, weight.double(), native_signs.PRELU)[0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        x, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of this derivative are wanted
            return tuple(native_signs.again(nn.functional.prelu(x, weight), (x, weight), grads[0]))
        grad = native_signs.laid_out_as(x, grads[0])
        grad_x, sums = torch.ops.bitwright.sign_pass(x, grad, weight.double(), native_signs.PRELU_BACK)
        return grad_x, sums[:, 0].sum().to(weight.dtype).reshape(weight.shape)


class PReLU(nn.PReLU):
    """nn.PReLU: x if x > 0 else weight x. One slope: the native library takes it where it is, float32 on the CPU."""

    def forward(self, input: Tensor) -> Tensor:
        weight = self.weight
        if weight.numel() != 1 or not native_signs.takes(input.detach(), weight.detach()):
            return super().forward(input)
        return _Prelu.apply(input, weight)  # type: ignore[return-value]
