import errno
import os
import struct
import zlib

import numpy as np
import pytest
from building import data_for
from damage import SMALL, image_program, sealed
from plain_writer import record, whole_file

from bitwright.ir import OPS, Builder, Limits, ProgramError, execute, from_bytes, load

HEADER_FIELDS = {
    "magic": (0, 8), "version": (8, 4), "operations": (12, 4), "records_at": (16, 8), "records": (24, 8),
    "json_at": (32, 8), "json": (40, 8), "blobs_at": (48, 8), "blobs": (56, 8), "file": (64, 8), "checksum": (72, 4),
    "rest": (76, 52),
}  # fmt: skip
RECORD_FIELDS = {
    "code": (0, 2), "version": (2, 2), "bytes": (4, 4), "inputs": (8, 2), "attributes": (10, 2), "constants": (12, 2),
    "zero": (14, 2), "value": (16, 4), "kind": (20, 1), "axes": (21, 1), "zero2": (22, 2), "dim0": (24, 4),
    "dim1": (28, 4), "dim2": (32, 4), "zero3": (36, 4), "lo": (40, 8), "hi": (48, 8),
}  # fmt: skip
CONST_FIELDS = {
    "axes": (1, 1), "zero": (2, 2), "dim0": (4, 4), "dim1": (8, 4), "dim2": (12, 4), "dim3": (16, 4), "zero2": (20, 4),
    "offset": (24, 8), "bytes": (32, 8),
}  # fmt: skip


def records_of(data):
    """Offset of every record of a file."""
    at, end, found = 128, 128 + struct.unpack_from("<Q", data, 24)[0], []
    while at < end:
        found.append(at)
        at += struct.unpack_from("<I", data, at + 4)[0]
    return found


def changed(data, at, size, change):
    data = bytearray(data)
    value = int.from_bytes(data[at : at + size], "little")
    data[at : at + size] = (change(value) % (1 << 8 * size)).to_bytes(size, "little")
    return bytes(data)


CHANGES = [
    lambda v: v + 1,
    lambda v: v ^ 64,
    lambda v: v + (1 << 31),
    lambda v: 0,
    lambda v: (1 << 64) - 1,
]


def rejected(data):
    with pytest.raises(ProgramError):
        from_bytes(data)


@pytest.mark.parametrize("name", SMALL)
def test_round_trip_is_identical(name):
    program = SMALL[name]()
    data = program.to_bytes()
    again = from_bytes(data)
    assert again.to_bytes() == data
    assert again.types == program.types and again.header == program.header
    for before, after in zip(program.ops, again.ops, strict=True):
        assert (before.name, before.inputs, dict(before.attrs)) == (after.name, after.inputs, after.attrs)
        assert all((before.consts[key] == after.consts[key]).all() for key in before.consts)
    x = data_for(program, 20)
    for one, other in zip(execute(program, x, keep=True), execute(again, x, keep=True), strict=True):
        assert np.array_equal(one, other)


def test_the_small_programs_have_every_operation():
    assert {op.name for make in SMALL.values() for op in make().ops} == set(OPS)


