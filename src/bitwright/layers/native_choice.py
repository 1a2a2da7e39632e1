"""Two-input gates whose connections choose among candidates, in the native training library: operators
bitwright::choose*. What the numbers mean is said in native/train/bw_train.h.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor

from . import native_gates

LANES, CANDIDATES = 16, 64


class _Choice(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("n_gates", "n_candidates", "n_rows", "bits")),
        ("candidates", ctypes.c_void_p),
    ]


def takes(candidates: Tensor, *values: Tensor) -> bool:
    """Whether the library computes with these: it is there, they are float32 on the CPU, K is not too large."""
    return candidates.shape[1] <= CANDIDATES and native_gates.takes(*values)


def _arguments(x: Tensor, candidates: Tensor, *tensors: Tensor | None) -> list[Any]:
    bits = x.dtype == torch.uint8
    n_rows = x.shape[1] // (2 if bits else LANES)
    choice = _Choice(len(candidates) // 2, candidates.shape[1], n_rows, bits, candidates.data_ptr())
    return [ctypes.byref(choice), *(None if t is None else _at(t) for t in tensors)]


def _choose(x: Tensor, weights: Tensor, tables: Tensor, candidates: Tensor) -> Tensor:
    y = tables.new_empty(len(tables), x.shape[1] * (8 if x.dtype == torch.uint8 else 1))
    native_gates.library().bw_train_choose(*_arguments(x, candidates, weights, tables, x, y))
    return y


def _choose_back(
    grad: Tensor, x: Tensor, weights: Tensor, tables: Tensor, candidates: Tensor, to_x: bool
) -> list[Tensor]:
    found = [torch.empty_like(weights), torch.empty_like(tables), torch.zeros_like(x) if to_x else x.new_empty(0)]
    places = [*found[:2], found[2] if to_x else None]
    native_gates.library().bw_train_choose_back(*_arguments(x, candidates, weights, tables, x, grad, *places))
    return found


for _schema, _function in {
    "choose(Tensor x, Tensor weights, Tensor tables, Tensor candidates) -> Tensor": _choose,
    "choose_back(Tensor grad, Tensor x, Tensor weights, Tensor tables, Tensor candidates, bool to_x) -> Tensor[]":
        _choose_back,
}.items():  # fmt: skip
    native_gates.OPERATORS.define(_schema)
    native_gates.OPERATORS.impl(_schema.split("(")[0], _function, "CPU")


class _Choose(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor, tables: Tensor, candidates: Tensor) -> Tensor:
        ctx.save_for_backward(x, weights, tables, candidates)
        return torch.ops.bitwright.choose(x, weights, tables, candidates)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        saved, to_x = ctx.saved_tensors, ctx.needs_input_grad[0]
        *found, grad_x = torch.ops.bitwright.choose_back(grads[0].contiguous(), *saved, to_x)
        return grad_x if to_x else None, *found, None


def _as_bits(x: Tensor) -> Tensor | None:
    """uint8 (inputs, 2 * rows), a bit for each number, if all of them are 0 or 1."""
    bits = torch.empty(len(x), -(-x.shape[1] // LANES) * (LANES // 8), dtype=torch.uint8)
    array = native_gates.Array.of(x.t())
    taken = native_gates.library().bw_train_read_bits(ctypes.byref(array), x.shape[1], len(x), _at(bits))
    return bits if taken else None


def _at(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


def chosen_gates(x: Tensor, weights: Tensor, tables: Tensor, candidates: Tensor) -> Tensor:
    """x: (inputs, batch); weights: (K, 2 * gates); tables: (gates, 4); candidates: int32 (2 * gates, K), in range ->
    (gates, batch): of each connection the candidates' rows, weighted and added up, then the gate. float32, CPU.
    """
    batch = x.shape[1]
    whole = None if x.requires_grad else _as_bits(x)
    if whole is None:
        whole = x.new_zeros(len(x), -(-batch // LANES) * LANES)  # kernels read whole rows of samples
        whole[:, :batch] = x
    y = _Choose.apply(whole, weights.contiguous(), tables.contiguous(), candidates)
    return y[:, :batch]  # type: ignore[index]
