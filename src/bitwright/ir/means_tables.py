"""Logic tables, in NumPy: lut, lut_conv2d."""

import numpy as np

from bitwright.ir.means_moving import taps
from bitwright.ir.program import Op


def _look_up(inputs: np.ndarray, table: np.ndarray) -> np.ndarray:
    """inputs: (batch, G, k, ...) bits, the first the most significant; table: (G,). Returns uint8 (batch, G, ...)."""
    k = inputs.shape[2]
    address = np.zeros((*inputs.shape[:2], *inputs.shape[3:]), np.uint64)
    for j in range(k):
        address = address << np.uint64(1) | inputs[:, :, j].astype(np.uint64)
    tables = table.astype(np.uint64).reshape(1, -1, *(1,) * (address.ndim - 2))
    return (tables >> address & np.uint64(1)).astype(np.uint8)


def lut(op: Op, x: np.ndarray) -> np.ndarray:
    return _look_up(x[:, op.consts["wiring"]], op.consts["table"])


def lut_conv2d(op: Op, x: np.ndarray) -> np.ndarray:
    inputs = taps(x, op.attrs, op.attrs["pad_value"], op.consts["taps"])
    signals = list(inputs.transpose(1, 0, 2, 3))  # each (batch, H', W')
    for wires, table in zip(op.consts["wiring"], op.consts["table"], strict=True):
        inputs = np.stack([signals[int(s)] for s in wires], axis=1)[:, None]
        signals.append(_look_up(inputs, np.array([table]))[:, 0])
    return np.stack([signals[int(s)] for s in op.consts["outputs"]], axis=1)
