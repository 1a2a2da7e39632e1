"""Windows, pools and moves of values, in NumPy."""

from collections.abc import Mapping

import numpy as np

from bitwright.ir.program import Op
from bitwright.ir.windows import output_size


def windows(x: np.ndarray, attrs: Mapping[str, int], pad_value: int) -> np.ndarray:
    """Every window of x (batch, C, H, W) as a view or copy (batch, C, kernel_h, kernel_w, H', W')."""
    height, width = output_size(attrs, *x.shape[2:])
    padded = _padded(x, attrs, pad_value)
    dilation_h, dilation_w = attrs.get("dilation_h", 1), attrs.get("dilation_w", 1)
    stride_h, stride_w = attrs["stride_h"], attrs["stride_w"]
    batch, channel, row, column = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (*x.shape[:2], attrs["kernel_h"], attrs["kernel_w"], height, width),
        (batch, channel, row * dilation_h, column * dilation_w, row * stride_h, column * stride_w),
        writeable=False,
    )


def _padded(x: np.ndarray, attrs: Mapping[str, int], pad_value: int) -> np.ndarray:
    sides = ((0, 0), (0, 0), (attrs["pad_top"], attrs["pad_bottom"]), (attrs["pad_left"], attrs["pad_right"]))
    return np.pad(x, sides, constant_values=pad_value)


def max_pool2d(op: Op, x: np.ndarray) -> np.ndarray:
    lowest = 0 if x.dtype == np.uint8 else np.iinfo(np.int64).min
    return windows(x, op.attrs, lowest).max(axis=(2, 3))


def sum_pool2d(op: Op, x: np.ndarray) -> np.ndarray:
    return windows(x, op.attrs, 0).sum(axis=(2, 3))


def patches(op: Op, x: np.ndarray) -> np.ndarray:
    columns = windows(x, op.attrs, op.attrs["pad_value"])
    return columns.reshape(x.shape[0], -1, *columns.shape[4:])


def gather(op: Op, x: np.ndarray) -> np.ndarray:
    return x[:, op.consts["index"]]


def reshape(op: Op, x: np.ndarray) -> np.ndarray:
    return x.reshape(x.shape[0], *(op.attrs[f"dim{i}"] for i in range(op.attrs["ndim"])))


def concat(op: Op, *values: np.ndarray) -> np.ndarray:
    return np.concatenate(values, axis=1)


def pad(op: Op, x: np.ndarray) -> np.ndarray:
    channels = (op.attrs["pad_before"], op.attrs["pad_after"])
    rows, columns = (op.attrs["pad_top"], op.attrs["pad_bottom"]), (op.attrs["pad_left"], op.attrs["pad_right"])
    sides = ((0, 0), channels, rows, columns)[: x.ndim]
    return np.pad(x, sides, constant_values=op.attrs["pad_value"])
