"""A second writer of `.bw` files, straight from the page: it knows offsets and numbers, and nothing of bitwright."""

import struct
import zlib


def record(number, code, inputs, kind, dims, lo, hi, attrs=(), consts=(), blobs=None):
    """One record; consts: (dtype code, dims, bytes) or None for an absent one; their bytes go into blobs."""
    body = b"".join(struct.pack("<I", i) for i in inputs)
    body += bytes(-len(body) % 8)
    body += b"".join(struct.pack("<q", a) for a in attrs)
    for const in consts:
        if const is None:
            body += bytes(40)
            continue
        dtype, shape, data = const
        blobs += bytes(-len(blobs) % 64)
        body += struct.pack("<BBH", dtype, len(shape), 0)
        body += struct.pack("<4I", *[*shape, 0, 0, 0][:4]) + bytes(4) + struct.pack("<QQ", len(blobs), len(data))
        blobs += data
    head = struct.pack("<HHI", code, 1, 56 + len(body))
    head += struct.pack("<HHHH", len(inputs), len(attrs), len(consts), 0)
    head += struct.pack("<IBBH", number, kind, len(dims), 0)
    head += struct.pack("<3I", *[*dims, 0, 0][:3]) + bytes(4)
    head += struct.pack("<qq", lo, hi)
    return head + body


def whole_file(n_ops, records, text, blobs):
    json_at = (128 + len(records) + 7) // 8 * 8
    blobs_at = (json_at + len(text) + 63) // 64 * 64
    data = bytearray(blobs_at + len(blobs))
    data[:8] = bytes.fromhex("894257500D0A1A0A")
    struct.pack_into("<II", data, 8, 1, n_ops)
    struct.pack_into("<QQQQQQQ", data, 16, 128, len(records), json_at, len(text), blobs_at, len(blobs), len(data))
    data[128 : 128 + len(records)] = records
    data[json_at : json_at + len(text)] = text
    data[blobs_at:] = blobs
    struct.pack_into("<I", data, 72, zlib.crc32(data))
    return bytes(data)


def bytes_of_golden_linear():
    """input int[3] in 0..15, threshold, xnor_linear, affine, output; every number worked out in golden/linear.txt."""
    blobs = bytearray()
    t, flip = (4, (3, 1), bytes([5, 8, 3])), (1, (3,), bytes([0b010]) + bytes(7))
    w = (1, (2, 3), bytes([0b101]) + bytes(7) + bytes([0b110]) + bytes(7))
    mul, add, shift = (4, (2,), bytes([3, 254])), (6, (2,), struct.pack("<hh", 1, 300)), (3, (2,), bytes([1, 2]))
    made = [
        record(0, 0, (), 1, (3,), 0, 15, (1, 1, 3, 0, 0, 0, 15)),
        record(1, 1, (0,), 0, (3,), 0, 0, (), [t, flip], blobs),
        record(2, 3, (1,), 1, (2,), -3, 3, (0,), [w], blobs),
        record(3, 11, (2,), 1, (2,), -4, 76, (), [mul, add, shift], blobs),
        record(4, 23, (3,), 1, (2,), -4, 76),
    ]
    return whole_file(5, b"".join(made), b'{"classes": ["no", "yes"]}', blobs)


def short_number(value):
    out = b""
    while value > 127:
        value, low = divmod(value, 128)
        out += bytes([128 + low])
    return out + bytes([value])


def bytes_of_golden_short():
    """golden/linear again, in the short form: numbers of a byte each but for 300 = 2 * 150."""
    numbers = [
        0, 1, 0, *(2 * v for v in (1, 1, 3, 0, 0, 0, 15)),
        1, 1, 1, 1, 4, 2, 3, 1, 1, 1, 3,
        3, 1, 1, 1, 0, 1, 2, 2, 3,
        11, 1, 1, 1, 4, 1, 2, 6, 1, 2, 3, 1, 2,
        23, 1, 1, 1,
    ]  # fmt: skip
    records = b"".join(map(short_number, numbers))
    blobs = bytes([5, 8, 3, 0b010, 0b101, 0b110, 3, 254]) + struct.pack("<hh", 1, 300) + bytes([1, 2])
    text = zlib.compress(b'{"classes": ["no", "yes"]}', 0)
    data = bytearray(bytes.fromhex("894257500D0A1A0A")) + bytes(120) + records + text + blobs
    json_at, blobs_at = 128 + len(records), 128 + len(records) + len(text)
    struct.pack_into("<II", data, 8, 2, 5)
    struct.pack_into("<QQQQQQQ", data, 16, 128, len(records), json_at, len(text), blobs_at, len(blobs), len(data))
    struct.pack_into("<I", data, 72, zlib.crc32(data))
    return bytes(data)


def bytes_of_golden_conv():
    """input bits[1,2,2], int_conv2d with 4-bit weights and a row of padding above, reshape, output."""
    blobs = bytearray()
    window = (2, 2, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0)  # kernel, stride, four paddings, dilation, groups, pad_value
    made = [
        record(0, 0, (), 0, (1, 2, 2), 0, 0, (0, 3, 1, 2, 2, 0, 0)),
        record(1, 6, (0,), 1, (1, 2, 1), -14, 14, window, [(2, (1, 1, 2, 2), bytes([0xE1, 0x83]) + bytes(6))], blobs),
        record(2, 19, (1,), 1, (2,), -14, 14, (1, 2, 0, 0)),
        record(3, 23, (2,), 1, (2,), -14, 14),
    ]
    return whole_file(4, b"".join(made), b"{}", blobs)


GOLDEN = {"linear": bytes_of_golden_linear, "conv": bytes_of_golden_conv}
