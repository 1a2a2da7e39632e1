"""Two-input gates in the native training library, registered with torch as operators bitwright::gates_*.

The library is `bitwright/native/libbw_train.so`, built at installation, or what BITWRIGHT_NATIVE_TRAIN names; without
it `available()` is False and gates.py computes everything. float32 on the CPU; what the numbers mean is said in
native/train/bw_train.h.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ..quantizers.native_library import OPERATORS, library_path, open_functions, parallel


class _Stack(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("n_layers", "batch", "n_groups", "n_threads", "half", "n_numbers")),
        *((name, ctypes.c_void_p) for name in ("widths", "plan", "windows", "room", "parallel")),
    ]


class Array(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("to_sample", ctypes.c_int64), ("to_feature", ctypes.c_int64)]

    @staticmethod
    def of(x: Tensor) -> "Array":
        return Array(x.data_ptr(), *x.stride())


def open_library(path: str | Path) -> ctypes.CDLL | None:
    """The training library at `path`; None if it is not built, of another machine or of another version."""
    stack, array, numbers = ctypes.POINTER(_Stack), ctypes.POINTER(Array), ctypes.POINTER(ctypes.c_void_p)
    signatures = {
        "bw_train_room": (ctypes.c_int64, [stack]),
        "bw_train_forward": (None, [stack, array, numbers, array]),
        "bw_train_backward": (None, [stack, array, array, numbers, numbers, array]),
        "bw_train_choose": (None, [ctypes.c_void_p] * 5),
        "bw_train_choose_back": (None, [ctypes.c_void_p] * 8),
        "bw_train_read_bits": (ctypes.c_int, [array, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]),
    }
    return open_functions(path, signatures)


@cache
def _library() -> ctypes.CDLL | None:
    return open_library(library_path())


def available() -> bool:
    """Whether the library is there and of this version."""
    return _library() is not None


def takes(*values: Tensor) -> bool:
    """Whether the library computes with these: it is there, and they are float32 on the CPU."""
    return available() and all(v.dtype == torch.float32 and v.device.type == "cpu" for v in values)


def room_size(batch: int, plan: Tensor, shape: Sequence[int], windows: int = 0) -> int:
    """How many floats of room a stack needs. plan, shape: as in gates_stack; windows: as in stack_of."""
    stack, _alive = stack_of(plan, shape, None, batch, windows)
    return library().bw_train_room(stack)


def pointers(tensors: Sequence[Tensor]) -> ctypes.Array:
    """Where they lie."""
    return (ctypes.c_void_p * len(tensors))(*[tensor.data_ptr() for tensor in tensors])


def stack_of(plan: Tensor, shape: Sequence[int], room: Tensor | None, batch: int, windows: int = 0):
    """The library's description of a stack, and what must live as long. windows: an address, or 0."""
    n_groups, n_threads, half, n_numbers, *widths = shape
    counts = (ctypes.c_int64 * len(widths))(*widths)  # to be kept alive by the caller
    at = 0 if room is None else room.data_ptr()
    places = (ctypes.addressof(counts), plan.data_ptr(), windows, at, parallel())
    return _Stack(len(widths) - 1, batch, n_groups, n_threads, half, n_numbers, *places), counts


def _forward(x: Tensor, learned: list[Tensor], plan: Tensor, shape: list[int], room: Tensor) -> Tensor:
    batch, n_groups, last = len(x), shape[0], shape[-1]
    learned = [numbers.contiguous() for numbers in learned]
    y = x.new_empty(batch, n_groups) if n_groups else x.new_empty(last, batch).t()
    stack, _alive = stack_of(plan, shape, room, batch)
    library().bw_train_forward(stack, Array.of(x), pointers(learned), Array.of(y))
    return y


def _backward(
    grad: Tensor, learned: list[Tensor], plan: Tensor, shape: list[int], room: Tensor, to_x: bool
) -> list[Tensor]:
    batch, widths = len(grad), shape[4:]
    learned = [numbers.contiguous() for numbers in learned]
    grad_learned = [torch.empty_like(numbers) for numbers in learned]
    grad_x = grad.new_empty(widths[0], batch if to_x else 0).t()
    stack, _alive = stack_of(plan, shape, room, batch)
    wanted = ctypes.byref(Array.of(grad_x)) if to_x else None
    library().bw_train_backward(stack, None, Array.of(grad), pointers(learned), pointers(grad_learned), wanted)
    return [grad_x, *grad_learned]


def library() -> ctypes.CDLL:
    """The open library, whose presence `available()` has said."""
    found = _library()
    assert found is not None, "ask available() first"
    return found


# shape: n_groups, n_threads, half, n_numbers, widths. gates_stack_back gives grad_x, empty unless to_x, and the others.
_STACK = "Tensor[] learned, Tensor plan, int[] shape, Tensor(a!) room"
for _schema, _function in {
    f"gates_stack(Tensor x, {_STACK}) -> Tensor": _forward,
    f"gates_stack_back(Tensor grad, {_STACK}, bool to_x) -> Tensor[]": _backward,
}.items():
    OPERATORS.define(_schema)
    OPERATORS.impl(_schema.split("(")[0], _function, "CPU")

gates_stack = torch.ops.bitwright.gates_stack
gates_stack_back = torch.ops.bitwright.gates_stack_back
