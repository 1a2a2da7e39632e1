"""Constants as bytes: packed rows for bits and i4, plain little-endian values for the rest.

The layout is that of docs/program.md, "The file".
"""

import numpy as np

from bitwright.bits import PackedBits, pack_bits, unpack_bits
from bitwright.ir.ops import Const
from bitwright.ir.program import Op
from bitwright.ir.types import ProgramError, smallest_dtype

_NUMPY = {
    "u8": "<u1",
    "i8": "<i1",
    "u16": "<u2",
    "i16": "<i2",
    "u32": "<u4",
    "i32": "<i4",
    "u64": "<u8",
    "i64": "<i8",
    "f32": "<f4",
}


def stored_dtype(op: Op, const: Const) -> str:
    """The dtype a writer chooses: weights as they are read, else the smallest that holds the values."""
    value = op.consts[const.name]
    if const.name == "w":
        return op.weight_dtype
    if const.dtypes == ("bit",):
        return "bit"
    if value.dtype.kind == "f":
        return "f32"
    allowed = tuple(dtype for dtype in const.dtypes if dtype != "f32")
    return smallest_dtype(int(value.min()), int(value.max()), allowed)


def _rows(shape: tuple[int, ...]) -> tuple[int, int]:
    """(rows, values a row) of a packed constant."""
    if len(shape) == 1:
        return 1, shape[0]
    return shape[0], int(np.prod(shape[1:], dtype=object))


def row_bytes(dtype: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(rows, bytes of a row as it lies in a blob, bytes of it that hold values); only bits and i4 have rows."""
    rows, columns = _rows(shape)
    if dtype == "bit":
        return rows, -(-columns // 64) * 8, -(-columns // 8)
    if dtype == "i4":
        return rows, -(-columns // 16) * 8, -(-columns // 2)
    whole = rows * columns * np.dtype(_NUMPY[dtype]).itemsize
    return 1, whole, whole


def n_bytes(dtype: str, shape: tuple[int, ...]) -> int:
    rows, padded, _ = row_bytes(dtype, shape)
    return rows * padded


def to_blob(value: np.ndarray, dtype: str) -> bytes:
    rows, columns = _rows(value.shape)
    if dtype == "bit":
        return pack_bits(value.reshape(rows, columns)).words.astype("<u8").tobytes()
    if dtype == "i4":
        padded = np.zeros((rows, -(-columns // 16) * 16), np.uint8)
        padded[:, :columns] = value.reshape(rows, columns).astype(np.int8).view(np.uint8) & 15
        return (padded[:, 0::2] | padded[:, 1::2] << 4).astype(np.uint8).tobytes()
    return np.ascontiguousarray(value.astype(_NUMPY[dtype])).tobytes()


def from_blob(blob: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array again: bits as uint8 of 0 and 1, i4 as int8. Raises ProgramError where padding is not zero."""
    rows, columns = _rows(shape)
    if dtype == "bit":
        words = np.frombuffer(blob, "<u8").reshape(rows, -1).astype(np.uint64)
        if columns % 64 and (words[:, -1] >> np.uint64(columns % 64)).any():
            raise ProgramError("padding bits of a row are not 0")
        return unpack_bits(PackedBits(words, columns)).reshape(shape)
    if dtype == "i4":
        octets = np.frombuffer(blob, np.uint8).reshape(rows, -1)
        halves = np.stack([octets & 15, octets >> 4], axis=-1).reshape(rows, -1)
        if halves[:, columns:].any():
            raise ProgramError("padding of an i4 row is not 0")
        return ((halves[:, :columns].astype(np.int8) ^ 8) - 8).reshape(shape)
    return np.frombuffer(blob, _NUMPY[dtype]).astype(np.dtype(_NUMPY[dtype]).newbyteorder("=")).reshape(shape)