def test_save_and_load(tmp_path):
    program = image_program()
    path = tmp_path / "m.bw"
    assert program.save(path, short=False) == path.stat().st_size == len(program.to_bytes())
    assert load(path).to_bytes() == program.to_bytes()
    assert program.save(path) == path.stat().st_size == len(program.to_bytes(short=True)) < len(program.to_bytes())
    assert load(path).to_bytes() == program.to_bytes()
    assert load(path).header["note"] == "é"
    assert os.listdir(tmp_path) == ["m.bw"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    program = image_program()
    path = tmp_path / "m.bw"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*m\.bw: No space left on device; choose another place"):
        program.save(path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["m.bw"]
    with pytest.raises(OSError, match="cannot write"):
        program.save(tmp_path / "none" / "m.bw")


def test_errors_of_load_name_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file; `bitwright freeze` writes one"):
        load(tmp_path / "none.bw")
    (tmp_path / "m.bw").write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(ProgramError, match=r"m\.bw: not a \.bw file"):
        load(tmp_path / "m.bw")


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_every_truncation_is_an_error(name, short):
    data = SMALL[name]().to_bytes(short)
    for length in range(len(data)):
        rejected(data[:length])
        if length % 7 == 0:
            rejected(sealed(data[:length]))
    rejected(data + b"\0")
    rejected(sealed(data + bytes(64)))


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_every_flipped_byte_is_noticed(name, short):
    data = SMALL[name]().to_bytes(short)
    for at in range(len(data)):
        rejected(changed(data, at, 1, lambda v: v ^ 0x10))


@pytest.mark.parametrize("name", SMALL)
def test_the_short_form_says_the_same(name):
    program = SMALL[name]()
    data = program.to_bytes(short=True)
    again = from_bytes(data)
    assert again.to_bytes() == program.to_bytes() and again.to_bytes(short=True) == data
    records, text, blobs = (struct.unpack_from("<QQ", data, at) for at in (16, 32, 48))
    assert (records[0], text[0], blobs[0], len(data)) == (128, sum(records), sum(text), sum(blobs))
    assert 3 * records[1] < struct.unpack_from("<Q", program.to_bytes(), 24)[0]


@pytest.mark.parametrize("text", [b"{}", zlib.compress(b"{}")[:-1], zlib.compress(b"{}") + b"x", zlib.compress(b"3"),
                                  zlib.compress(b" " * 1000 + b"{}")])  # fmt: skip
def test_a_short_header_that_is_not_deflated_json(text):
    b = Builder()
    data = b.finish(b.clip(b.input("int", (1,), 0, 1), 0, 1)).to_bytes(short=True)
    json_at, n_json, blobs_at = struct.unpack_from("<3Q", data, 32)
    bad = bytearray(data[:json_at] + text + data[json_at + n_json :])
    struct.pack_into("<QQ", bad, 40, len(text), blobs_at + len(text) - n_json)
    with pytest.raises(ProgramError, match="header is not"):
        from_bytes(sealed(bad), Limits(json_bytes=100))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("field", HEADER_FIELDS)
def test_every_field_of_the_header(name, field):
    data = SMALL[name]().to_bytes()
    at, size = HEADER_FIELDS[field]
    for change in CHANGES:
        bad = changed(data, at, size, change)
        if field not in ("checksum", "file"):
            bad = sealed(bad)
        if bad != data:
            rejected(bad)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("field", RECORD_FIELDS)
def test_every_field_of_every_record(name, field):
    data = SMALL[name]().to_bytes()
    at, size = RECORD_FIELDS[field]
    for start in records_of(data):
        for change in CHANGES:
            bad = sealed(changed(data, start + at, size, change))
            if bad != data:
                rejected(bad)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("field", CONST_FIELDS)
def test_every_field_of_every_constant(name, field):
    data = SMALL[name]().to_bytes()
    at, size = CONST_FIELDS[field]
    for start in records_of(data):
        n_bytes, n_consts = struct.unpack_from("<I", data, start + 4)[0], struct.unpack_from("<H", data, start + 12)[0]
        for entry in range(start + n_bytes - 40 * n_consts, start + n_bytes, 40):
            for change in CHANGES:
                bad = sealed(changed(data, entry + at, size, change))
                if bad != data:
                    rejected(bad)


def test_bytes_that_nobody_names_must_be_zero():
    data = image_program().to_bytes()
    json_at, json_bytes, blobs_at, blobs = struct.unpack_from("<4Q", data, 32)
    padding = list(range(json_at + json_bytes, blobs_at))
    spans = []
    for start in records_of(data):
        n_bytes, n_consts = struct.unpack_from("<I", data, start + 4)[0], struct.unpack_from("<H", data, start + 12)[0]
        for entry in range(start + n_bytes - 40 * n_consts, start + n_bytes, 40):
            if any(data[entry : entry + 40]):
                spans.append(struct.unpack_from("<QQ", data, entry + 24))
    named = {i for offset, size in spans for i in range(offset, offset + size)}
    padding += [blobs_at + i for i in range(blobs) if i not in named]
    assert len(padding) > 100
    for at in padding[::5]:
        rejected(sealed(changed(data, at, 1, lambda v: 1)))


def test_padding_of_rows_must_be_zero():
    b = Builder()
    x = b.int_linear(b.input("int", (3,), 0, 9), [[1, 2, 3]], "i4")
    data = b.finish(x).to_bytes()
    blobs_at = struct.unpack_from("<Q", data, 48)[0]
    assert data[blobs_at : blobs_at + 8] == bytes([0x21, 0x03, 0, 0, 0, 0, 0, 0])
    with pytest.raises(ProgramError, match="padding of an i4 row is not 0"):
        from_bytes(sealed(changed(data, blobs_at + 1, 1, lambda v: v | 0x10)))
    b = Builder()
    x = b.xnor_linear(b.input("bits", (3,)), [[1, 0, 1]])
    data = b.finish(x).to_bytes()
    blobs_at = struct.unpack_from("<Q", data, 48)[0]
    with pytest.raises(ProgramError, match="padding bits of a row are not 0"):
        from_bytes(sealed(changed(data, blobs_at, 1, lambda v: v | 0x08)))


def test_two_constants_never_share_their_bytes():
    """Else a small file could name one large blob thousands of times."""
    blobs = bytearray()
    made = [
        record(0, 0, (), 0, (3,), 0, 0, (0, 1, 3, 0, 0, 0, 0)),
        record(1, 3, (0,), 1, (1,), -3, 3, (0,), [(1, (1, 3), bytes([5]) + bytes(7))], blobs),
        record(2, 3, (0,), 1, (1,), -3, 3, (0,), [(1, (1, 3), bytes([5]) + bytes(7))], bytearray()),
        record(3, 23, (2,), 1, (1,), -3, 3),
    ]
    with pytest.raises(ProgramError, match="overlaps another constant at byte 0"):
        from_bytes(whole_file(4, b"".join(made), b"{}", blobs))


@pytest.mark.parametrize(
    "text", [b"", b"[1]", b"{", b'{"a": NaN}', b'{"a": "\xff"}', b'{"a": "\\ud800"}', b"[" * 100000, b"3"]
)
def test_a_header_that_is_not_json(text):
    b = Builder()
    b.finish(b.input("int", (1,), 0, 1))
    made = record(0, 0, (), 1, (1,), 0, 1, (1, 1, 1, 0, 0, 0, 1)) + record(1, 23, (0,), 1, (1,), 0, 1)
    assert from_bytes(whole_file(2, made, b"{}", b"")).types
    with pytest.raises(ProgramError, match="header is not"):
        from_bytes(whole_file(2, made, text, b""))


def test_a_header_that_cannot_be_json():
    b = Builder()
    with pytest.raises(TypeError, match="is not JSON; convert it"):
        b.finish(b.input("int", (1,), 0, 1), {"when": object()})


@pytest.mark.parametrize(
    "limits, message",
    [
        (Limits(ops=5), "operations, expected 2..5"),
        (Limits(tensor=31), "32 values in one tensor, the limit is 31"),
        (Limits(total=100), "more than 100 values a sample"),
        (Limits(steps=1000), "more than 1000 steps a sample"),
        (Limits(json_bytes=10), "JSON of 42 bytes, the limit is 10"),
    ],
)
def test_limits(limits, message):
    data = image_program().to_bytes()
    with pytest.raises(ProgramError, match=message):
        from_bytes(data, limits)


def test_any_dtype_of_the_table_is_read():
    """A writer takes the smallest; a reader takes them all."""
    for code, item in ((4, "<b"), (6, "<h"), (8, "<i"), (10, "<q")):
        blobs = bytearray()
        t = struct.pack(item, -2) + struct.pack(item, 3)
        made = [
            record(0, 0, (), 1, (2,), -9, 9, (1, 1, 2, 0, 0, -9, 9)),
            record(1, 1, (0,), 0, (2,), 0, 0, (), [(code, (2, 1), t), (1, (2,), bytes(8))], blobs),
            record(2, 22, (1,), 1, (2,), 0, 1, (0,)),
            record(3, 23, (2,), 1, (2,), 0, 1),
        ]
        program = from_bytes(whole_file(4, b"".join(made), b"{}", blobs))
        assert execute(program, np.array([[-3, 3], [-2, 2]]))[-1].tolist() == [[0, 1], [1, 0]]
