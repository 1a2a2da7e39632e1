"""How torch's own modules say themselves in a Program: norms, activations, pools, shapes, and real layers kept at 8
bits.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from bitwright.freeze.chain import coefficients
from bitwright.freeze.emitter import Emitter
from bitwright.freeze.stream import Stream
from bitwright.ir import ProgramError, lower
from bitwright.ir.windows import pair
from bitwright.layers import PReLU


@lower.register(nn.Identity)
@lower.register(nn.Dropout)
@lower.register(nn.Dropout1d)
@lower.register(nn.Dropout2d)
def _unchanged(layer: nn.Module, x: Stream) -> Stream:
    return x


@lower.register(_BatchNorm)
def _batch_norm(layer: _BatchNorm, x: Stream) -> Stream:
    mean, variance = layer.running_mean, layer.running_var
    if mean is None or variance is None:
        raise ProgramError("a batch norm without running statistics; build it with track_running_stats=True")
    if layer.num_features != x.shape[0]:
        raise ProgramError(f"a batch norm of {layer.num_features} features on {x.shape[0]} channels")
    weight = coefficients(layer.weight) if layer.affine else np.float64(1)
    bias = coefficients(layer.bias) if layer.affine else np.float64(0)
    a = weight / np.sqrt(coefficients(variance) + layer.eps)
    return x.affine(layer, a, bias - coefficients(mean) * a)


@lower.register(nn.ReLU)
def _relu(layer: nn.ReLU, x: Stream) -> Stream:
    return x.clamp(0.0, float("inf"))


@lower.register(nn.Hardtanh)
def _hardtanh(layer: nn.Hardtanh, x: Stream) -> Stream:
    return x.clamp(float(layer.min_val), float(layer.max_val))


@lower.register(nn.LeakyReLU)
def _leaky_relu(layer: nn.LeakyReLU, x: Stream) -> Stream:
    slope = layer.negative_slope
    return x.two_slopes(lambda v: nn.functional.leaky_relu(v, slope), 1.0, slope)


@lower.register(nn.PReLU)
@lower.register(PReLU)
def _prelu(layer: nn.PReLU, x: Stream) -> Stream:
    slopes = coefficients(layer.weight)
    if slopes.size not in (1, x.shape[0]):
        raise ProgramError(f"a PReLU of {slopes.size} slopes on {x.shape[0]} channels")
    return x.two_slopes(layer, 1.0, slopes if slopes.size > 1 else slopes[0])


@lower.register(nn.Flatten)
def _flatten(layer: nn.Flatten, x: Stream) -> Stream:
    if layer.start_dim != 1 or layer.end_dim not in (-1, len(x.shape)):
        raise ProgramError(
            f"Flatten({layer.start_dim}, {layer.end_dim}); only everything behind the batch axis can be flattened"
        )
    return x.reshape((x.value.type.n_values,))


@lower.register(nn.MaxPool2d)
def _max_pool2d(layer: nn.MaxPool2d, x: Stream) -> Stream:
    _plain_pool(layer)
    if pair(layer.dilation) != (1, 1):
        raise ProgramError(f"MaxPool2d with dilation {layer.dilation}; the Program's pools have none")
    return x.max_pool2d(pair(layer.kernel_size), pair(layer.stride or layer.kernel_size), pair(layer.padding))


@lower.register(nn.AvgPool2d)
def _avg_pool2d(layer: nn.AvgPool2d, x: Stream) -> Stream:
    _plain_pool(layer)
    if layer.divisor_override is not None or (not layer.count_include_pad and pair(layer.padding) != (0, 0)):
        raise ProgramError("AvgPool2d with divisor_override or count_include_pad=False; the divisor must be one number")
    return x.avg_pool2d(pair(layer.kernel_size), pair(layer.stride or layer.kernel_size), pair(layer.padding))


@lower.register(nn.AdaptiveAvgPool2d)
def _global_average(layer: nn.AdaptiveAvgPool2d, x: Stream) -> Stream:
    if layer.output_size not in (1, (1, 1)):
        raise ProgramError(f"AdaptiveAvgPool2d to {layer.output_size}; only 1 (the global average) is possible")
    return x.avg_pool2d(x.shape[1:], x.shape[1:], (0, 0))  # type: ignore[arg-type]


def _plain_pool(layer) -> None:
    if layer.ceil_mode:
        raise ProgramError(f"{type(layer).__name__} with ceil_mode=True; use padding instead")


@lower.register(nn.Linear)
def _linear(layer: nn.Linear, x: Stream) -> Stream:
    x.emitter.note("8-bit weights", "nn.Linear was kept as it is; BinaryLinear or convert() makes it one bit")
    weights, scale = _eight_bits(layer.weight, x.emitter)
    return _after_real(layer, x.sums(weights, "i8"), scale)


@lower.register(nn.Conv2d)
def _conv2d(layer: nn.Conv2d, x: Stream) -> Stream:
    x.emitter.note("8-bit weights", "nn.Conv2d was kept as it is; BinaryConv2d or convert() makes it one bit")
    weights, scale = _eight_bits(layer.weight, x.emitter)
    return _after_real(layer, x.conv2d_sums(layer, weights, "i8", 0.0), scale)


def _eight_bits(weight: torch.Tensor, emitter: Emitter) -> tuple[np.ndarray, np.ndarray]:
    """Integer weights in -127..127 and the real scale of each output, (out,); the emitter hears if that rounded."""
    real = coefficients(weight)
    largest = np.abs(real).reshape(len(real), -1).max(1)
    scale = np.where(largest > 0, largest, 1.0) / 127
    real = real / scale.reshape(-1, *(1,) * (real.ndim - 1))
    integers = np.rint(real)
    emitter.rounded |= not np.allclose(integers, real, rtol=0, atol=1e-5)
    return integers.astype(np.int64), scale


def _after_real(layer, x: Stream, scale: np.ndarray) -> Stream:
    x = x.scale(torch.from_numpy(scale).float())
    return x if layer.bias is None else x.shift(layer.bias)
