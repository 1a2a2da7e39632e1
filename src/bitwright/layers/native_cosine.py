"""Cosine layers in the native training library: operators bitwright::cosine*, bitwright::row_moments*.

What the layers are is said in cosine.py. Here neither weights nor patches are normalised: their lengths divide the
products afterwards, in the pass that also takes the arcsine, adds the noise and pools. Plain PyTorch needs some thirty
passes for that.
"""

import ctypes
import math
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..ir.windows import pair
from ..quantizers import native_signs
from ..quantizers.native_library import OPERATORS, library_path, open_functions, parallel
from .angles import arcsine, inverse_length
from .cosine_noise import EmbeddingNoise
from .window_sums import window_sums

SHARE = 16384  # numbers a share of the work
POOL = 16  # pixels of a window
A_THREAD = 32768  # numbers at least


class _Cosine(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("n_images", "height", "width", "n_features")),
        *((name, ctypes.c_int64) for name in ("pool_height", "pool_width", "bands", "n_threads")),
        ("seed", ctypes.c_uint64),
        ("spread", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in ("raw", "inverse", "scale", "bias", "y", "place", "grad")),
        *((name, ctypes.c_void_p) for name in ("to_raw", "to_inverse", "sums", "parallel")),
    ]


class _Moments(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("n_rows", "n", "n_threads")),
        *((name, ctypes.c_void_p) for name in ("x", "sums", "squares", "to_sums", "to_squares", "to_x", "parallel")),
    ]


SIGNATURES = {
    "bw_train_cosine": (None, [ctypes.POINTER(_Cosine), ctypes.c_int]),
    "bw_train_moments": (None, [ctypes.POINTER(_Moments), ctypes.c_int]),
    "bw_train_rasu": (None, [ctypes.POINTER(native_signs.Pass), ctypes.c_int]),
}


@cache
def library() -> ctypes.CDLL | None:
    """The library, with the passes of this page; None where it is not."""
    return open_functions(library_path(), SIGNATURES)


def available() -> bool:
    """Whether the library is there, with these passes."""
    return library() is not None


def takes(layer: Any, x: Tensor) -> bool:
    """Whether the library computes this cosine layer on x, rows or images: it is there, all is float32 on the CPU and
    not autocast, features come last in memory, and nobody traces or compiles."""
    tall, wide = pool_of(layer)
    if type(layer.noise) is not EmbeddingNoise or not 1 <= tall * wide <= POOL or torch.is_autocast_enabled("cpu"):
        return False
    weight = layer.weight.detach()
    fit = x.dim() in (2, 4) and native_signs.dense(weight) and native_signs.features_last(x, x.shape[1])
    return fit and native_signs.takes(x.detach(), weight, layer.shift.detach()) and available()


def pool_of(layer: Any) -> tuple[int, int]:
    """Height and width of the windows of the max-pool behind a layer."""
    return pair(getattr(layer, "pool", 0) or 1)


