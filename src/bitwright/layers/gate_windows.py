"""A stack of two-input gates at every window of an image, as one operation of the native training library.

Windows are read where they lie in the image, and worked out again on the way back: nothing is ever unfolded. Images are
feature-major, (channels, height, width, batch), so that a pixel of all samples is a row.
"""

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from . import native_gates
from .gate_stack import Room
from .native_gates import OPERATORS, Array, library, pointers, stack_of

Pair = tuple[int, int]


class _Windows(ctypes.Structure):
    _fields_ = [("n_positions", ctypes.c_int64), *((name, ctypes.c_void_p) for name in ("taps", "x_at", "y_at"))]

    @staticmethod
    def of(places: Tensor, n_positions: int) -> "_Windows":
        end = places.data_ptr() + 8 * len(places)
        return _Windows(n_positions, places.data_ptr(), end - 16 * n_positions, end - 8 * n_positions)


@lru_cache(64)
def window_places(shape: tuple[int, ...], kernel: Pair, stride: Pair) -> tuple[Tensor, Pair]:
    """(taps of a window, what is to be added for each position in the image and in the result), int64, in numbers; and
    how many positions there are, (down, across). shape: of the image, (channels, height, width, batch)."""
    channels, height, width, batch = shape
    pixel = torch.arange(channels * height * width).reshape(channels, height, width) * batch
    taps = pixel[:, : kernel[0], : kernel[1]].reshape(-1)
    corners = pixel[0, : height - kernel[0] + 1 : stride[0], : width - kernel[1] + 1 : stride[1]]
    results = torch.arange(corners.numel()) * batch
    return torch.cat([taps, corners.reshape(-1), results]), (corners.shape[0], corners.shape[1])


def _forward(x: Tensor, learned: list[Tensor], plan: Tensor, places: Tensor, shape: list[int], room: Tensor) -> Tensor:
    n_positions, batch = (len(places) - shape[4]) // 2, x.shape[3]
    learned = [numbers.contiguous() for numbers in learned]
    y, windows = x.new_empty(shape[-1], n_positions, batch), _Windows.of(places, n_positions)
    stack, _alive = stack_of(plan, shape, room, batch, ctypes.addressof(windows))
    from_x, to_y = Array(x.data_ptr(), 1, 0), Array(y.data_ptr(), 1, n_positions * batch)
    library().bw_train_forward(stack, from_x, pointers(learned), to_y)
    return y


def _backward(grad: Tensor, x: Tensor, learned: list[Tensor], plan: Tensor, places: Tensor, shape: list[int],
              room: Tensor, to_x: bool) -> list[Tensor]:  # fmt: skip
    n_positions, batch = (len(places) - shape[4]) // 2, x.shape[3]
    grad, learned = grad.contiguous(), [numbers.contiguous() for numbers in learned]
    grad_learned, grad_x = [torch.empty_like(numbers) for numbers in learned], x.new_zeros(x.shape if to_x else 0)
    windows = _Windows.of(places, n_positions)
    stack, _alive = stack_of(plan, shape, room, batch, ctypes.addressof(windows))
    from_x, from_y = Array(x.data_ptr(), 1, 0), Array(grad.data_ptr(), 1, n_positions * batch)
    wanted = ctypes.byref(Array(grad_x.data_ptr(), 1, 0)) if to_x else None
    library().bw_train_backward(stack, from_x, from_y, pointers(learned), pointers(grad_learned), wanted)
    return [grad_x, *grad_learned]


# shape: as in gates_stack. gates_windows_back gives grad_x, empty unless to_x, and the others.
_STACK = "Tensor[] learned, Tensor plan, Tensor places, int[] shape, Tensor(a!) room"
for _schema, _function in {
    f"gates_windows(Tensor x, {_STACK}) -> Tensor": _forward,
    f"gates_windows_back(Tensor grad, Tensor x, {_STACK}, bool to_x) -> Tensor[]": _backward,
}.items():
    OPERATORS.define(_schema)
    OPERATORS.impl(_schema.split("(")[0], _function, "CPU")


class _GateWindows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, plan: Tensor, places: Tensor, n_inputs: int, *learned: Tensor) -> Tensor:
        n_numbers, widths = learned[0].shape[1], map(len, learned)
        threads, half = torch.get_num_threads(), torch.is_autocast_enabled("cpu")
        ctx.shape = [0, threads, half, n_numbers, n_inputs, *widths]
        ctx.save_for_backward(x, plan, places, *learned)
        ctx.room = Room(native_gates.room_size(x.shape[3], plan, ctx.shape, windows=1))
        return torch.ops.bitwright.gates_windows(x, learned, plan, places, ctx.shape, ctx.room.memory)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        to_x, (x, plan, places, *learned) = ctx.needs_input_grad[0], ctx.saved_tensors
        back = torch.ops.bitwright.gates_windows_back
        found = back(grads[0], x, learned, plan, places, ctx.shape, ctx.room.memory, to_x)
        return found[0] if to_x else None, None, None, None, *found[1:]


def gate_windows(x: Tensor, learned: Sequence[Tensor], plan: Tensor, kernel: Pair, stride: Pair) -> Tensor:
    """x: (channels, height, width, batch) in [0, 1], contiguous, padded -> (gates of the last layer, height', width',
    batch), contiguous.

    learned, plan: as in gate_stack; the inputs are the pixels of a window, (channels, kernel height, kernel width).
    Under autocast a window's signals have 16 bits. float32, CPU; gate_stack's `takes` says whether it can be called.
    """
    places, (down, across) = window_places(tuple(x.shape), kernel, stride)
    y = _GateWindows.apply(x, plan, places, len(places) - 2 * down * across, *learned)
    return y.unflatten(1, (down, across))  # type: ignore[union-attr]
