"""Passes over the numbers of sign layers in the native training library: operators bitwright::sign_*.

Each takes one pass where plain PyTorch takes three to fifteen. float32 on the CPU, numbers without gaps in memory; what
a pass computes is said in native/train/bw_train.h.
"""

import ctypes
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

from .native_library import OPERATORS, library_path, open_functions, parallel

SIGN, WINDOW, TENT, FOURIER, MOMENTS, PRELU, PRELU_BACK = range(7)
CHUNK, CHUNK_ROWS, WIDTH = 4096, 256, 16
SHORTCUTS = ("none", "linear", "sine")
SMALL = 4096  # fewer numbers are left to PyTorch: the call itself takes longer
A_THREAD = 32768  # numbers at least


class Pass(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("kind", "n", "n_threads")),
        *((name, ctypes.c_void_p) for name in ("x", "grad", "y", "numbers", "sums", "parallel")),
    ]


class _Noise(ctypes.Structure):
    _fields_ = [
        ("pass_", Pass),
        *((name, ctypes.c_int64) for name in ("n_features", "width", "shortcut")),
        *((name, ctypes.c_void_p) for name in ("down", "up")),
        *((name, ctypes.c_float) for name in ("alpha", "a")),
        ("sums", ctypes.c_void_p),
    ]


class _Rprelu(ctypes.Structure):
    _fields_ = [
        ("pass_", Pass),
        ("n_features", ctypes.c_int64),
        ("vectors", ctypes.c_void_p),
        ("sums", ctypes.c_void_p),
    ]


SIGNATURES = {
    "bw_train_run_pass": (None, [ctypes.POINTER(Pass)]),
    "bw_train_noise": (None, [ctypes.POINTER(_Noise), ctypes.c_int]),
    "bw_train_rprelu": (None, [ctypes.POINTER(_Rprelu), ctypes.c_int]),
}


@cache
def _library() -> ctypes.CDLL | None:
    return open_functions(library_path(), SIGNATURES)


def available() -> bool:
    """Whether the library is there, with these passes."""
    return _library() is not None


def _library_here() -> ctypes.CDLL:
    found = _library()
    assert found is not None, "ask takes() first"
    return found


def dense(x: Tensor) -> bool:
    """Whether x's numbers lie one after the other, channels first or last."""
    return x.is_contiguous() or (x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last))


def takes(x: Tensor, *others: Tensor) -> bool:
    """Whether the library computes with these: it is there, they are float32 on the CPU, x is dense, and nobody wants
    derivatives through the pass itself (a backward pass that is to be differentiated again) or its graph."""
    if not SMALL <= x.numel() > 0 or not dense(x) or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return False
    wanted = torch.is_grad_enabled() and any(t.requires_grad for t in (x, *others))
    plain = all(type(t) in (Tensor, nn.Parameter) for t in (x, *others))  # no shards, no fakes
    fit = all(t.dtype == torch.float32 and t.device.type == "cpu" for t in (x, *others))
    return plain and fit and not wanted and available()


def features_last(x: Tensor, features: int) -> bool:
    """Whether there are so many numbers along axis 1, one after the other: rows, or images with channels last."""
    if x.dim() < 2 or x.shape[1] != features:
        return False
    if x.dim() == 4:
        return x.is_contiguous(memory_format=torch.channels_last)
    return x.dim() == 2 and x.is_contiguous()


def laid_out_as(x: Tensor, grad: Tensor) -> Tensor:
    """grad in the order of x's memory, copied where it has another."""
    return grad if grad.stride() == x.stride() else torch.empty_like(x).copy_(grad)


def again(y: Tensor, inputs: Sequence[Tensor], grad: Tensor) -> list[Tensor | None]:
    """Gradients of y, computed by what a pass means, that can be differentiated again; None where none is wanted."""
    found = iter(torch.autograd.grad(y, [t for t in inputs if t.requires_grad], grad, create_graph=True))
    return [next(found) if t.requires_grad else None for t in inputs]


