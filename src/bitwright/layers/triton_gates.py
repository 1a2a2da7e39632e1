"""Layers of two-input gates on GPUs: Triton kernels, registered with torch as operators bitwright::gates2*.

The way back is one pass over the gates, which leaves the gradients of both inputs and sums those of the tables, and a
sum over every input's readers; no atomics, so the same numbers each time. gates.py says what they compute and calls
them. This module imports triton, which torch's CUDA builds bring. Run in Triton's interpreter so far and compiled for
GPUs, not yet run nor timed on one: `works` tries the kernels out before their first use.
"""

# Kernels are written in Triton's language, whose types these rules do not know.
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportIndexIssue=false

import warnings
from functools import cache
from typing import Any

import torch
import triton  # type: ignore[import-not-found]
import triton.language as tl  # type: ignore[import-not-found]
from torch import Tensor

from .native_gates import OPERATORS

jit: Any = triton.jit
GATES, SAMPLES = 8, 128  # a block: 1,024 numbers for 4 warps
PART = 32 * SAMPLES  # samples whose table gradients one program adds up
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


@jit
def _tables(table_at, gate, real):
    """Coefficients c0, ca, cb, cab of y = c0 + ca a + cb b + cab ab, a column of the block's gates each."""
    w00 = tl.load(table_at + 4 * gate, mask=real, other=0.0).to(tl.float32)
    w01 = tl.load(table_at + 4 * gate + 1, mask=real, other=0.0).to(tl.float32)
    w10 = tl.load(table_at + 4 * gate + 2, mask=real, other=0.0).to(tl.float32)
    w11 = tl.load(table_at + 4 * gate + 3, mask=real, other=0.0).to(tl.float32)
    return w00, w10 - w00, w01 - w00, w11 - w10 - w01 + w00


@jit
def _inputs(wiring_at, gate, real, n_gates, batch):
    """Where the rows of both inputs begin, in numbers."""
    first = tl.load(wiring_at + gate, mask=real, other=0).to(tl.int64) * batch
    second = tl.load(wiring_at + n_gates + gate, mask=real, other=0).to(tl.int64) * batch
    return first, second


@jit
def _forward(x_at, table_at, wiring_at, y_at, n_gates, batch, GATES: tl.constexpr, SAMPLES: tl.constexpr):
    gate = (tl.program_id(0) * GATES + tl.arange(0, GATES))[:, None]
    sample = (tl.program_id(1) * SAMPLES + tl.arange(0, SAMPLES))[None, :]
    real = gate < n_gates
    here = real & (sample < batch)
    c0, ca, cb, cab = _tables(table_at, gate, real)
    first, second = _inputs(wiring_at, gate, real, n_gates, batch)
    a = tl.load(x_at + first + sample, mask=here, other=0.0).to(tl.float32)
    b = tl.load(x_at + second + sample, mask=here, other=0.0).to(tl.float32)
    y = c0 + ca * a + b * (cb + cab * a)
    tl.store(y_at + gate.to(tl.int64) * batch + sample, y.to(y_at.dtype.element_ty), mask=here)


