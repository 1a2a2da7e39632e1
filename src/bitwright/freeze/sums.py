"""Sums of products: the operation for a layer's weights, with the twin that says what it computes in float64."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bitwright.freeze.window import Window
from bitwright.ir import ProgramError, Value

if TYPE_CHECKING:
    from bitwright.freeze.stream import Stream


def _numbers(x: "Stream") -> Callable[[Tensor], Tensor]:
    return (lambda v: 2 * v - 1) if x.is_bits else (lambda v: v)


def _wrapped(total: Tensor, accumulator: str) -> Tensor:
    """What an accumulator keeps of exact sums, float64."""
    if accumulator == "int32":
        return total
    kept = torch.floor(total / 2) if accumulator == "wrap8_half" else total
    return torch.remainder(kept + 128, 256) - 128


def emit_linear(x: "Stream", stored: np.ndarray, weights: np.ndarray, weight_dtype: str, accumulator: str) -> Value:
    """Of a linear layer. stored: as the operation keeps them; weights: the same as numbers, both (N, K)."""
    builder, as_numbers, matrix = x.emitter.builder, _numbers(x), torch.from_numpy(weights.astype(np.float64))
    if x.is_bits and weight_dtype == "bit":
        value = builder.xnor_linear(x.value, stored, accumulator)
    else:
        value = builder.int_linear(x.value, stored, weight_dtype)
    return x.emitter.emit(value, [x.value], lambda v: _wrapped(F.linear(as_numbers(v), matrix), accumulator))


def emit_conv(
    x: "Stream", stored: np.ndarray, weights: np.ndarray, weight_dtype: str, window: Window, pad: int, accumulator: str
) -> Value:
    """As `emit_linear` for a convolution, weights (O, C/groups, kh, kw). pad: the integer outside the image."""
    builder, as_numbers, kernel = x.emitter.builder, _numbers(x), torch.from_numpy(weights.astype(np.float64))
    options = {"stride": window.stride, "padding": window.padding, "dilation": window.dilation}
    options |= {"groups": window.groups, "pad_value": pad}
    if x.is_bits and weight_dtype == "bit":
        value = builder.xnor_conv2d(x.value, stored, accumulator=accumulator, **options)
    else:
        value = builder.int_conv2d(x.value, stored, weight_dtype, **options)
    top, bottom, left, right = window.padding

    def twin(v: Tensor) -> Tensor:
        padded = F.pad(as_numbers(v), (left, right, top, bottom), value=pad)
        total = F.conv2d(padded, kernel, None, window.stride, 0, window.dilation, window.groups)
        return _wrapped(total, accumulator)

    return x.emitter.emit(value, [x.value], twin)


def padding_integer(window: Window, x: "Stream", scale: float) -> int:
    """The window's pad_value in the stream's unit. Raises ProgramError if it is none of its integers."""
    pad = window.pad_value / scale
    if not any(window.padding):
        return 0
    if pad != round(pad) or (x.is_bits and abs(pad) > 1):
        raise ProgramError(f"pad_value {window.pad_value} is no whole number of the input's unit {scale}; use 0")
    return int(pad)
