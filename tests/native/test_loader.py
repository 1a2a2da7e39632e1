"""The C loader: rejects every damaged field by name, and agrees with the Python loader on what is a Program."""

import ctypes
import struct
import zlib

import numpy as np
import pytest

from bitwright.backends.cpu import _Error, load_library
from bitwright.ir import Builder
from bitwright.ir.load import from_bytes
from bitwright.ir.types import ProgramError
from tests.backends.programs import PROGRAMS

try:
    LIBRARY = load_library()
except OSError:
    LIBRARY = None
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="the native core is not built; `make setup` builds it")


class Limits(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("operations", "tensor", "total", "steps", "json_bytes")]


DEFAULT = {"operations": 1 << 16, "tensor": 1 << 24, "total": 1 << 26, "steps": 1 << 40, "json_bytes": 1 << 24}


def open_native(data, **limits):
    """Error message of the C loader, "" if it takes the bytes."""
    error, program = _Error(), ctypes.c_void_p()
    given = Limits(**(DEFAULT | limits))
    status = LIBRARY.bw_program_open(bytes(data), len(data), ctypes.addressof(given), program, error)  # type: ignore
    LIBRARY.bw_program_free(program)
    assert (status == 0) == bool(program)
    return error.message.decode() if status else ""


def checksummed(data):
    data = bytearray(data)
    struct.pack_into("<I", data, 72, 0)
    struct.pack_into("<I", data, 72, zlib.crc32(data))
    return bytes(data)


def changed(data, at, value, kind="<B"):
    data = bytearray(data)
    struct.pack_into(kind, data, at, value)
    return checksummed(data)


def build(name):
    return PROGRAMS[name](np.random.default_rng(1)).to_bytes()


def records_of(data):
    """(offset, bytes) of every record."""
    at, found = 128, []
    for _ in range(struct.unpack_from("<I", data, 12)[0]):
        length = struct.unpack_from("<I", data, at + 4)[0]
        found.append((at, length))
        at += length
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_whole_file_is_taken(name):
    assert open_native(build(name)) == ""
    assert open_native(PROGRAMS[name](np.random.default_rng(1)).to_bytes(short=True)) == ""


SHORT_DAMAGE = [
    (1, b"\x02", "version 2 of the operation"),
    (0, b"\x7f", "code 127"),
    (0, b"\x83\x00", "superfluous"),
    (0, b"\xff" * 9 + b"\x02", "more than 64 bits"),
    (2, b"\x41", "the largest is 64"),
    (3, b"\x00", "reads its own value"),
    (3, b"\x02", "the largest is 1"),
    (5, b"\x0c", "dtype 12"),
    (5, b"\x04", "lies outside"),
    (6, b"\x00", "without axes"),
    (6, b"\x05", "the largest is 4"),
    (7, b"\x00", "empty"),
    (7, b"\xff\xff\xff\xff\x0f", "larger than its file"),
    (7, b"\x02", "the blobs go on"),
]


@pytest.mark.parametrize(("at", "bytes_", "words"), SHORT_DAMAGE)
def test_a_damaged_short_record_is_refused(at, bytes_, words):
    """Record 1 of a linear net: code, version, inputs, input, accumulator, dtype, axes, rows, columns."""
    b = Builder()
    data = b.finish(b.xnor_linear(b.input("bits", (70,)), np.ones((3, 70), np.uint8))).to_bytes(short=True)
    place = data.index(bytes([3, 1, 1, 1, 0]), 128) + at
    bad = bytearray(data[:place] + bytes_ + data[place + 1 :])
    grown = len(bytes_) - 1
    for field in (24, 32, 48, 64):
        struct.pack_into("<Q", bad, field, struct.unpack_from("<Q", bad, field)[0] + grown)
    message = open_native(checksummed(bad))
    assert words in message, message
    assert not _python_takes(checksummed(bad))


HEADER_FIELDS = [
    (0, "<B", 0x88, "not a .bw"),
    (7, "<B", 0, "not a .bw"),
    (8, "<I", 3, "version 3"),
    (8, "<I", 2, "expected 1730"),
    (12, "<I", 3, "only it"),
    (12, "<I", 0, "at least"),
    (12, "<I", 70000, "limit"),
    (16, "<Q", 136, "records begin"),
    (24, "<Q", 1 << 63, "records reach"),
    (24, "<Q", (1 << 64) - 1, "records reach"),
    (32, "<Q", 0, "JSON begin"),
    (40, "<Q", 1 << 62, "JSON reach"),
    (48, "<Q", 1, "blobs begin"),
    (56, "<Q", 0, "goes on behind"),
    (56, "<Q", 1 << 40, "blobs reach"),
    (64, "<Q", 77, "has 77 bytes"),
    (76, "<B", 1, "unused byte"),
    (127, "<B", 1, "unused byte"),
]


@pytest.mark.parametrize(("at", "kind", "value", "words"), HEADER_FIELDS)
def test_a_damaged_header_field_is_named(at, kind, value, words):
    assert words in open_native(changed(build("mlp"), at, value, kind))


