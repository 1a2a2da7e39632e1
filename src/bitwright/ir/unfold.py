"""Reads the short form of a file (version 2) by writing it out as version 1, which `load.py` then checks as ever."""

import struct
import zlib

import numpy as np

from bitwright.ir.blobs import row_bytes
from bitwright.ir.file import CONST, RECORD
from bitwright.ir.ops import DTYPE_BY_CODE, OP_BY_CODE, OPS
from bitwright.ir.rules import need
from bitwright.ir.types import ProgramError

MAX_INPUTS = 64


class _Numbers:
    """The bytes of the records, number by number."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def next(self, largest: int, what: str) -> int:
        """An unsigned number in its shortest spelling, at most `largest`."""
        value = shift = 0
        while True:
            need(self.at < len(self.data), f"{what}: the records end before it does")
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
            need(shift <= 63, f"{what}: a number of more than 64 bits")
        need(byte > 0 or shift == 0, f"{what}: a number with a superfluous byte")
        need(value <= largest, f"{what}: {value}, the largest is {largest}")
        return value


def unfold_records(data: bytes, blobs: bytes, n_ops: int) -> tuple[bytes, bytes]:
    """(records, blobs) of version 1, the types that records state left 0. Raises ProgramError."""
    numbers, records, long_blobs, taken = _Numbers(data), bytearray(), bytearray(), 0
    for number in range(n_ops):
        where = f"record {number}"
        code = numbers.next((1 << 16) - 1, where)
        need(code in OP_BY_CODE, f"{where}: unknown operation code {code}; update bitwright")
        spec = OPS[OP_BY_CODE[code]]
        version = numbers.next((1 << 16) - 1, where)
        n_inputs = numbers.next(MAX_INPUTS, where)
        inputs = b""
        for _ in range(n_inputs):
            back = numbers.next(number, where)
            need(back > 0, f"{where}: reads its own value")
            inputs += struct.pack("<I", number - back)
        inputs += bytes(-len(inputs) % 8)
        attrs = b"".join(struct.pack("<q", _unzigzag(numbers.next((1 << 64) - 1, where))) for _ in spec.attrs)
        consts = b""
        for const in spec.consts:
            entry, size = _const(numbers, f"{where}, constant {const.name}", long_blobs, blobs, taken)
            consts += entry
            taken += size
        n_bytes = RECORD.size + len(inputs) + len(attrs) + len(consts)
        head = RECORD.pack(
            code, version, n_bytes, n_inputs, len(spec.attrs), len(spec.consts), 0, number, 0, 1, 0, 0, 0, 0, 0, 0, 0
        )
        records += head + inputs + attrs + consts
    need(numbers.at == len(data), f"{len(data) - numbers.at} bytes after the last record")
    need(taken == len(blobs), f"{len(blobs) - taken} bytes after the last constant")
    return bytes(records), bytes(long_blobs)


def _const(numbers: _Numbers, where: str, long_blobs: bytearray, blobs: bytes, taken: int) -> tuple[bytes, int]:
    """The entry of a constant in version 1, its blob appended, and the bytes it took of the short blobs."""
    code = numbers.next(255, where)
    if code == 0:
        return bytes(CONST.size), 0
    need(code in DTYPE_BY_CODE, f"{where}: unknown dtype {code}")
    ndim = numbers.next(4, where)
    shape = tuple(numbers.next((1 << 32) - 1, where) for _ in range(ndim))
    need(all(d >= 1 for d in shape), f"{where}: empty, shape {shape}")
    need(shape != (), f"{where}: no axes")
    rows, padded, used = row_bytes(DTYPE_BY_CODE[code], shape)
    size = rows * used
    need(size <= len(blobs) - taken, f"{where}: {size} bytes of only {len(blobs) - taken}")
    long_rows = np.zeros((rows, padded), np.uint8)
    long_rows[:, :used] = np.frombuffer(blobs, np.uint8, size, taken).reshape(rows, used)
    long_blobs.extend(bytes(-len(long_blobs) % 64))
    entry = CONST.pack(code, ndim, 0, *[*shape, 0, 0, 0, 0][:4], 0, len(long_blobs), rows * padded)
    long_blobs.extend(long_rows.tobytes())
    return entry, size


def _unzigzag(value: int) -> int:
    return value >> 1 if value % 2 == 0 else -(value >> 1) - 1


def unfold_json(data: bytes, limit: int) -> bytes:
    """The JSON of the short form. Raises ProgramError if it is not deflated text of at most `limit` bytes."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise ProgramError(f"header is not deflated JSON: {error}") from None
    need(len(text) <= limit, f"header is not within the limit of {limit} bytes")
    need(stream.eof and not stream.unused_data, "header is not deflated JSON: it is cut off or goes on")
    return text