@jit
def _backward(grad_at, x_at, table_at, wiring_at, to_inputs_at, to_table_at, n_gates, batch,
              TO_X: tl.constexpr, STEPS: tl.constexpr, GATES: tl.constexpr, SAMPLES: tl.constexpr):  # fmt: skip
    """to_inputs: (2, gates, batch), a row for each connection. to_table: float32 (parts, gates, 4)."""
    gate = (tl.program_id(0) * GATES + tl.arange(0, GATES))[:, None]
    real = gate < n_gates
    _, ca, cb, cab = _tables(table_at, gate, real)
    first, second = _inputs(wiring_at, gate, real, n_gates, batch)
    row = gate.to(tl.int64) * batch
    sum_1 = tl.zeros((GATES, SAMPLES), tl.float32)
    sum_a = tl.zeros((GATES, SAMPLES), tl.float32)
    sum_b = tl.zeros((GATES, SAMPLES), tl.float32)
    sum_ab = tl.zeros((GATES, SAMPLES), tl.float32)
    for step in range(STEPS):
        sample = ((tl.program_id(1) * STEPS + step) * SAMPLES + tl.arange(0, SAMPLES))[None, :]
        here = real & (sample < batch)
        g = tl.load(grad_at + row + sample, mask=here, other=0.0).to(tl.float32)
        a = tl.load(x_at + first + sample, mask=here, other=0.0).to(tl.float32)
        b = tl.load(x_at + second + sample, mask=here, other=0.0).to(tl.float32)
        sum_1 += g
        sum_a += g * a
        sum_b += g * b
        sum_ab += g * a * b
        if TO_X:
            kind = to_inputs_at.dtype.element_ty
            tl.store(to_inputs_at + row + sample, (g * (ca + cab * b)).to(kind), mask=here)
            second_row = (gate + n_gates).to(tl.int64) * batch
            tl.store(to_inputs_at + second_row + sample, (g * (cb + cab * a)).to(kind), mask=here)
    s1 = tl.sum(sum_1, 1, keep_dims=True)
    sa = tl.sum(sum_a, 1, keep_dims=True)
    sb = tl.sum(sum_b, 1, keep_dims=True)
    sab = tl.sum(sum_ab, 1, keep_dims=True)
    entry = to_table_at + 4 * (tl.program_id(1) * n_gates + gate).to(tl.int64)
    tl.store(entry, s1 - sa - sb + sab, mask=real)
    tl.store(entry + 1, sb - sab, mask=real)
    tl.store(entry + 2, sa - sab, mask=real)
    tl.store(entry + 3, sab, mask=real)


@jit
def _readers(rows_at, order_at, offsets_at, sums_at, n_inputs, batch, ROWS: tl.constexpr, SAMPLES: tl.constexpr):
    """Of every input the sum of its readers' rows, in the order of scatter_plan."""
    own = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    sample = (tl.program_id(1) * SAMPLES + tl.arange(0, SAMPLES))[None, :]
    real = own < n_inputs
    start = tl.load(offsets_at + own, mask=real, other=0)
    n_readers = tl.load(offsets_at + own + 1, mask=real, other=0) - start
    total = tl.zeros((ROWS, SAMPLES), tl.float32)
    for at in range(tl.max(n_readers)):
        there = real & (at < n_readers)
        row = tl.load(order_at + start + at, mask=there, other=0).to(tl.int64) * batch
        total += tl.load(rows_at + row + sample, mask=there & (sample < batch), other=0.0).to(tl.float32)
    place = own.to(tl.int64) * batch + sample
    tl.store(sums_at + place, total.to(sums_at.dtype.element_ty), mask=real & (sample < batch))


def _blocks(rows: int, samples: int, part: int = SAMPLES) -> tuple[int, int]:
    return triton.cdiv(rows, GATES), triton.cdiv(samples, part)


def _gates(x: Tensor, table: Tensor, wiring: Tensor, order: Tensor, offsets: Tensor) -> Tensor:
    x, n_gates, batch = x.contiguous(), len(table), x.shape[1]
    y = x.new_empty(n_gates, batch)
    with torch.cuda.device_of(x):
        if y.numel():
            _forward[_blocks(n_gates, batch)](
                x, table.contiguous(), wiring.contiguous(), y, n_gates, batch, GATES=GATES, SAMPLES=SAMPLES
            )
    return y


