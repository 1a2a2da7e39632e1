"""Sums of products, in NumPy: xnor_*, int_*, count, project.

A sum is taken as a float64 matrix product where every partial sum stays below 2^53 and is therefore exact, else in
int64.
"""

from collections.abc import Mapping

import numpy as np

from bitwright.bits import gaussian_rows, rademacher_rows, rademacher_signs
from bitwright.ir.means_moving import windows
from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Op
from bitwright.ir.windows import output_size

CACHED = 1 << 15  # numbers that a transform works on at a time

def _carrier(x: np.ndarray, w: np.ndarray, pad_value: int = 0) -> type:
    """The fastest type in which every partial sum of products of x and pad_value with a row of w (N, K) is exact."""
    largest = max(int(x.max(initial=0)), -int(x.min(initial=0)), abs(pad_value), 1)
    reach = largest * max(int(np.abs(w).sum(axis=1).max(initial=0)), 1)
    return np.float32 if reach < 1 << 24 else np.float64 if reach < 1 << 53 else np.int64


def _product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """int64 (..., N): x (..., K) times w (N, K) transposed, exact."""
    carrier = _carrier(x, w)
    return (x.astype(carrier) @ w.T.astype(carrier)).astype(np.int64)


def _signs(bits: np.ndarray) -> np.ndarray:
    return 2 * bits.astype(np.int64) - 1


def _weights(op: Op) -> np.ndarray:
    return _signs(op.consts["w"]) if op.weight_dtype == "bit" else op.consts["w"].astype(np.int64)


def _accumulate(total: np.ndarray, accumulator: int) -> np.ndarray:
    name = CHOICES["accumulator"][accumulator]
    if name == "int32":
        return total
    if name == "wrap8_half":
        total = total >> 1
    return (total + 128) % 256 - 128


def xnor_linear(op: Op, x: np.ndarray) -> np.ndarray:
    return _accumulate(_product(_signs(x), _weights(op)), op.attrs["accumulator"])


def int_linear(op: Op, x: np.ndarray) -> np.ndarray:
    return _product(_signs(x) if x.dtype == np.uint8 else x, _weights(op))


def _conv2d(x: np.ndarray, weights: np.ndarray, attrs: Mapping[str, int]) -> np.ndarray:
    """int64 (batch, O, H', W') from integers x (batch, C, H, W) and weights (O, C / groups, kh, kw)."""
    n_out, n_products = weights.shape[0], int(np.prod(weights.shape[1:]))
    size = output_size(attrs, *x.shape[2:])
    carrier = _carrier(x, weights.reshape(n_out, -1), attrs["pad_value"])
    rows = weights.reshape(attrs["groups"], -1, n_products).astype(carrier)
    total = np.empty((len(x), n_out, *size), np.int64)
    step = max(1, (1 << 24) // (attrs["groups"] * n_products * size[0] * size[1]))  # samples whose windows fit memory
    for i in range(0, len(x), step):
        columns = windows(x[i : i + step].astype(carrier), attrs, attrs["pad_value"])  # (batch, C, kh, kw, H', W')
        columns = columns.reshape(len(columns), *rows.shape[::2], size[0] * size[1])  # (batch, groups, K, positions)
        total[i : i + step] = (rows @ columns).reshape(len(columns), n_out, *size)
    return total


def xnor_conv2d(op: Op, x: np.ndarray) -> np.ndarray:
    return _accumulate(_conv2d(_signs(x), _weights(op), op.attrs), op.attrs["accumulator"])


def int_conv2d(op: Op, x: np.ndarray) -> np.ndarray:
    return _conv2d(_signs(x) if x.dtype == np.uint8 else x, _weights(op), op.attrs)


def count(op: Op, x: np.ndarray) -> np.ndarray:
    start, signal = op.consts["start"], op.consts["signal"]
    ones = (x[:, signal] ^ op.consts["invert"]).astype(np.int64)
    totals = np.concatenate([np.zeros((len(x), 1), np.int64), np.cumsum(ones, axis=1)], axis=1)
    return totals[:, start[1:]] - totals[:, start[:-1]] + op.consts["offset"].astype(np.int64)


def project(op: Op, x: np.ndarray) -> np.ndarray:
    values = _signs(x) if x.dtype == np.uint8 else x
    if x.ndim == 4:  # the same projection of the channels at every position
        columns = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1])
        bits = _project_rows(op, columns)
        return bits.reshape(x.shape[0], *x.shape[2:], bits.shape[1]).transpose(0, 3, 1, 2)
    return _project_rows(op, values)


def _project_rows(op: Op, x: np.ndarray) -> np.ndarray:
    attrs = op.attrs
    seed, layer, n_out = attrs["seed"] & ((1 << 64) - 1), attrs["layer"], attrs["n_out"]
    kind = CHOICES["kind"][attrs["kind"]]
    if kind == "hadamard":
        sums = _hadamard(x, n_out, seed, layer, attrs["rounds"], attrs["shift"])
    else:
        rows = rademacher_rows if kind == "rademacher" else gaussian_rows
        step = max(1, (1 << 22) // x.shape[1])  # rows of G made at a time
        blocks = [(i, min(step, n_out - i)) for i in range(0, n_out, step)]
        made = (rows(seed, layer, count, x.shape[1], first_row=i) for i, count in blocks)
        sums = np.concatenate([_product(x, g.astype(np.int64)) for g in made], axis=1)
    thresholds = op.consts["t"].astype(np.int64) if "t" in op.consts else 0
    return (sums >= thresholds).astype(np.uint8)


def _hadamard(x: np.ndarray, n_out: int, seed: int, layer: int, rounds: int, shift: int) -> np.ndarray:
    size = 1 << (x.shape[1] - 1).bit_length()
    signs = [rademacher_signs(seed, layer, i, size)[:, None] for i in range(-(-n_out // size) * rounds)]
    sums = np.empty((len(x), n_out), np.int64)
    step = max(1, CACHED // size)
    for i in range(0, len(x), step):
        extended = np.zeros((size, len(x[i : i + step])), np.int64)
        extended[: x.shape[1]] = x[i : i + step].T
        for first in range(0, n_out, size):
            value = extended
            for r in range(rounds):
                value = walsh_hadamard(value * signs[first // size * rounds + r])
                if r + 1 < rounds:
                    value >>= shift
            sums[i : i + step, first : first + size] = value[: n_out - first].T
    return sums


def walsh_hadamard(x: np.ndarray) -> np.ndarray:
    """Unnormalised Walsh-Hadamard transform in natural order along the first axis, whose length is a power of two."""
    half, to = 1, np.empty_like(x)
    x = x.copy()
    while half < len(x):
        pairs, made = (v.reshape(len(x) // (2 * half), 2, half, *x.shape[1:]) for v in (x, to))
        np.add(pairs[:, 0], pairs[:, 1], out=made[:, 0])
        np.subtract(pairs[:, 0], pairs[:, 1], out=made[:, 1])
        x, to = to, x
        half *= 2
    return x
