"""The checker: types and ranges of every value, derived from the operations and their constants alone."""

from collections.abc import Sequence

import numpy as np

from bitwright.ir import infer_elementwise, infer_ends, infer_linear, infer_moving, infer_tables
from bitwright.ir.ops import CHOICES, OPS
from bitwright.ir.program import Op
from bitwright.ir.rules import INT32, RULES, need, within
from bitwright.ir.types import DEFAULT_LIMITS, Limits, ProgramError, ValueType, smallest_dtype

RULE_FILES = (infer_ends, infer_linear, infer_elementwise, infer_moving, infer_tables)  # importing them fills RULES


def infer(ops: Sequence[Op], limits: Limits = DEFAULT_LIMITS) -> tuple[ValueType, ...]:
    """Types of all values. Raises ProgramError naming the operation, the rule and what was found."""
    need(len(ops) >= 2, f"a Program has at least `input` and `output`, this one has {len(ops)} operations")
    need(len(ops) <= limits.ops, f"{len(ops)} operations, the limit is {limits.ops}")
    types: list[ValueType] = []
    total = n_steps = 0
    for number, op in enumerate(ops):
        try:
            type_ = infer_one(op, number, len(ops), types, limits)
            total += type_.n_values
            n_steps += steps(op, [types[i] for i in op.inputs], type_)
            need(total <= limits.total, f"more than {limits.total} values a sample")
            need(n_steps <= limits.steps, f"more than {limits.steps} steps a sample")
        except ProgramError as error:
            raise ProgramError(f"operation {number} ({op.name}): {error}") from None
        types.append(type_)
    return tuple(types)


def infer_one(
    op: Op, number: int, n_ops: int, types: Sequence[ValueType], limits: Limits = DEFAULT_LIMITS
) -> ValueType:
    """Type of operation `number`, given the types of the values before it. n_ops < 0: still building."""
    need(op.name in OPS, f"unknown; known are {', '.join(OPS)}")
    spec = OPS[op.name]
    need((op.name == "input") == (number == 0), "`input` is the first operation, and only it")
    need(n_ops < 0 or (op.name == "output") == (number == n_ops - 1), "`output` is the last operation, and only it")
    least, most = spec.n_inputs
    need(least <= len(op.inputs) <= most, f"takes {least} to {most} inputs, got {len(op.inputs)}")
    for i in op.inputs:
        need(0 <= i < number, f"reads value {i}, but only values before {number} exist")
    _check_attrs(op)
    _check_consts(op)
    type_ = RULES[op.name](op, [types[i] for i in op.inputs])
    need(len(type_.shape) in (1, 3), f"shape {type_.shape} has {len(type_.shape)} axes, expected [C] or [C,H,W]")
    need(all(n >= 1 for n in type_.shape), f"shape {type_.shape} is empty; every axis needs at least 1")
    need(type_.n_values <= limits.tensor, f"{type_.n_values} values in one tensor, the limit is {limits.tensor}")
    if type_.kind == "int":
        within(type_.lo, type_.hi)
    return type_


def _check_attrs(op: Op) -> None:
    spec = OPS[op.name]
    need(set(op.attrs) == set(spec.attrs), f"attributes {sorted(op.attrs)}, expected {sorted(spec.attrs)}")
    for name, value in op.attrs.items():
        need(-(1 << 63) <= value < 1 << 63, f"attribute {name} is {value}, beyond 64 bits")
        if name in CHOICES:
            need(
                0 <= value < len(CHOICES[name]), f"attribute {name} is {value}, expected an index into {CHOICES[name]}"
            )


def _check_consts(op: Op) -> None:
    spec = OPS[op.name]
    known = {const.name: const for const in spec.consts}
    need(set(op.consts) <= set(known), f"constants {sorted(op.consts)}, expected {sorted(known)}")
    for name, const in known.items():
        if name not in op.consts:
            need(const.optional, f"constant {name} is missing")
            continue
        value = op.consts[name]
        need(value.ndim in const.ndims, f"constant {name} has {value.ndim} axes, expected {const.ndims}")
        need(value.size > 0, f"constant {name} is empty, shape {value.shape}")
        if name == "w":
            need(op.weight_dtype in const.dtypes, f"weights are {op.weight_dtype!r}, expected one of {const.dtypes}")
        is_float = value.dtype.kind == "f"
        need(not is_float or ("f32" in const.dtypes and value.dtype == np.float32), f"constant {name} is {value.dtype}")
        need(is_float or value.dtype.kind in "iub", f"constant {name} is {value.dtype}, expected integers")
        if "bit" in const.dtypes and (name != "w" or op.weight_dtype == "bit"):
            need(value.max() <= 1 and value.min() >= 0, f"constant {name} must hold bits, 0 and 1")
        if name == "w" and op.weight_dtype != "bit":
            half = 1 << (int(op.weight_dtype[1:]) - 1)
            need(-half <= int(value.min()) and int(value.max()) < half, f"weights leave {op.weight_dtype}")
        if not is_float and name != "w" and const.dtypes != ("bit",):
            allowed = tuple(dtype for dtype in const.dtypes if dtype != "f32")
            smallest_dtype(int(value.min()), int(value.max()), allowed)
        if name in ("mul", "pos", "neg"):
            need(INT32[0] <= int(value.min()) and int(value.max()) <= INT32[1], f"constant {name} leaves 32 bits")


def steps(op: Op, inputs: Sequence[ValueType], out: ValueType) -> int:
    """Elementary steps a sample: products, table look-ups, window places, or one a value."""
    positions = int(np.prod(out.shape[1:], dtype=object)) if len(out.shape) == 3 else 1
    if "w" in op.consts:
        return op.consts["w"].size * positions
    if op.name in ("lut", "lut_conv2d"):
        return (op.consts["wiring"].size + op.consts["table"].size) * positions
    if op.name in ("max_pool2d", "sum_pool2d"):
        return out.n_values * op.attrs["kernel_h"] * op.attrs["kernel_w"]
    if op.name == "count":
        return op.consts["signal"].size
    if op.name == "project":
        p, n = inputs[0].shape[0], out.shape[0]
        if CHOICES["kind"][op.attrs["kind"]] == "hadamard":
            q = 1 << (p - 1).bit_length()
            return -(-n // q) * q * (q.bit_length() + 1) * op.attrs["rounds"] * positions
        return n * p * positions
    if op.name in ("threshold", "digitize"):
        return inputs[0].n_values * op.consts["t"].shape[1]
    return out.n_values