def _call(function: str, structure: Any, numel: int, back: bool, **values: Any) -> None:
    found = library()
    assert found is not None, "ask takes() first"
    threads = min(torch.get_num_threads(), max(1, numel // A_THREAD))
    given = {name: value.data_ptr() if isinstance(value, Tensor) else value for name, value in values.items()}
    job = structure(n_threads=threads, parallel=parallel(), **given)
    getattr(found, function)(ctypes.byref(job), back)


def _shape(raw: Tensor, pool: tuple[int, int]) -> dict[str, int]:
    """How raw is cut; rows are one image of width 1."""
    images, height, width = (raw.shape[0], *raw.shape[2:]) if raw.dim() == 4 else (1, raw.shape[0], 1)
    bands = max(1, SHARE // max(1, pool[0] * width * raw.shape[1]))
    return {"n_images": images, "height": height, "width": width, "n_features": raw.shape[1], "bands": bands,
            "pool_height": pool[0], "pool_width": pool[1]}  # fmt: skip


def _rows(raw: Tensor, inverse: Tensor, scale: Tensor, bias: Tensor, tall: int, wide: int, seed: Tensor,
          spread: float) -> tuple[Tensor, Tensor]:  # fmt: skip
    size = (raw.shape[2] // tall, raw.shape[3] // wide) if raw.dim() == 4 else ()
    memory = torch.channels_last if raw.dim() == 4 else torch.contiguous_format
    y = torch.empty((*raw.shape[:2], *size), dtype=raw.dtype, memory_format=memory)
    place = torch.empty_like(y, dtype=torch.uint8) if tall * wide > 1 else y.new_empty(0, dtype=torch.uint8)
    _call("bw_train_cosine", _Cosine, raw.numel(), False, raw=raw, inverse=inverse, scale=scale, bias=bias, y=y,
          place=place if tall * wide > 1 else None, seed=int(seed), spread=spread,
          **_shape(raw, (tall, wide)))  # fmt: skip
    return y, place


def _rows_back(grad: Tensor, place: Tensor, raw: Tensor, inverse: Tensor, scale: Tensor, bias: Tensor, tall: int,
               wide: int) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    shape, window = _shape(raw, (tall, wide)), place if tall * wide > 1 else None
    bands = shape["n_images"] * (shape["height"] // tall)
    to_raw, to_inverse = torch.empty_like(raw), torch.empty_like(inverse)
    sums = raw.new_empty(-(-bands // shape["bands"]), 2, raw.shape[1])
    _call("bw_train_cosine", _Cosine, raw.numel(), True, raw=raw, inverse=inverse, scale=scale, bias=bias, grad=grad,
          place=window, to_raw=to_raw, to_inverse=to_inverse, sums=sums, **shape)  # fmt: skip
    return to_raw, to_inverse, sums.sum(0)


def _moments(x: Tensor, n: int) -> tuple[Tensor, Tensor]:
    sums, squares = (x.new_empty(x.numel() // n) for _ in range(2))
    _call("bw_train_moments", _Moments, x.numel(), False, n_rows=len(sums), n=n, x=x, sums=sums, squares=squares)
    return sums, squares


def _moments_back(x: Tensor, n: int, to_sums: Tensor, to_squares: Tensor) -> Tensor:
    to_x = torch.empty_like(x)
    _call("bw_train_moments", _Moments, x.numel(), True, n_rows=to_sums.numel(), n=n, x=x, to_sums=to_sums,
          to_squares=to_squares, to_x=to_x)  # fmt: skip
    return to_x


_NUMBERS = "Tensor inverse, Tensor scale, Tensor bias, int tall, int wide"
for _schema, _function in {
    f"cosine_rows(Tensor raw, {_NUMBERS}, Tensor seed, float spread) -> (Tensor, Tensor)": _rows,
    f"cosine_rows_back(Tensor grad, Tensor place, Tensor raw, {_NUMBERS}) -> (Tensor, Tensor, Tensor)": _rows_back,
    "row_moments(Tensor x, int n) -> (Tensor, Tensor)": _moments,
    "row_moments_back(Tensor x, int n, Tensor to_sums, Tensor to_squares) -> Tensor": _moments_back,
}.items():
    OPERATORS.define(_schema)
    OPERATORS.impl(_schema.split("(")[0], _function, "CPU")


class _RowMoments(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...]) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x)
        ctx.n = math.prod(x.shape[dim] for dim in dims)
        shape = [1 if dim in dims else size for dim, size in enumerate(x.shape)]
        return tuple(found.view(shape) for found in torch.ops.bitwright.row_moments(x, ctx.n))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        (x,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of this derivative are wanted
            return grads[0] + 2 * x * grads[1], None
        sums, squares = (grad.contiguous() for grad in grads)
        return torch.ops.bitwright.row_moments_back(x, ctx.n, sums, squares), None


class _CosineRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, raw: Tensor, inverse: Tensor, scale: Tensor, bias: Tensor, pool: tuple[int, int],
                seed: Tensor, spread: float) -> Tensor:  # fmt: skip
        y, place = torch.ops.bitwright.cosine_rows(raw, inverse, scale, bias, *pool, seed, spread)
        ctx.save_for_backward(place, raw, inverse, scale, bias)
        ctx.pool = pool
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        place, raw, *inputs = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of this derivative are wanted
            y = _pooled_arcsine(place, raw, *inputs, pool=ctx.pool)
            return *native_signs.again(y, (raw, *inputs), grads[0]), None, None, None
        memory = torch.channels_last if grads[0].dim() == 4 else torch.contiguous_format
        grad = grads[0].contiguous(memory_format=memory)
        to_raw, to_inverse, sums = torch.ops.bitwright.cosine_rows_back(grad, place, raw, *inputs, *ctx.pool)
        return to_raw, to_inverse, *sums.unbind(), None, None, None


def _pooled_arcsine(place: Tensor, raw: Tensor, inverse: Tensor, scale: Tensor, bias: Tensor,
                    pool: tuple[int, int]) -> Tensor:  # fmt: skip
    """What _CosineRows has a gradient of: the arcsine where its windows had their maximum."""
    feature = (1, -1, 1, 1) if raw.dim() == 4 else (1, -1)
    cos = (raw + bias.view(feature)) * scale.view(feature) * inverse
    if place.numel():
        (tall, wide), (height, width) = pool, place.shape[2:]
        windows = cos[..., : height * tall, : width * wide].unflatten(3, (width, wide)).unflatten(2, (height, tall))
        cos = windows.transpose(3, 4).flatten(4).gather(4, place.long().unsqueeze(4)).squeeze(4)
    return arcsine(cos)


def _finished(layer: Any, raw: Tensor, squares: Tensor) -> Tensor:
    """z, with its noise and behind its pool, of the products with layer.weight of what has these squared lengths."""
    noise, pool = layer.noise, pool_of(layer)
    if pool != (1, 1) and (raw.shape[2] < pool[0] or raw.shape[3] < pool[1]):
        return F.max_pool2d(raw, pool)  # which says what is wrong
    sums, lengths = _RowMoments.apply(layer.weight, tuple(range(1, layer.weight.dim())))  # type: ignore[misc]
    bias, scale = (layer.input_shift() * sums).flatten(), inverse_length(lengths).flatten()
    spread = math.sqrt(noise.draw()) if noise.active else 0.0
    seed = torch.randint(2**63 - 1, ()) if noise.active else torch.tensor(0)
    return _CosineRows.apply(raw, inverse_length(squares), scale, bias, pool, seed, spread)  # type: ignore[return-value]


def linear(layer: Any, x: Tensor) -> Tensor:
    """CosineLinear on x (batch, in_features), where `takes` says yes."""
    sums, squares = _RowMoments.apply(x, (1,))  # type: ignore[misc]
    return _finished(layer, F.linear(x, layer.weight), layer.shifted(sums, squares))


def convolution(layer: Any, x: Tensor) -> Tensor:
    """CosineConv2d on x (batch, in, height, width), where `takes` says yes."""
    moments, pad, padding = _RowMoments.apply(x, (1,)), layer.pad_value, layer.padding  # type: ignore[misc]
    if any(padding):
        around, channels = layer._reversed_padding_repeated_twice, x.shape[1]
        outside = channels * pad, channels * pad * pad
        moments = [F.pad(each, around, value=value) for each, value in zip(moments, outside, strict=True)]
        if pad:
            x, padding = F.pad(x, around, value=pad), (0, 0)
    raw = F.conv2d(x, layer.weight, None, layer.stride, padding, layer.dilation)
    size = layer.kernel_size, layer.stride, layer.dilation
    squares = layer.shifted(*(window_sums(each, *size) for each in moments))
    return _finished(layer, raw.contiguous(memory_format=torch.channels_last), squares)
