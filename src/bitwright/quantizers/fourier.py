"""FDA: sign forward, backward the slope of the square wave's truncated Fourier series.

The square wave of period 2 pi / omega equals the sign for |t| < pi / omega; s_n(t) = (4/pi) sum over i = 0..n of
sin((2i+1) omega t) / (2i+1), so s_n'(t) = (4 omega/pi) sum cos((2i+1) omega t), which telescopes to
(2 omega/pi) sin(2(n+1) omega t) / sin(omega t). It changes its sign at |t| = pi / (2(n+1) omega).
Source: Xu et al. 2021 (FDA-BNN), arXiv:2103.00841: n from 9 to 18 over the training; omega is not given there.
"""

import math

import torch
from torch import Tensor

from .native_backward import NativeBackward, Numbers
from .native_signs import FOURIER
from .pair import QuantizerPair, Schedule, hard_sign


def whole_steps(start: int, end: int) -> Schedule:
    """Whole numbers from start to end, each for an equal share of the training; exactly end at 1."""
    step = 1 if end >= start else -1
    return lambda p: float(end if p >= 1 else start + step * int(p * (abs(end - start) + 1)))


def fourier_value(t: Tensor, n: int, omega: float) -> Tensor:
    """s_n(t), n + 1 terms, in t's shape and dtype."""
    total = torch.zeros_like(t)
    for i in range(n + 1):
        total = total + torch.sin(t * ((2 * i + 1) * omega)) / (2 * i + 1)
    return total * (4 / math.pi)


def fourier_slope(t: Tensor, n: int, omega: float) -> Tensor:
    """s_n'(t) in closed form, in t's shape and dtype; computed in float32 at least."""
    high = 2 * (n + 1)
    with torch.no_grad():  # hence few arrays and few passes
        wide = t.to(torch.promote_types(t.dtype, torch.float32)) * omega
        # about the nearest zero k pi of the lower sine, where top / bottom = (-1)^k times the same ratio about 0
        turns = (wide / math.pi).round_()
        near = wide.sub_(turns, alpha=math.pi)
        bottom, top = torch.sin(near), near.mul(high).sin_()
        small = near.abs() < 1e-4
        ratio = torch.where(small, (near * high).square_().mul_(-high / 6).add_(high), top.div_(bottom))
        odd = turns.sub_((turns / 2).round_(), alpha=2).abs_()  # 1 for an odd k
        return ratio.mul_(odd.mul_(-2).add_(1)).mul_(2 * omega / math.pi).to(t.dtype)


def _checked(who: str, start: int, end: int, omega: float, clip: float) -> None:
    if not (omega > 0 and clip > 0 and start >= 0 and end >= 0):
        told = f"{omega}, {clip}, {start}, {end}"
        raise ValueError(f"{who}: omega and clip must be positive and n (start, end) at least 0, got {told}")


def _series(omega: float, clip: float = math.inf) -> Numbers:
    return lambda x, terms: torch.tensor([2.0 * (int(terms) + 1), omega, clip], dtype=torch.float64)


def fda(start: int = 9, end: int = 18, omega: float = 0.1, clip: float = math.inf) -> QuantizerPair:
    """forward hard sign;  backward(x, g) = g s_n'(x), 0 where |x| > clip; `terms` n from start to exactly end.

    omega: angular frequency, per unit of x; the first zero of the slope is at pi / (2(n+1) omega), so it belongs to the
    size of x and is worth a sweep. Raises ValueError for numbers out of range.
    """
    _checked("fda", start, end, omega, clip)

    def backward(x: Tensor, grad: Tensor, terms: float) -> Tensor:
        slope = fourier_slope(x, int(terms), omega)
        return grad * (slope if clip == math.inf else torch.where(x.abs() <= clip, slope, torch.zeros_like(slope)))

    return QuantizerPair(
        hard_sign, NativeBackward(backward, FOURIER, _series(omega, clip)), {"terms": whole_steps(start, end)}
    )


def fda_plus(start: int = 9, end: int = 18, omega: float = 0.1) -> QuantizerPair:
    """FDA repaired: forward(x) = s_n(x) with the same backward, its true derivative; hard sign in eval."""
    _checked("fda_plus", start, end, omega, 1.0)
    return QuantizerPair(
        lambda x, terms: fourier_value(x, int(terms), omega),
        NativeBackward(lambda x, grad, terms: grad * fourier_slope(x, int(terms), omega), FOURIER, _series(omega)),
        {"terms": whole_steps(start, end)},
    )
