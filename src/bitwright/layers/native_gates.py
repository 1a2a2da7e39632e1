"""Two-input gates in the native training library, registered with torch as operators bitwright::gates_*.

The library is `bitwright/native/libbw_train.so`, built at installation, or what BITWRIGHT_NATIVE_TRAIN names; without
it `available()` is False and gates.py computes everything. float32 on the CPU; what the numbers mean is said in
native/train/bw_train.h.
"""

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

ABI = 3
OPERATORS = torch.library.Library("bitwright", "FRAGMENT")


class _Stack(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("n_layers", "batch", "n_groups", "n_threads", "half", "n_numbers")),
        *((name, ctypes.c_void_p) for name in ("widths", "slots", "gates", "gates_back", "room")),
    ]


class _Array(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("to_sample", ctypes.c_int64), ("to_feature", ctypes.c_int64)]

    @staticmethod
    def of(x: Tensor) -> "_Array":
        return _Array(x.data_ptr(), *x.stride())


def library_path() -> Path:
    """Where the training library is looked for."""
    named = os.environ.get("BITWRIGHT_NATIVE_TRAIN")
    return Path(named or Path(__file__).parents[1] / "native" / "libbw_train.so")


def open_library(path: str | Path) -> ctypes.CDLL | None:
    """The training library at `path`; None if it is not built, of another machine or of another version."""
    stack, array, numbers = ctypes.POINTER(_Stack), ctypes.POINTER(_Array), ctypes.POINTER(ctypes.c_void_p)
    signatures = {
        "bw_train_room": (ctypes.c_int64, [stack]),
        "bw_train_forward": (None, [stack, array, numbers, array]),
        "bw_train_backward": (None, [stack, array, numbers, array]),
        "bw_train_choose": (None, [ctypes.c_void_p] * 5),
        "bw_train_choose_back": (None, [ctypes.c_void_p] * 8),
    }
    try:
        opened = ctypes.CDLL(str(path))
        if opened.bw_train_abi() != ABI:
            return None
        for name, (result, arguments) in signatures.items():
            function = getattr(opened, name)
            function.restype, function.argtypes = result, arguments
        return opened
    except (OSError, AttributeError):
        return None


@cache
def _library() -> ctypes.CDLL | None:
    return open_library(library_path())


def available() -> bool:
    """Whether the library is there and of this version."""
    return _library() is not None


def takes(*values: Tensor) -> bool:
    """Whether the library computes with these: it is there, and they are float32 on the CPU."""
    return available() and all(v.dtype == torch.float32 and v.device.type == "cpu" for v in values)


def room_size(batch: int, widths: Sequence[int], n_groups: int, n_threads: int, n_numbers: int) -> int:
    """How many floats of room a stack needs."""
    n_layers, counts = len(widths) - 1, (ctypes.c_int64 * len(widths))(*widths)
    return library().bw_train_room(_Stack(n_layers, batch, n_groups, n_threads, 0, n_numbers, ctypes.addressof(counts)))


def _pointers(tensors: Sequence[Tensor]) -> ctypes.Array:
    return (ctypes.c_void_p * len(tensors))(*[tensor.data_ptr() for tensor in tensors])


def _stack(plan: Tensor, shape: list[int], room: Tensor, batch: int):
    n_groups, n_threads, half, n_numbers, *widths = shape
    counts = (ctypes.c_int64 * len(widths))(*widths)  # to be kept alive by the caller
    there = plan.data_ptr() + 4 * widths[0]
    back = there + 16 * sum(widths[1:])
    places = (ctypes.addressof(counts), plan.data_ptr(), there, back, room.data_ptr())
    return _Stack(len(widths) - 1, batch, n_groups, n_threads, half, n_numbers, *places), counts


def _forward(x: Tensor, learned: list[Tensor], plan: Tensor, shape: list[int], room: Tensor) -> Tensor:
    batch, n_groups, last = len(x), shape[0], shape[-1]
    learned = [numbers.contiguous() for numbers in learned]
    y = x.new_empty(batch, n_groups) if n_groups else x.new_empty(last, batch).t()
    stack, _alive = _stack(plan, shape, room, batch)
    library().bw_train_forward(stack, _Array.of(x), _pointers(learned), _Array.of(y))
    return y


def _backward(grad: Tensor, plan: Tensor, shape: list[int], room: Tensor, to_x: bool) -> list[Tensor]:
    batch, n_numbers, widths = len(grad), shape[3], shape[4:]
    grad_learned = [grad.new_empty(width, n_numbers) for width in widths[1:]]
    grad_x = grad.new_empty(widths[0], batch if to_x else 0).t()
    stack, _alive = _stack(plan, shape, room, batch)
    wanted = ctypes.byref(_Array.of(grad_x)) if to_x else None
    library().bw_train_backward(stack, _Array.of(grad), _pointers(grad_learned), wanted)
    return [grad_x, *grad_learned]


def library() -> ctypes.CDLL:
    """The open library, whose presence `available()` has said."""
    found = _library()
    assert found is not None, "ask available() first"
    return found


# shape: n_groups, n_threads, half, n_numbers, widths. gates_stack_back gives grad_x, empty unless to_x, and the others.
for _schema, _function in {
    "gates_stack(Tensor x, Tensor[] learned, Tensor plan, int[] shape, Tensor(a!) room) -> Tensor": _forward,
    "gates_stack_back(Tensor grad, Tensor plan, int[] shape, Tensor(a!) room, bool to_x) -> Tensor[]": _backward,
}.items():
    OPERATORS.define(_schema)
    OPERATORS.impl(_schema.split("(")[0], _function, "CPU")

gates_stack = torch.ops.bitwright.gates_stack
gates_stack_back = torch.ops.bitwright.gates_stack_back
