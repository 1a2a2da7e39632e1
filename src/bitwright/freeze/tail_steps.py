"""A Program's operations on real numbers in torch, batch by batch: integers as they are, bits as signs.

Forward each gives the Program's own numbers: a sum whose parts could outgrow float32 is made in float64. Backward a
sign passes its gradient where it is near its threshold, a floor everywhere.
Source: straight-through gradients, Hubara et al. 2016, arXiv:1602.02830.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bitwright.freeze.projection import Projection
from bitwright.ir import Program, ProgramError
from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Op
from bitwright.ir.types import ValueType
from bitwright.quantizers import hard_sign

Step = Callable[..., Tensor]  # the operation's inputs (batch, C) or (batch, C, H, W) -> its value
FLOAT32_HALVES = 1 << 23  # up to here float32 holds every whole number and every half
MATRIX_INPUTS = 64  # projections of up to so many numbers are made as one product


class _Sign(torch.autograd.Function):
    """Signs of x, +1 for 0; the gradient goes through where |x| <= reach, divided by it."""

    @staticmethod
    def forward(ctx, x: Tensor, reach: float) -> Tensor:
        ctx.reach = max(reach, 1e-9)
        ctx.save_for_backward(x.abs() <= ctx.reach)
        return hard_sign(x)

    @staticmethod
    def backward(ctx, *grads: Tensor):
        (near,) = ctx.saved_tensors
        return grads[0] * near / ctx.reach, None


def weight_signs(latent: Tensor) -> Tensor:
    """+1 where latent >= 0, else -1, the gradient passing where |latent| <= 1."""
    return _Sign.apply(latent, 1.0)  # type: ignore[return-value]


def over_channels(x: Tensor, rows: Tensor) -> Tensor:
    """rows (O, C) times the channels of x (batch, C) or (batch, C, H, W), at every place."""
    return (x.movedim(1, -1) @ rows.T).movedim(-1, 1)


def step_of(program: Program, number: int, reach: float) -> Step:
    """The operation that makes value `number`. reach: a sign passes its gradient up to so many standard deviations.

    Raises ProgramError for an operation that has no such form, which no G-Net's last layers have.
    """
    op = program.ops[number]
    if op.name not in STEPS:
        raise ProgramError(
            f"{op.name} (operation {number}) stands between the layers that are trained, and has no gradient here; "
            "train fewer layers"
        )
    return STEPS[op.name](program, number, op, reach)


def _product(program: Program, number: int, op: Op, reach: float) -> Step:
    w, taken, made = op.consts["w"], program.types[op.inputs[0]], program.types[number]
    if w.shape[2:] not in ((), (1, 1)) or taken.shape[1:] != made.shape[1:] or op.attrs.get("accumulator"):
        raise ProgramError(f"{op.name} (operation {number}): windows and narrow sums are not trained through")
    rows = torch.from_numpy(w.reshape(len(w), -1).astype(np.float64))
    rows = 2 * rows - 1 if op.weight_dtype in ("", "bit") else rows
    rows = rows.to(_dtype(taken, rows.norm(dim=1).max().item()))
    return lambda x: over_channels(x.to(rows.dtype), rows)


def _project(program: Program, number: int, op: Op, reach: float) -> Step:
    taken, n_out = program.types[op.inputs[0]], program.types[number].shape[0]
    kind, p, rounds = CHOICES["kind"][op.attrs["kind"]], taken.shape[0], op.attrs["rounds"]
    if op.attrs["shift"]:
        raise ProgramError(f"project (operation {number}): rounds with a shift between them are not trained through")
    projection = Projection(kind, n_out, p, op.attrs["seed"] & ((1 << 64) - 1), op.attrs["layer"], rounds)
    matrix = projection.matrix() if kind != "hadamard" or p <= MATRIX_INPUTS else None
    length = (1 << (p - 1).bit_length()) ** (rounds / 2) if matrix is None else matrix.norm(dim=1).max().item()
    t = op.consts.get("t", np.zeros(n_out, np.int64)).astype(np.float64)
    dtype = _dtype(taken, length, float(np.abs(t).max()))
    half = torch.from_numpy(0.5 - t).to(dtype)
    rows = None if matrix is None else matrix.to(dtype)

    def step(x: Tensor) -> Tensor:
        x = x.movedim(1, -1).to(dtype)
        sums = projection.apply(x) if rows is None else x @ rows.T
        return _signs(sums + half, reach).movedim(-1, 1)

    return step


def _dtype(taken: ValueType, longest_row: float, limit: float = 0.0) -> torch.dtype:
    """float32 if every part of every sum of a row with such inputs stays a whole number there (Cauchy, Schwarz)."""
    largest = 1 if taken.kind == "bits" else max(abs(taken.lo), abs(taken.hi))
    return torch.float32 if longest_row * largest * taken.shape[0] ** 0.5 + limit < FLOAT32_HALVES else torch.float64


def _signs(x: Tensor, reach: float) -> Tensor:
    """float32; x: a whole number and a half, not used by others."""
    if not x.requires_grad:
        return x.sign_().float()
    return _Sign.apply(x, reach * float(x.detach().std(correction=0))).float()  # type: ignore[union-attr]


def _threshold(program: Program, number: int, op: Op, reach: float) -> Step:
    if op.consts["t"].shape[1] != 1:
        raise ProgramError(f"threshold (operation {number}): several thresholds a channel are not trained through")
    half = _column(0.5 - op.consts["t"].astype(np.float64), program, number)
    turned = _column(1.0 - 2.0 * op.consts["flip"], program, number).float()
    return lambda x: _signs(x + half.to(x.dtype), reach) * turned


def _affine(program: Program, number: int, op: Op, reach: float) -> Step:
    mul, add, shift = (_column(op.consts[name], program, number) for name in ("mul", "add", "shift"))

    def step(x: Tensor) -> Tensor:
        exact = (x.double() * mul + add) / 2**shift
        return (exact + (exact.floor() - exact).detach()).float()

    return step


def _add(program: Program, number: int, op: Op, reach: float) -> Step:
    if "b" not in op.consts:
        return torch.add
    b = op.consts["b"]
    constant = torch.from_numpy(b.astype(np.float32)) if b.ndim == 3 else _column(b, program, number).float()
    return lambda x: x + constant


def _clip(program: Program, number: int, op: Op, reach: float) -> Step:
    return lambda x: x.clamp(op.attrs["lo"], op.attrs["hi"])


def _max_pool(program: Program, number: int, op: Op, reach: float) -> Step:
    a = op.attrs
    kernel, stride = (a["kernel_h"], a["kernel_w"]), (a["stride_h"], a["stride_w"])
    return lambda x: F.max_pool2d(F.pad(x, _sides(a), value=-torch.inf), kernel, stride)


def _patches(program: Program, number: int, op: Op, reach: float) -> Step:
    a, places = op.attrs, program.types[number].shape[1:]
    outside = 2 * a["pad_value"] - 1 if program.types[number].kind == "bits" else a["pad_value"]
    windows = (a["kernel_h"], a["kernel_w"]), (a["dilation_h"], a["dilation_w"]), 0, (a["stride_h"], a["stride_w"])
    return lambda x: F.unfold(F.pad(x, _sides(a), value=outside), *windows).unflatten(2, places)


def _reshape(program: Program, number: int, op: Op, reach: float) -> Step:
    return lambda x: x.reshape(len(x), *program.types[number].shape)


def _output(program: Program, number: int, op: Op, reach: float) -> Step:
    return lambda x: x


def _sides(attrs: Any) -> tuple[int, int, int, int]:
    return attrs["pad_left"], attrs["pad_right"], attrs["pad_top"], attrs["pad_bottom"]


def _column(values: np.ndarray, program: Program, number: int) -> Tensor:
    """float64, one number a channel."""
    return torch.from_numpy(values.astype(np.float64)).reshape(-1, *(1,) * (len(program.types[number].shape) - 1))


STEPS: dict[str, Callable[[Program, int, Op, float], Step]] = {
    "xnor_linear": _product, "xnor_conv2d": _product, "int_linear": _product, "int_conv2d": _product,
    "project": _project, "threshold": _threshold, "affine": _affine, "add": _add, "clip": _clip,
    "max_pool2d": _max_pool, "patches": _patches, "reshape": _reshape, "output": _output,
}  # fmt: skip
