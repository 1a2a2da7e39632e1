"""The short form of a file, version 2: what `file.py` writes, without what a reader derives or knows.

Numbers take as many bytes as they need, types of values and places of constants are left out, rows of bits end at a
whole byte, the JSON is deflated. The layout is that of docs/program.md, "The short form"; `unfold.py` reads it.
"""

import zlib

import numpy as np

from bitwright.ir.blobs import row_bytes, stored_dtype, to_blob
from bitwright.ir.ops import DTYPES, OPS
from bitwright.ir.program import Op


def fold_records(ops: tuple[Op, ...]) -> tuple[bytes, bytes]:
    """(records, blobs) of the short form."""
    records, blobs = bytearray(), bytearray()
    for number, op in enumerate(ops):
        spec = OPS[op.name]
        for value in (spec.code, spec.version, len(op.inputs), *(number - i for i in op.inputs)):
            records += unsigned(value)
        for name in spec.attrs:
            records += unsigned(zigzag(op.attrs[name]))
        for const in spec.consts:
            if const.name not in op.consts:
                records += unsigned(0)
                continue
            value, dtype = op.consts[const.name], stored_dtype(op, const)
            for n in (DTYPES[dtype], value.ndim, *value.shape):
                records += unsigned(n)
            rows, padded, used = row_bytes(dtype, value.shape)
            blobs += np.frombuffer(to_blob(value, dtype), np.uint8).reshape(rows, padded)[:, :used].tobytes()
    return bytes(records), bytes(blobs)


def fold_json(text: bytes) -> bytes:
    """The JSON, deflated in zlib's wrapping."""
    return zlib.compress(text, 9)


def unsigned(value: int) -> bytes:
    """Seven bits a byte, the low ones first; all bytes but the last have bit 7 set."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def zigzag(value: int) -> int:
    """0, -1, 1, -2, ... as 0, 1, 2, 3, ..."""
    return 2 * value if value >= 0 else -2 * value - 1
