"""How calls of functions and tensor methods in a forward say themselves in a Program: sums, products, shapes, pools."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from bitwright.freeze import stream as streams
from bitwright.freeze.stream import Stream
from bitwright.ir import ProgramError, lower


def _add(a: Any, b: Any, alpha: float = 1) -> Any:
    if isinstance(a, Stream) and isinstance(b, Stream):
        if alpha != 1:
            raise ProgramError("add with alpha; scale the second value by a layer")
        return a.plus(b)
    x, number = (a, float(b)) if isinstance(a, Stream) else (b, float(a))
    return x.shift(number)


def _subtract(a: Any, b: Any) -> Any:
    if not isinstance(a, Stream) or isinstance(b, Stream):
        raise ProgramError("a difference of two values; negate one by a layer and add")
    return a.shift(-b)


def _multiply(a: Any, b: Any) -> Any:
    if isinstance(a, Stream) and isinstance(b, Stream):
        raise ProgramError("a product of two values; a Program multiplies by constants only")
    x, number = (a, float(b)) if isinstance(a, Stream) else (b, float(a))
    return x.scale(number)


def _divide(a: Any, b: Any) -> Any:
    if isinstance(b, Stream):
        raise ProgramError("a division by a value; a Program divides by constants only")
    return a.affine(lambda v: v / b, 1 / b)


def _cat(values: list[Stream], dim: int = 0, axis: int | None = None) -> Stream:
    if (dim if axis is None else axis) != 1:
        raise ProgramError("a concatenation along another axis than channels (dim=1)")
    return streams.concat(values)


def _flatten(x: Stream, start_dim: int = 0, end_dim: int = -1) -> Stream:
    if start_dim != 1 or end_dim not in (-1, len(x.shape)):
        raise ProgramError(f"flatten({start_dim}, {end_dim}); only everything behind the batch axis: flatten(x, 1)")
    return x.reshape((x.value.type.n_values,))


class _BatchSize:
    """Stands for x.shape[0] and x.size(0) in a view."""


class _Shape:
    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape

    def __getitem__(self, i: int) -> Any:
        return _BatchSize() if i == 0 else (_BatchSize(), *self.shape)[i]


def _getattr(x: Any, name: str) -> Any:
    if name != "shape":
        raise ProgramError(f"reads .{name} of a value; only .shape is possible")
    return _Shape(x.shape)


def _size(x: Stream, dim: int | None = None) -> Any:
    return _Shape(x.shape) if dim is None else _Shape(x.shape)[dim]


def _view(x: Stream, *shape: Any) -> Stream:
    sizes = list(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else list(shape)
    if not sizes or (sizes[0] != -1 and not isinstance(sizes[0], _BatchSize)) or len(sizes) not in (2, 4):
        raise ProgramError(f"view{tuple(shape)}; write x.view(x.size(0), -1) or x.view(-1, C, H, W)")
    rest, n_values = [int(s) for s in sizes[1:]], x.value.type.n_values
    if rest.count(-1) == 1:
        known = -int(np.prod(rest))
        rest[rest.index(-1)] = n_values // max(known, 1)
    return x.reshape(tuple(rest))


def _relu(x: Stream, inplace: bool = False) -> Stream:
    return x.clamp(0.0, float("inf"))


def _hardtanh(x: Stream, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Stream:
    return lower(nn.Hardtanh(min_val, max_val), x)


def _max_pool2d(x: Stream, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if return_indices:
        raise ProgramError("max_pool2d with return_indices; a Program has values only")
    return lower(nn.MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode), x)


def _avg_pool2d(
    x: Stream, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
) -> Stream:
    return lower(nn.AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override), x)


def _mean(x: Stream, dim: Any = None, keepdim: bool = False) -> Stream:
    if len(x.shape) != 3 or sorted(d % 4 for d in np.atleast_1d(dim)) != [2, 3]:
        raise ProgramError("mean over other axes than height and width: mean((2, 3))")
    pooled = lower(nn.AdaptiveAvgPool2d(1), x)
    return pooled if keepdim else pooled.reshape(pooled.shape[:1])


def _dropout(x: Stream, p: float = 0.5, training: bool = True, inplace: bool = False) -> Stream:
    if training and p > 0:
        raise ProgramError("a dropout that drops in eval mode too; write F.dropout(x, p, self.training), or nn.Dropout")
    return x


def _same(x: Stream, *args: Any, **kwargs: Any) -> Stream:
    return x


RULES: dict[str, Callable[..., Any]] = {
    "add": _add, "add_": _add, "sub": _subtract, "mul": _multiply, "div": _divide, "cat": _cat, "flatten": _flatten,
    "view": _view, "reshape": _view, "size": _size, "getattr": _getattr, "getitem": operator.getitem, "relu": _relu,
    "relu_": _relu, "hardtanh": _hardtanh, "max_pool2d": _max_pool2d, "avg_pool2d": _avg_pool2d, "mean": _mean,
    "float": _same, "contiguous": _same, "dropout": _dropout,
}  # fmt: skip

FUNCTIONS: dict[Any, str] = {
    operator.add: "add", operator.iadd: "add", torch.add: "add", operator.sub: "sub", torch.sub: "sub",
    operator.mul: "mul", torch.mul: "mul", operator.truediv: "div", torch.div: "div", torch.cat: "cat",
    torch.concat: "cat", torch.flatten: "flatten", torch.reshape: "reshape", getattr: "getattr",
    operator.getitem: "getitem", torch.relu: "relu", F.relu: "relu", F.hardtanh: "hardtanh",
    F.max_pool2d: "max_pool2d", torch.max_pool2d: "max_pool2d", F.avg_pool2d: "avg_pool2d", torch.mean: "mean",
    F.dropout: "dropout",
}  # fmt: skip
