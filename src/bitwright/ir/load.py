"""Reads a `.bw` file and trusts nothing in it: every length, index, shape and range is checked before anything runs."""

import json
import struct
import zlib
from bisect import bisect_left
from os import PathLike
from pathlib import Path

import numpy as np

from bitwright.ir.blobs import from_blob, n_bytes
from bitwright.ir.checker import infer
from bitwright.ir.file import CHECKSUM_AT, CONST, HEADER, HEADER_BYTES, MAGIC, RECORD, SHORT, VERSION, _round_up
from bitwright.ir.ops import DTYPE_BY_CODE, OP_BY_CODE, OPS
from bitwright.ir.program import Op, Program
from bitwright.ir.rules import need
from bitwright.ir.types import DEFAULT_LIMITS, KINDS, Limits, ProgramError, ValueType
from bitwright.ir.unfold import unfold_json, unfold_records


def load(path: str | PathLike, limits: Limits = DEFAULT_LIMITS) -> Program:
    """The Program of a .bw file. Raises FileNotFoundError, or ProgramError naming the file and the rule it breaks."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: no such file; `bitwright freeze` writes one, `bitwright.pretrained(...)` brings one"
        )
    try:
        return from_bytes(path.read_bytes(), limits)
    except ProgramError as error:
        raise ProgramError(f"{path}: {error}") from None


def from_bytes(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Program:
    """The Program of the bytes of a .bw file."""
    need(len(data) >= HEADER_BYTES, f"{len(data)} bytes, too short for a .bw file; it may be cut off, copy it again")
    magic, version, n_ops, records_at, records, json_at, json_bytes, blobs_at, blobs, size, checksum, zero = (
        HEADER.unpack_from(data)
    )
    need(magic == MAGIC, "not a .bw file: it does not begin with the magic bytes")
    need(
        version in (VERSION, SHORT),
        f"file version {version}, this bitwright reads {VERSION}, {SHORT}; update bitwright",
    )
    need(size == len(data), f"{len(data)} bytes, its header says {size}; it may be cut off, copy it again")
    zeroed = data[:CHECKSUM_AT] + bytes(4) + data[CHECKSUM_AT + 4 :]
    need(zlib.crc32(zeroed) == checksum, "checksum does not match; the file is damaged, copy it again")
    need(zero == 0 and not any(data[80:HEADER_BYTES]), "reserved bytes of the header are not 0")
    need(records_at == HEADER_BYTES and records <= size, f"records at {records_at}, expected {HEADER_BYTES}")
    short = version == SHORT
    need(
        json_at == _round_up(HEADER_BYTES + records, 1 if short else 8) and json_at + json_bytes <= size,
        "JSON is out of place",
    )
    need(
        blobs_at == _round_up(json_at + json_bytes, 1 if short else 64) and blobs_at + blobs == size,
        "blobs are out of place",
    )
    gaps = data[HEADER_BYTES + records : json_at] + data[json_at + json_bytes : blobs_at]
    need(not any(gaps), "bytes between the parts are not 0")
    need(json_bytes <= limits.json_bytes, f"JSON of {json_bytes} bytes, the limit is {limits.json_bytes}")
    need(2 <= n_ops <= limits.ops, f"{n_ops} operations, expected 2..{limits.ops}")
    text, said, constants = (
        data[json_at : json_at + json_bytes],
        data[HEADER_BYTES : HEADER_BYTES + records],
        data[blobs_at:],
    )
    if short:
        text = unfold_json(text, limits.json_bytes)
        said, constants = unfold_records(said, constants, n_ops)
    header = _header(text)
    ops, stated = _records(said, n_ops, _Blobs(constants))
    types = infer(ops, limits)
    if short:  # states no types
        return Program(tuple(ops), types, header)
    for number, (found, said) in enumerate(zip(types, stated, strict=True)):
        need(
            found == said,
            f"operation {number} ({ops[number].name}): its record says {said}, its constants give {found}",
        )
    return Program(tuple(ops), types, header)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _header(text: bytes) -> dict:
    try:
        header = json.loads(text.decode(), parse_constant=_no_constant)
        json.dumps(header, ensure_ascii=False).encode()  # a lone surrogate could not be written again
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ProgramError(f"header is not JSON in UTF-8: {error}") from None
    need(isinstance(header, dict), "header is not a JSON object")
    return header


class _Blobs:
    """The blobs: no byte is taken twice, so that memory stays in proportion to the file, and none is left unnamed."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.spans: list[tuple[int, int]] = [(len(data), len(data))]  # in order; the last stands for the end

    def take(self, where: str, offset: int, size: int) -> bytes:
        end = offset + size
        need(offset % 64 == 0, f"{where}: begins at byte {offset} of the blobs, not a multiple of 64")
        need(end <= len(self.data), f"{where}: bytes {offset}..{end} of only {len(self.data)}")
        place = bisect_left(self.spans, (offset, end))
        before = self.spans[place - 1][1] if place else 0
        need(before <= offset and end <= self.spans[place][0], f"{where}: overlaps another constant at byte {offset}")
        self.spans.insert(place, (offset, end))
        return self.data[offset:end]

    def check_rest(self) -> None:
        at = 0
        for begin, end in self.spans:
            need(not any(self.data[at:begin]), f"bytes {at}..{begin} of the blobs belong to no constant and are not 0")
            at = end


