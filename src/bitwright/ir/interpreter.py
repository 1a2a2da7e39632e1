"""The interpreter: what every operation means, in NumPy. It is the specification; every backend is held to it.

Inside, bits are uint8 arrays of 0 and 1, ints are int64, floats float32, each with its batch axis first.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bitwright.ir.inputs import check_input
from bitwright.ir.means_linear import count, int_conv2d, int_linear, project, xnor_conv2d, xnor_linear
from bitwright.ir.means_moving import concat, gather, max_pool2d, pad, patches, reshape, sum_pool2d
from bitwright.ir.means_tables import lut, lut_conv2d
from bitwright.ir.ops import OPS
from bitwright.ir.program import Op, Program

Meaning = Callable[..., np.ndarray]  # (op, *inputs) -> value
BLOCK = 256  # samples at a time ...
BLOCK_VALUES = 1 << 22  # ... or fewer, so that no value has more numbers than these (32 MiB of int64; more is slower)


def threshold(op: Op, x: np.ndarray) -> np.ndarray:
    t = op.consts["t"]  # (C, J)
    t = t.reshape(1, *t.shape, *(1,) * (x.ndim - 2))
    met = x[:, :, None] >= t
    bits = met.reshape(x.shape[0], t.shape[1] * t.shape[2], *x.shape[2:])
    return (bits ^ _channelwise(op.consts["flip"].astype(bool), x)).astype(np.uint8)


def digitize(op: Op, x: np.ndarray) -> np.ndarray:
    t = op.consts["t"]
    below = np.zeros(x.shape, np.int64)
    for j in range(t.shape[1]):
        below += _channelwise(t[:, j], x) <= x
    return below


def affine(op: Op, x: np.ndarray) -> np.ndarray:
    mul, add, shift = (_channelwise(op.consts[name].astype(np.int64), x) for name in ("mul", "add", "shift"))
    return (x * mul + add) >> shift


def prelu(op: Op, x: np.ndarray) -> np.ndarray:
    pos, neg, add, shift = (
        _channelwise(op.consts[name].astype(np.int64), x) for name in ("pos", "neg", "add", "shift")
    )
    return (x * np.where(x >= 0, pos, neg) + add) >> shift


def clip(op: Op, x: np.ndarray) -> np.ndarray:
    return np.minimum(np.maximum(x, op.attrs["lo"]), op.attrs["hi"])


def add(op: Op, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    if y is not None:
        return x + y
    constant = op.consts["b"].astype(np.int64)
    return x + (constant if constant.ndim == 3 else _channelwise(constant, x))


def to_int(op: Op, x: np.ndarray) -> np.ndarray:
    return x.astype(np.int64) if op.attrs["mode"] == 0 else 2 * x.astype(np.int64) - 1


def output(op: Op, x: np.ndarray) -> np.ndarray:
    return x


def _channelwise(constant: np.ndarray, x: np.ndarray) -> np.ndarray:
    return constant.reshape(1, -1, *(1,) * (x.ndim - 2))


MEANINGS: dict[str, Meaning] = {
    "threshold": threshold, "digitize": digitize, "xnor_linear": xnor_linear, "xnor_conv2d": xnor_conv2d,
    "int_linear": int_linear, "int_conv2d": int_conv2d, "lut": lut, "lut_conv2d": lut_conv2d, "count": count,
    "project": project, "affine": affine, "prelu": prelu, "clip": clip, "add": add, "max_pool2d": max_pool2d,
    "sum_pool2d": sum_pool2d, "patches": patches, "gather": gather, "reshape": reshape, "concat": concat, "pad": pad,
    "to_int": to_int, "output": output,
}  # fmt: skip
assert set(MEANINGS) == set(OPS) - {"input"}


def samples_at_once(program: Program) -> int:
    """So many that all their values, kept together, are no more than BLOCK_VALUES; at least 1, at most BLOCK."""
    return max(1, min(BLOCK, BLOCK_VALUES // sum(type_.n_values for type_ in program.types)))


def execute(program: Program, x: np.ndarray, keep: bool = False) -> Sequence[np.ndarray]:
    """Run x (batch, *input shape); return [scores], or with keep every value in order.

    Scores are int32 where their range allows, else int64; kept bits are uint8 of 0 and 1, kept ints int64. Works
    through the batch in blocks. Raises as `check_input` does.
    """
    x = check_input(program, x)
    block = min(max(BLOCK_VALUES // max(type_.n_values for type_ in program.types), 1), BLOCK)
    scores_type = program.types[-1]
    narrow = np.int32 if -(1 << 31) <= scores_type.lo and scores_type.hi < 1 << 31 else np.int64
    blocks = [_execute_block(program, x[i : i + block], keep) for i in range(0, max(len(x), 1), block)]
    values = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
    values[-1] = values[-1].astype(narrow)
    return values


def _execute_block(program: Program, x: np.ndarray, keep: bool) -> list[np.ndarray]:
    last_use = {i: number for number, op in enumerate(program.ops) for i in op.inputs}
    live: dict[int, np.ndarray] = {0: x if program.types[0].kind != "int" else x.astype(np.int64)}
    for number, op in enumerate(program.ops[1:], start=1):
        live[number] = MEANINGS[op.name](op, *(live[i] for i in op.inputs))
        if not keep:
            for i in set(op.inputs):
                if last_use[i] == number:
                    del live[i]
    return [live[number] for number in range(len(program.ops))] if keep else [live[len(program.ops) - 1]]
