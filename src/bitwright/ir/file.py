"""Writes a Program as a `.bw` file. The layout is that of docs/program.md, "The file"; `load.py` reads it.

Version 1 lies in memory as the engine wants it; version 2, the short form, is what is kept on disk (fold.py).
"""

import json
import os
import struct
import tempfile
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

from bitwright.ir.blobs import stored_dtype, to_blob
from bitwright.ir.fold import fold_json, fold_records
from bitwright.ir.ops import DTYPES, OPS
from bitwright.ir.program import Op, Program
from bitwright.ir.types import KINDS, ValueType

MAGIC = b"\x89BWP\r\n\x1a\n"
VERSION, SHORT = 1, 2  # of the file
HEADER = struct.Struct("<8sII6QQII")  # magic, version, operations, three (offset, bytes), file bytes, checksum, 0
HEADER_BYTES = 128
CHECKSUM_AT = 72
RECORD = struct.Struct("<HHIHHHHIBBHIIIIqq")
CONST = struct.Struct("<BBHIIIIIQQ")


def save(program: Program, path: str | PathLike, short: bool = True) -> int:
    """Write the file through a temporary one beside it, so that a reader never sees half of it. Returns its bytes.

    short: version 2 of the file, for disks; False writes version 1, which any bitwright reads.

    Raises OSError naming the path when the disk is full or the folder is missing; an old file then stays as it was.
    """
    path = Path(path)
    data = to_bytes(program, short)
    write_atomically(path, data)
    return len(data)


def write_atomically(path: Path, data: bytes) -> None:
    handle, temporary = -1, ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise OSError(
            error.errno, f"cannot write {path}: {error.strerror}; choose another place or free some room"
        ) from error


def to_bytes(program: Program, short: bool = False) -> bytes:
    """The file as bytes: version 1, or version 2 if `short`."""
    text = header_json(program.header)
    if short:
        records, blobs = fold_records(program.ops)
        text = fold_json(text)
    else:
        records, blobs = _records(program)
    json_at = _round_up(HEADER_BYTES + len(records), 1 if short else 8)
    blobs_at = _round_up(json_at + len(text), 1 if short else 64)
    size = blobs_at + len(blobs)
    data = bytearray(size)
    HEADER.pack_into(
        data,
        0,
        MAGIC,
        SHORT if short else VERSION,
        len(program.ops),
        HEADER_BYTES,
        len(records),
        json_at,
        len(text),
        blobs_at,
        len(blobs),
        size,
        0,
        0,
    )
    data[HEADER_BYTES : HEADER_BYTES + len(records)] = records
    data[json_at : json_at + len(text)] = text
    data[blobs_at:] = blobs
    struct.pack_into("<I", data, CHECKSUM_AT, zlib.crc32(data))
    return bytes(data)


def _records(program: Program) -> tuple[bytes, bytes]:
    blobs = bytearray()
    records = b"".join(
        _record(op, number, type_, blobs)
        for number, (op, type_) in enumerate(zip(program.ops, program.types, strict=True))
    )
    return records, bytes(blobs)


def _record(op: Op, number: int, type_: ValueType, blobs: bytearray) -> bytes:
    spec = OPS[op.name]
    inputs = struct.pack(f"<{len(op.inputs)}I", *op.inputs)
    inputs += bytes(-len(inputs) % 8)
    attrs = struct.pack(f"<{len(spec.attrs)}q", *(op.attrs[name] for name in spec.attrs))
    consts = b"".join(_const(op, const, blobs) for const in spec.consts)
    n_bytes = RECORD.size + len(inputs) + len(attrs) + len(consts)
    dims = [*type_.shape, 0, 0][:3]
    head = RECORD.pack(
        spec.code, spec.version, n_bytes, len(op.inputs), len(spec.attrs), len(spec.consts), 0,
        number, KINDS.index(type_.kind), len(type_.shape), 0, *dims, 0, type_.lo, type_.hi,
    )  # fmt: skip
    return head + inputs + attrs + consts


def _const(op: Op, const, blobs: bytearray) -> bytes:
    if const.name not in op.consts:
        return bytes(CONST.size)
    value = op.consts[const.name]
    dtype = stored_dtype(op, const)
    blob = to_blob(value, dtype)
    blobs.extend(bytes(-len(blobs) % 64))
    dims = [*value.shape, 0, 0, 0][:4]
    entry = CONST.pack(DTYPES[dtype], value.ndim, 0, *dims, 0, len(blobs), len(blob))
    blobs.extend(blob)
    return entry


def _round_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def header_json(header: dict[str, Any]) -> bytes:
    """The header as it stands in a file. Raises ValueError or TypeError where it is not JSON."""
    try:
        return json.dumps(header, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain).encode()
    except TypeError as error:
        raise TypeError(f"header: {error}; keys are strings") from None
    except ValueError as error:  # nan, an infinity, or half a surrogate pair
        raise ValueError(f"header: {error}; give finite numbers and text that UTF-8 can hold") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return value.name
    raise TypeError(f"{type(value).__name__} {value!r} is not JSON; convert it to numbers, strings, lists or dicts")