def _gates_back(
    grad: Tensor, x: Tensor, table: Tensor, wiring: Tensor, order: Tensor, offsets: Tensor, to_x: bool
) -> list[Tensor]:
    grad, x, n_gates, batch = grad.contiguous(), x.contiguous(), len(table), x.shape[1]
    to_inputs, grad_x = grad.new_empty(2 * n_gates if to_x else 0, batch), x.new_zeros(x.shape if to_x else 0)
    if grad.numel() == 0:
        return [grad_x, torch.zeros_like(table)]
    blocks = _blocks(n_gates, batch, PART)
    steps = min(PART // SAMPLES, triton.cdiv(batch, SAMPLES))
    to_table = table.new_empty(blocks[1], n_gates, 4, dtype=torch.float32)
    with torch.cuda.device_of(x):
        _backward[blocks](
            grad, x, table.contiguous(), wiring.contiguous(), to_inputs, to_table, n_gates, batch,
            TO_X=to_x, STEPS=steps, GATES=GATES, SAMPLES=SAMPLES,
        )  # fmt: skip
        if to_x:
            _readers[_blocks(len(x), batch)](
                to_inputs, order, offsets, grad_x, len(x), batch, ROWS=GATES, SAMPLES=SAMPLES
            )
    return [grad_x, to_table.sum(0).to(table)]


def _save(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _differentiate(ctx: Any, grad: Tensor):
    to_x = ctx.needs_input_grad[0]
    grad_x, grad_table = torch.ops.bitwright.gates2_back(grad, *ctx.saved_tensors, to_x)
    return grad_x if to_x else None, grad_table, None, None, None


_INPUTS = "Tensor x, Tensor table, Tensor wiring, Tensor order, Tensor offsets"
for _schema, _function in {
    f"gates2({_INPUTS}) -> Tensor": _gates,
    f"gates2_back(Tensor grad, {_INPUTS}, bool to_x) -> Tensor[]": _gates_back,
}.items():
    OPERATORS.define(_schema)
    OPERATORS.impl(_schema.split("(")[0], _function, "CompositeExplicitAutograd")
torch.library.register_autograd("bitwright::gates2", _differentiate, setup_context=_save, lib=OPERATORS)


@torch.library.register_fake("bitwright::gates2", lib=OPERATORS)
def _(x, table, wiring, order, offsets):
    return x.new_empty(len(table), x.shape[1])


@torch.library.register_fake("bitwright::gates2_back", lib=OPERATORS)
def _(grad, x, table, wiring, order, offsets, to_x):
    return [x.new_empty(x.shape if to_x else 0), torch.empty_like(table)]


def gates(x: Tensor, table: Tensor, wiring: Tensor, order: Tensor, offsets: Tensor) -> Tensor:
    """As relaxed_gates with two inputs: x (inputs, batch), table (gates, 4), wiring int32 (2, gates), scatter_plan's
    order and offsets -> (gates, batch) of x's dtype, computed in float32; under autocast x is cast to its 16 bits."""
    if torch.is_autocast_enabled(x.device.type):
        x = x.to(torch.get_autocast_dtype(x.device.type))
    return torch.ops.bitwright.gates2(x, table, wiring.int(), order, offsets)


def takes(x: Tensor, table: Tensor) -> bool:
    """Whether the kernels compute with these: 32 or 16 bits, on a GPU on which they work."""
    return x.is_cuda and x.dtype in DTYPES and table.dtype in DTYPES and works(x.device)


@cache
def works(device: torch.device) -> bool:
    """Whether a small layer gives the right numbers there. If not, a warning says why, and plain PyTorch computes."""
    try:
        error = probe(device)
    except Exception as problem:  # no compiler, an unknown GPU, another Triton: whatever it is, there is another way
        error = f"{type(problem).__name__}: {problem}"
    if error:
        warnings.warn(f"logic gates: plain PyTorch instead of Triton on {device}; {error}", stacklevel=2)
    return not error


def probe(device: torch.device) -> str:
    """What is wrong with the kernels there, "" if nothing: nine gates on five inputs, four samples, by hand."""
    x = torch.tensor([[0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]], dtype=torch.float32)
    wiring = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2, 3], [1, 2, 3, 4, 0, 2, 3, 4, 0]], dtype=torch.int32)
    table = torch.tensor([[gate >> (3 - address) & 1 for address in range(4)] for gate in range(1, 10)]).float()
    flat = wiring.flatten().long()
    order, counts = torch.argsort(flat, stable=True).int(), torch.bincount(flat, minlength=5)
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)]).int()
    address = (2 * x[wiring[0].long()] + x[wiring[1].long()]).long()
    found = [t.to(device) for t in (x, table, wiring, order, offsets)]
    back = _gates_back(torch.ones(9, 4, device=device), *found, to_x=True)
    w00, w01, w10, w11 = (table[:, place : place + 1] for place in range(4))
    a, b = x[wiring[0].long()], x[wiring[1].long()]
    edges = torch.cat([w10 - w00 + (w11 - w10 - w01 + w00) * b, w01 - w00 + (w11 - w10 - w01 + w00) * a])
    wanted = {
        "values": (_gates(*found), table.gather(1, address)),
        "gradients of inputs": (back[0], torch.zeros(5, 4).index_add_(0, flat, edges)),
        "gradients of tables": (back[1], torch.stack([(address == place).float().sum(1) for place in range(4)], 1)),
    }
    wrong = [name for name, (mine, want) in wanted.items() if not torch.equal(mine.cpu(), want)]
    return f"wrong {', '.join(wrong)}" if wrong else ""
