"""Sign forward, backward the derivative of a piecewise quadratic: a triangle on [-1, 1].

Source: Liu et al. 2018 (Bi-Real net), arXiv:1808.00278, the polynomial ApproxSign and its derivative.
"""

from torch import Tensor

from .native_backward import NativeBackward
from .native_signs import TENT
from .pair import QuantizerPair, hard_sign


def approx_sign() -> QuantizerPair:
    """forward(x) = +1 if x >= 0 else -1;  backward(x, g) = g * max(2 - 2|x|, 0).

    x, g: float, any shape; both results have x's shape and dtype. The slope is 2 at zero, 0 from |x| = 1 on.
    """

    def backward(x: Tensor, grad: Tensor) -> Tensor:
        return x.abs().mul_(-2).add_(2).clamp_min_(0).mul_(grad)

    return QuantizerPair(hard_sign, NativeBackward(backward, TENT))
