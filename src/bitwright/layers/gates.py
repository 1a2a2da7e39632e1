"""Relaxed logic gates in plain PyTorch: the specification of the fast kernels, and what runs where there are none.

A gate with truth table w reads x in [0, 1] as probabilities of independent bits:
y = sum over addresses of w[address] * product of x_j or 1 - x_j. Two inputs need four coefficients,
y = c0 + ca a + cb b + cab ab; more inputs are folded one by one. Values are feature-major, (features, batch), so that
every gate reads whole rows.
"""

from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

Plan = tuple[Tensor, Tensor]


def scatter_plan(wiring: Tensor, in_features: int) -> Plan:
    """For each input, who reads it: (order, offsets), int32.

    order: connections, places in wiring.flatten(), sorted by input; those of input i begin at offsets[i], and
    offsets[in_features] is their number.
    """
    flat = wiring.reshape(-1).long()
    readers = torch.bincount(flat, minlength=in_features)
    offsets = torch.cat([readers.new_zeros(1), readers.cumsum(0)])
    return torch.argsort(flat, stable=True).int(), offsets.int()


def gather_sum(rows: Tensor, plan: Plan) -> Tensor:
    """rows: (connections, batch) -> (inputs, batch): every input sums the rows of its readers, in a fixed order."""
    order, offsets = plan
    if rows.shape[1] == 0:  # embedding_bag refuses rows without values
        return rows.new_zeros(len(offsets) - 1, 0)
    return F.embedding_bag(order, rows, offsets, mode="sum", include_last_offset=True)


def two_input_coefficients(table: Tensor) -> tuple[Tensor, ...]:
    """table: (gates, 4), entries 00, 01, 10, 11 -> c0, ca, cb, cab, each (gates, 1)."""
    w00, w01, w10, w11 = table[:, 0:1], table[:, 1:2], table[:, 2:3], table[:, 3:4]
    return w00, w10 - w00, w01 - w00, w11 - w10 - w01 + w00


class _TwoInputs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, table: Tensor, wiring: Tensor, order: Tensor, offsets: Tensor) -> Tensor:
        ctx.save_for_backward(x, table, wiring, order, offsets)
        c0, ca, cb, cab = two_input_coefficients(table)
        a, b = x.index_select(0, wiring[0]), x.index_select(0, wiring[1])
        slope = torch.addcmul(cb, cab, a)
        return torch.addcmul(c0, ca, a).addcmul_(b, slope)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        x, table, wiring, order, offsets = ctx.saved_tensors
        g = grads[0].contiguous()
        a, b = x.index_select(0, wiring[0]), x.index_select(0, wiring[1])
        grad_x = grad_table = None
        if ctx.needs_input_grad[0]:
            _, ca, cb, cab = two_input_coefficients(table)
            both = g.new_empty(2 * len(g), g.shape[1])
            torch.mul(torch.addcmul(ca, cab, b), g, out=both[: len(g)])
            torch.mul(torch.addcmul(cb, cab, a), g, out=both[len(g) :])
            grad_x = gather_sum(both, (order, offsets))
        if ctx.needs_input_grad[1]:
            ga = g * a
            s0, sa, sb, sab = g.sum(1), ga.sum(1), torch.linalg.vecdot(g, b), torch.linalg.vecdot(ga, b)
            grad_table = torch.stack([s0 - sa - sb + sab, sb - sab, sa - sab, sab], 1)
        return grad_x, grad_table, None, None, None


class _Folded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, table: Tensor, wiring: Tensor, order: Tensor, offsets: Tensor) -> Tensor:
        ctx.save_for_backward(x, table, wiring, order, offsets)
        return _fold(x, table, wiring)[-1][:, 0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        x, table, wiring, order, offsets = ctx.saved_tensors
        levels, g = _fold(x, table, wiring), grads[0][:, None]
        inputs = [x.index_select(0, wires)[:, None] for wires in wiring]
        to_inputs: list[Tensor] = []
        for level, bit in zip(reversed(levels[:-1]), reversed(inputs), strict=True):
            low, high = level.chunk(2, 1)
            to_inputs.insert(0, (g * (high - low)).sum(1))
            g = torch.cat([g * (1 - bit), g * bit], 1)
        return gather_sum(torch.cat(to_inputs), (order, offsets)), g.sum(2), None, None, None


def _fold(x: Tensor, table: Tensor, wiring: Tensor) -> list[Tensor]:
    """The table with more and more inputs put in: (gates, 2^k, 1), (gates, 2^(k-1), batch), ..., (gates, 1, batch)."""
    levels = [table[:, :, None]]
    for wires in wiring:
        bit = x.index_select(0, wires)[:, None]
        low, high = levels[-1].chunk(2, 1)
        levels.append(low + bit * (high - low))
    return levels


@cache
def gpu_kernels() -> ModuleType | None:
    """triton_gates.py, if Triton can be imported: torch's CUDA builds bring it, others do not."""
    if find_spec("triton") is None:
        return None
    try:
        from . import triton_gates
    except ImportError:  # it is there, and not for this Python or this torch
        return None
    return triton_gates


def relaxed_gates(x: Tensor, table: Tensor, wiring: Tensor, plan: Plan | None = None) -> Tensor:
    """x: (inputs, batch) in [0, 1]; table: (gates, 2^k); wiring: (k, gates), integers -> (gates, batch).

    On bits and tables of 0 and 1 the result is 0 or 1, exactly. plan: scatter_plan(wiring, inputs), if at hand.
    Two inputs on a GPU go to triton_gates.py where there is Triton.
    """
    order, offsets = scatter_plan(wiring, len(x)) if plan is None else plan
    if x.is_cuda and len(wiring) == 2 and (kernels := gpu_kernels()) is not None and kernels.takes(x, table):
        return kernels.gates(x, table, wiring, order, offsets)
    function = _TwoInputs if len(wiring) == 2 else _Folded
    return function.apply(x, table, wiring, order, offsets)  # type: ignore[return-value]
