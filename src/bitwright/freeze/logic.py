"""Logic gates in a Program: tables, trees of tables over windows, counts; beside each its twin in torch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bitwright.freeze.emitter import Emitter
from bitwright.freeze.window import Window
from bitwright.ir import Value


@dataclass(frozen=True)
class Trees:
    """One tree of gates an output channel, as `lut_conv2d` says it.

    taps: (T, 3) of (channel, dy, dx), signals 0..T-1. wiring: (M, k), gate m makes signal T + m.
    tables: 0 and 1, (M, 2^k). outputs: (O,) signals. kernel: (h, w).
    """

    taps: np.ndarray
    wiring: np.ndarray
    tables: np.ndarray
    outputs: np.ndarray
    kernel: tuple[int, int]


def table_integers(tables: np.ndarray) -> np.ndarray:
    """tables: 0 and 1, (G, 2^k) -> uint64 (G,): bit a is the output at address a."""
    places = np.arange(tables.shape[1], dtype=np.uint64)
    return (tables.astype(np.uint64) << places).sum(1, dtype=np.uint64)


def luts(emitter: Emitter, x: Value, wiring: np.ndarray, tables: np.ndarray) -> Value:
    """wiring: (G, k), the first input the address's most significant bit; tables: 0 and 1, (G, 2^k)."""
    wires, entries = torch.from_numpy(wiring.astype(np.int64)), torch.from_numpy(tables.astype(np.float64))
    value = emitter.builder.lut(x, wiring, table_integers(tables))
    return emitter.emit(value, [x], lambda v: _look_up(v[:, wires], entries))


def lut_conv2d(emitter: Emitter, x: Value, trees: Trees, window: Window) -> Value:
    pad = int(window.pad_value)
    value = emitter.builder.lut_conv2d(
        x, trees.taps, trees.wiring, table_integers(trees.tables), trees.outputs, trees.kernel,
        window.stride, window.padding, pad,
    )  # fmt: skip
    top, bottom, left, right = window.padding
    entries = torch.from_numpy(trees.tables.astype(np.float64))
    height, width = value.shape[1:]

    def twin(v: Tensor) -> Tensor:
        padded = F.pad(v, (left, right, top, bottom), value=pad)
        signals = []
        for channel, dy, dx in trees.taps.tolist():
            rows = slice(dy, dy + (height - 1) * window.stride[0] + 1, window.stride[0])
            columns = slice(dx, dx + (width - 1) * window.stride[1] + 1, window.stride[1])
            signals.append(padded[:, channel, rows, columns])
        for wires, table in zip(trees.wiring.tolist(), entries, strict=True):
            inputs = torch.stack([signals[wire] for wire in wires], 1)[:, None]
            signals.append(_look_up(inputs, table[None])[:, 0])
        return torch.stack([signals[i] for i in trees.outputs.tolist()], 1)

    return emitter.emit(value, [x], twin)


def count(emitter: Emitter, x: Value, groups: np.ndarray) -> Value:
    """groups: (G, size) signals -> the number of ones in each."""
    members = torch.from_numpy(groups.astype(np.int64))
    value = emitter.builder.count(x, groups.tolist())
    return emitter.emit(value, [x], lambda v: v[:, members].sum(2))


def _look_up(inputs: Tensor, tables: Tensor) -> Tensor:
    """inputs: 0 and 1, (batch, G, k, ...); tables: (G, 2^k) -> (batch, G, ...)."""
    k = inputs.shape[2]
    weights = torch.tensor([1 << (k - 1 - j) for j in range(k)], dtype=inputs.dtype)
    address = (inputs * weights.reshape(-1, *(1,) * (inputs.dim() - 3))).sum(2).long()
    gates = torch.arange(len(tables)).reshape(-1, *(1,) * (address.dim() - 2))
    return tables[gates, address]
