"""Windows, pools and moves of values, in NumPy."""

from collections.abc import Callable, Mapping

import numpy as np

from bitwright.ir.program import Op
from bitwright.ir.windows import output_size


def windows(x: np.ndarray, attrs: Mapping[str, int], pad_value: int) -> np.ndarray:
    """Every window of x (batch, C, H, W) as a view or copy (batch, C, kernel_h, kernel_w, H', W').

    Takes memory for the windows and the image, never for paddings that no window needs.
    """
    height, width = output_size(attrs, *x.shape[2:])
    places = attrs["kernel_h"] * attrs["kernel_w"] * height * width
    if _padded_places(attrs, *x.shape[2:]) > 4 * x.shape[2] * x.shape[3] + places:
        rows = _reads(attrs, "h", "pad_top", x.shape[2], height)[:, None, :, None]
        return _with_border(x, pad_value)[:, :, rows, _reads(attrs, "w", "pad_left", x.shape[3], width)[None, :, None]]
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


def taps(x: np.ndarray, attrs: Mapping[str, int], pad_value: int, places: np.ndarray) -> np.ndarray:
    """Single places of every window: (batch, T, H', W') of x (batch, C, H, W), places (T, 3) of (channel, dy, dx)."""
    height, width = output_size(attrs, *x.shape[2:])
    channel, dy, dx = places.astype(np.int64).T
    rows = _inside(np.arange(height) * attrs["stride_h"] - attrs["pad_top"] + dy[:, None], x.shape[2])
    columns = _inside(np.arange(width) * attrs["stride_w"] - attrs["pad_left"] + dx[:, None], x.shape[3])
    return _with_border(x, pad_value)[:, channel[:, None, None], rows[:, :, None], columns[:, None, :]]


def _reads(attrs: Mapping[str, int], axis: str, before: str, size: int, n_windows: int) -> np.ndarray:
    """(kernel, n_windows): which row (or column) each place of each window reads; `size` where it is outside."""
    place = np.arange(attrs[f"kernel_{axis}"])[:, None] * attrs.get(f"dilation_{axis}", 1)
    return _inside(place + np.arange(n_windows) * attrs[f"stride_{axis}"] - attrs[before], size)


def _inside(index: np.ndarray, size: int) -> np.ndarray:
    return np.where((index >= 0) & (index < size), index, size)


def _with_border(x: np.ndarray, pad_value: int) -> np.ndarray:
    """x with one row and one column more, which hold pad_value."""
    return np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=pad_value)


def _padded_places(attrs: Mapping[str, int], height: int, width: int) -> int:
    return (height + attrs["pad_top"] + attrs["pad_bottom"]) * (width + attrs["pad_left"] + attrs["pad_right"])


def _padded(x: np.ndarray, attrs: Mapping[str, int], pad_value: int) -> np.ndarray:
    sides = ((0, 0), (0, 0), (attrs["pad_top"], attrs["pad_bottom"]), (attrs["pad_left"], attrs["pad_right"]))
    return np.pad(x, sides, constant_values=pad_value)


def max_pool2d(op: Op, x: np.ndarray) -> np.ndarray:
    return _pooled(x, op.attrs, np.max)


def sum_pool2d(op: Op, x: np.ndarray) -> np.ndarray:
    return _pooled(x, op.attrs, np.sum)


def _pooled(x: np.ndarray, attrs: Mapping[str, int], reduce: Callable) -> np.ndarray:
    """Each window cut to the image and reduced, along rows and then along columns."""
    sizes = output_size(attrs, *x.shape[2:])
    for axis, before, n_windows in (("h", "pad_top", sizes[0]), ("w", "pad_left", sizes[1])):
        size = x.shape[2]  # the axis in turn: the one reduced goes last
        starts = np.arange(n_windows) * attrs[f"stride_{axis}"] - attrs[before]
        ends = np.minimum(starts + attrs[f"kernel_{axis}"], size)
        parts = [reduce(x[:, :, max(start, 0) : end], axis=2) for start, end in zip(starts, ends, strict=True)]
        x = np.stack(parts, axis=-1)
    return x


def patches(op: Op, x: np.ndarray) -> np.ndarray:
    columns = windows(x, op.attrs, op.attrs["pad_value"])
    return columns.reshape(x.shape[0], columns.shape[1] * columns.shape[2] * columns.shape[3], *columns.shape[4:])


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