def _records(data: bytes, n_ops: int, blobs: _Blobs) -> tuple[list[Op], list[ValueType]]:
    ops, types, at = [], [], 0
    for number in range(n_ops):
        need(at + RECORD.size <= len(data), f"record {number} is cut off")
        length = RECORD.unpack_from(data, at)[2]
        need(
            length >= RECORD.size and length % 8 == 0 and at + length <= len(data),
            f"record {number} has {length} bytes",
        )
        op, type_ = _record(data[at : at + length], number, blobs)
        ops.append(op)
        types.append(type_)
        at += length
    need(at == len(data), f"{len(data) - at} bytes after the last record")
    blobs.check_rest()
    return ops, types


def _record(data: bytes, number: int, blobs: _Blobs) -> tuple[Op, ValueType]:
    code, version, length, n_inputs, n_attrs, n_consts, zero_a, value, kind, ndim, zero_b, *rest = RECORD.unpack_from(
        data
    )
    dims, zero_c, lo, hi = rest[:3], rest[3], rest[4], rest[5]
    where = f"record {number}"
    need(code in OP_BY_CODE, f"{where}: unknown operation code {code}; update bitwright")
    name = OP_BY_CODE[code]
    spec = OPS[name]
    need(
        version == spec.version,
        f"{where} ({name}): version {version}, this bitwright reads {spec.version}; update bitwright",
    )
    need(zero_a == zero_b == zero_c == 0, f"{where} ({name}): reserved fields are not 0")
    need(value == number, f"{where} ({name}): makes value {value}, expected {number}")
    need(kind < len(KINDS) and ndim in (1, 3) and not any(dims[ndim:]), f"{where} ({name}): kind {kind}, {ndim} axes")
    need(
        (n_attrs, n_consts) == (len(spec.attrs), len(spec.consts)),
        f"{where} ({name}): {n_attrs} attributes, {n_consts} constants",
    )
    inputs_bytes = _round_up(4 * n_inputs, 8)
    expected = RECORD.size + inputs_bytes + 8 * n_attrs + CONST.size * n_consts
    need(length == expected, f"{where} ({name}): {length} bytes, expected {expected}")
    at = RECORD.size
    inputs = struct.unpack_from(f"<{n_inputs}I", data, at)
    need(not any(data[at + 4 * n_inputs : at + inputs_bytes]), f"{where} ({name}): padding is not 0")
    at += inputs_bytes
    attrs = dict(zip(spec.attrs, struct.unpack_from(f"<{n_attrs}q", data, at), strict=True))
    at += 8 * n_attrs
    consts, weight_dtype = {}, ""
    for const in spec.consts:
        found = _const(data[at : at + CONST.size], const, f"{where} ({name}), constant {const.name}", blobs)
        at += CONST.size
        if found is not None:
            dtype, consts[const.name] = found
            weight_dtype = dtype if const.name == "w" else weight_dtype
    return Op(name, inputs, attrs, consts, weight_dtype), ValueType(KINDS[kind], tuple(dims[:ndim]), lo, hi)


def _const(entry: bytes, const, where: str, blobs: _Blobs) -> tuple[str, np.ndarray] | None:
    if not any(entry):
        need(const.optional, f"{where} is missing")
        return None
    code, ndim, zero_a, d0, d1, d2, d3, zero_b, offset, size = CONST.unpack(entry)
    dtype = DTYPE_BY_CODE.get(code, "")
    need(dtype in const.dtypes, f"{where}: dtype {code}, expected one of {const.dtypes}")
    shape = (d0, d1, d2, d3)[:ndim]
    need(ndim in const.ndims and not any((d0, d1, d2, d3)[ndim:]) and zero_a == zero_b == 0, f"{where}: {ndim} axes")
    need(all(d >= 1 for d in shape), f"{where}: empty, shape {shape}")
    need(size == n_bytes(dtype, shape), f"{where}: {size} bytes for {dtype} {shape}, expected {n_bytes(dtype, shape)}")
    blob = blobs.take(where, offset, size)
    try:
        return dtype, from_blob(blob, dtype, shape)
    except ProgramError as error:
        raise ProgramError(f"{where}: {error}") from None
