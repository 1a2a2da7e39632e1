"""Layers of two-input gates in a row, and group sums of the last, as one operation of the native training library.

Between the layers nothing is transposed, the order of the gates is worked out once, memory is used again each step.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from . import native_gates
from .gate_order import order_stack

CHUNK = 128  # samples at a time where no gradient is wanted
ROOMS: dict[int, list[Tensor]] = {}  # by size, those nobody uses now


class Remembered:
    """What was computed from index tensors, until they change or move."""

    def __init__(self) -> None:
        self.mark: Any = None
        self.value: Any = None

    def get(self, make: Callable[[], Any], *indices: Tensor) -> Any:
        mark = tuple((index.device, index.data_ptr(), index._version) for index in indices)
        if mark != self.mark:
            self.value, self.mark = make(), mark
        return self.value


class Room:
    """Working memory of one stack, from its forward on as long as somebody may ask for the gradient."""

    def __init__(self, size: int):
        free = ROOMS.setdefault(size, [])
        self.memory = free.pop() if free else torch.empty(size)

    def __del__(self) -> None:
        ROOMS[len(self.memory)].append(self.memory)


class _GateStack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, plan: Tensor, n_groups: int, *learned: Tensor) -> Tensor:
        n_numbers, widths = learned[0].shape[1], [x.shape[1], *map(len, learned)]
        threads, half = torch.get_num_threads(), torch.is_autocast_enabled("cpu")
        ctx.shape = [n_groups, threads, half, n_numbers, *widths]
        ctx.room = Room(native_gates.room_size(len(x), plan, ctx.shape))
        ctx.save_for_backward(plan, *learned)
        return native_gates.gates_stack(x, learned, plan, ctx.shape, ctx.room.memory)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        to_x, (plan, *learned) = ctx.needs_input_grad[0], ctx.saved_tensors
        found = native_gates.gates_stack_back(grads[0], learned, plan, ctx.shape, ctx.room.memory, to_x)
        return found[0] if to_x else None, None, None, *found[1:]


def takes(wiring: Tensor, *values: Tensor) -> bool:
    """Whether gate_stack computes a layer of this wiring with these values."""
    return len(wiring) == 2 and native_gates.takes(*values)


def stack_plan(wirings: Sequence[Tensor], in_features: int, n_groups: int = 0) -> Tensor:
    """int32, the order in which gate_stack computes. wirings: (2, gates) of each layer, indices in range."""
    return torch.from_numpy(order_stack([wiring.numpy() for wiring in wirings], in_features, n_groups))


def gate_stack(x: Tensor, learned: Sequence[Tensor], plan: Tensor, n_groups: int = 0) -> Tensor:
    """x: (batch, in_features) in [0, 1], of any strides -> (batch, gates of the last layer), or, with n_groups,
    (batch, n_groups): sums of that many equal, contiguous parts of them.

    learned: for each layer truth tables (gates, 4), or for each logits (gates, 16), whose softmax weighs the 16 tables.
    plan: stack_plan of the layers' wirings and n_groups. Without groups the result is feature-major in memory. float32,
    CPU; `takes` says whether it can be called. Under autocast signals between layers are kept in 16 bits: float16, and
    their gradients bfloat16.
    """
    if torch.is_grad_enabled() or len(x) <= CHUNK:
        return _GateStack.apply(x, plan, n_groups, *learned)  # type: ignore[return-value]
    parts = [_GateStack.apply(part, plan, n_groups, *learned) for part in x.split(CHUNK)]
    return torch.cat(parts)  # type: ignore[arg-type]