def _at(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def pass_over(kind: int, n: int, numel: int, **places: Tensor | None) -> Pass:
    threads = min(torch.get_num_threads(), max(1, numel // A_THREAD))
    at = {name: _at(tensor) for name, tensor in places.items()}
    return Pass(kind=kind, n=n, n_threads=threads, parallel=parallel(), **at)


def _pass(x: Tensor, grad: Tensor | None, numbers: Tensor | None, kind: int) -> tuple[Tensor, Tensor]:
    n_chunks = -(-x.numel() // CHUNK) if kind in (MOMENTS, PRELU_BACK) else 0
    y = x.new_empty(0) if kind == MOMENTS else torch.empty_like(x)
    sums = x.new_empty((n_chunks, 2), dtype=torch.float64)
    job = pass_over(kind, x.numel(), x.numel(), x=x, grad=grad, y=y, numbers=numbers, sums=sums)
    _library_here().bw_train_run_pass(ctypes.byref(job))
    return y, sums


def _noise_job(x: Tensor, grad: Tensor | None, y: Tensor, down: Tensor, up: Tensor, numbers: Tensor | None, kind: int,
               shortcut: int, alpha: float, a: float) -> _Noise:  # fmt: skip
    width, features = down.shape
    job = pass_over(kind, x.numel() // features, x.numel(), x=x, grad=grad, y=y, numbers=numbers)
    return _Noise(pass_=job, n_features=features, width=width, shortcut=shortcut, down=_at(down), up=_at(up),
                  alpha=alpha, a=a)  # fmt: skip


def _noise(x: Tensor, down: Tensor, up: Tensor, shortcut: int, alpha: float, a: float) -> Tensor:
    y = torch.empty_like(x)
    job = _noise_job(x, None, y, down, up, None, SIGN, shortcut, alpha, a)
    _library_here().bw_train_noise(ctypes.byref(job), 0)
    return y


def _noise_back(grad: Tensor, x: Tensor, down: Tensor, up: Tensor, numbers: Tensor | None, kind: int, shortcut: int,
                alpha: float, a: float) -> tuple[Tensor, Tensor]:  # fmt: skip
    y, rows = torch.empty_like(x), x.numel() // down.shape[1]
    sums = x.new_empty((-(-rows // CHUNK_ROWS), 2, *down.shape))
    job = _noise_job(x, grad, y, down, up, numbers, kind, shortcut, alpha, a)
    job.sums = sums.data_ptr()
    _library_here().bw_train_noise(ctypes.byref(job), 1)
    return y, sums.sum(0)


def _rprelu(x: Tensor, grad: Tensor | None, vectors: Tensor) -> tuple[Tensor, Tensor]:
    y, rows = torch.empty_like(x), x.numel() // vectors.shape[1]
    sums = x.new_empty((0 if grad is None else -(-rows // CHUNK_ROWS), *vectors.shape))
    job = _Rprelu(pass_over(SIGN, rows, x.numel(), x=x, grad=grad, y=y), vectors.shape[1], _at(vectors), _at(sums))
    _library_here().bw_train_rprelu(ctypes.byref(job), grad is not None)
    return y, sums.sum(0)


_NOISE = "int shortcut, float alpha, float a"
for _schema, _function in {
    "sign_pass(Tensor x, Tensor? grad, Tensor? numbers, int kind) -> (Tensor, Tensor)": _pass,
    f"sign_noise(Tensor x, Tensor down, Tensor up, {_NOISE}) -> Tensor": _noise,
    f"sign_noise_back(Tensor grad, Tensor x, Tensor down, Tensor up, Tensor? numbers, int kind, {_NOISE})"
    " -> (Tensor, Tensor)": _noise_back,
    "sign_rprelu(Tensor x, Tensor? grad, Tensor vectors) -> (Tensor, Tensor)": _rprelu,
}.items():
    OPERATORS.define(_schema)
    OPERATORS.impl(_schema.split("(")[0], _function, "CPU")

sign_pass = torch.ops.bitwright.sign_pass
sign_noise = torch.ops.bitwright.sign_noise
sign_noise_back = torch.ops.bitwright.sign_noise_back


def variance(x: Tensor) -> Tensor:
    """The variance of all of x, over n: a float64 number, never read."""
    sums = sign_pass(x.detach(), None, None, MOMENTS)[1]
    means, squares = sums.unbind(1)
    counts = torch.full_like(means, CHUNK)
    counts[-1] = x.numel() - CHUNK * (len(means) - 1)
    mean = (means * counts).sum() / x.numel()
    return (squares + counts * (means - mean).square()).sum() / x.numel()