def test_a_wrong_checksum_and_every_cut_are_refused():
    data = build("count_wide")
    for at in (80, 200, len(data) - 1):
        flipped = bytearray(data)
        flipped[at] ^= 4
        assert "checksum" in open_native(flipped)
    for n in range(0, len(data), 7):
        assert open_native(data[:n])


RECORD_FIELDS = [
    (0, "<H", 24, "code 24"),
    (2, "<H", 9, "version 9"),
    (4, "<I", 48, "claims"),
    (4, "<I", 1 << 31, "claims"),
    (8, "<H", 2, "inputs"),
    (10, "<H", 5, "attributes"),
    (12, "<H", 3, "constants"),
    (14, "<H", 1, "unused"),
    (16, "<I", 7, "own number"),
    (20, "<B", 3, "kind"),
    (20, "<B", 0, "kind or shape"),
    (21, "<B", 3, "kind or shape"),
    (22, "<H", 1, "unused"),
    (24, "<I", 9, "kind or shape"),
    (36, "<I", 1, "unused"),
    (40, "<q", 0, "range"),
    (48, "<q", 1 << 60, "range"),
    (56, "<I", 1, "only values before"),
    (60, "<I", 1, "unused"),
]


@pytest.mark.parametrize(("at", "kind", "value", "words"), RECORD_FIELDS)
def test_a_damaged_record_is_refused_with_its_number(at, kind, value, words):
    data = build("mlp")
    record, _ = records_of(data)[1]
    message = open_native(changed(data, record + at, value, kind))
    assert words in message and "operation 1" in message


CONST_FIELDS = [
    (0, "<B", 0, "dtype"),
    (0, "<B", 12, "dtype"),
    (0, "<B", 3, "dtype"),
    (1, "<B", 1, "axes"),
    (2, "<B", 1, "unused"),
    (4, "<I", 0, "empty"),
    (4, "<I", 0xFFFFFFFF, "larger than its file"),
    (4, "<I", 66, "shape needs"),
    (12, "<I", 1, "unused dim"),
    (20, "<I", 1, "unused"),
    (24, "<Q", 32, "multiple of 64"),
    (24, "<Q", 1 << 63, "outside"),
    (32, "<Q", 8, "shape needs"),
]


@pytest.mark.parametrize(("at", "kind", "value", "words"), CONST_FIELDS)
def test_a_damaged_constant_is_refused(at, kind, value, words):
    data = build("mlp")
    record, length = records_of(data)[1]
    message = open_native(changed(data, record + length - 40 + at, value, kind))
    assert words in message and "operation 1 (int_linear)" in message


def test_padding_of_a_row_and_gaps_between_blobs_must_be_zero():
    data = build("mlp")
    record, length = records_of(data)[1]
    blobs = struct.unpack_from("<Q", data, 48)[0]
    offset, n_bytes = struct.unpack_from("<QQ", data, record + length - 16)
    assert "padding" in open_native(changed(data, blobs + offset + 15, 0x80))  # row of 70 bits in 16 bytes
    assert n_bytes % 64 and "belongs to no constant" in open_native(changed(data, blobs + offset + n_bytes, 1))


def test_constants_must_not_share_bytes():
    """Else a small file could ask for any amount of memory."""
    data = build("prelu_fused")
    ends = [at + n for at, n in records_of(data) if struct.unpack_from("<H", data, at)[0] == 3]  # xnor_linear
    (offset,) = struct.unpack_from("<Q", data, ends[0] - 16)
    assert "overlap" in open_native(changed(data, ends[1] - 16, offset, "<Q"))


def test_an_absent_constant_that_must_be_there():
    data = bytearray(build("mlp"))
    record, length = records_of(data)[1]
    data[record + length - 40 : record + length] = bytes(40)
    assert "missing" in open_native(checksummed(data))


@pytest.mark.parametrize(
    ("limit", "value"), [("operations", 5), ("tensor", 129), ("total", 400), ("steps", 5000), ("json_bytes", 1)]
)
def test_limits_hold(limit, value):
    message = open_native(build("mlp"), **{limit: value})
    assert str(value) in message and ("limit" in message or "more than" in message)


def _python_takes(data):
    try:
        from_bytes(data)
    except ProgramError:
        return False
    return True


@pytest.mark.parametrize("name", PROGRAMS)
def test_both_loaders_take_and_refuse_the_same(name):
    """Every field of every record, changed a little and a lot, with the checksum made right again."""
    rng = np.random.default_rng(5)
    data = build(name)
    for record, length in records_of(data):
        for at in rng.permutation(length // 4)[:12]:
            place = record + 4 * int(at)
            (old,) = struct.unpack_from("<I", data, place)
            new = (old + int(rng.choice([-1, 1, 2, 64]))) % (1 << 32)
            if rng.random() < 0.3:
                new = int(rng.integers(1 << 32))
            mutant = changed(data, place, new, "<I")
            message = open_native(mutant)
            if "overlap" not in message:
                assert _python_takes(mutant) == (message == ""), (at, old, new, message)
