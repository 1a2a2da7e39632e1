"""Small programs that between them have every kind of record, and ways to damage their files."""

import struct
import zlib

import numpy as np

from bitwright.ir import Builder


def sealed(data):
    """The bytes with the file length and the checksum made right again."""
    data = bytearray(data)
    if len(data) >= 128:
        struct.pack_into("<Q", data, 64, len(data))
        struct.pack_into("<I", data, 72, 0)
        struct.pack_into("<I", data, 72, zlib.crc32(data))
    return bytes(data)


def image_program():
    """Bits and ints on a small image: convolutions, pools, tables, residual, moves, projection, count."""
    rng = np.random.default_rng(0)
    b = Builder()
    x = b.input("int", (2, 4, 4), -20, 99)
    y = b.int_conv2d(x, rng.integers(-8, 8, (2, 2, 3, 3)), "i4", padding=1, pad_value=3)
    y = b.add(b.prelu(y, [3, -1], [-2, 1], [5, 0], [1, 0]), x)
    z = b.threshold(b.affine(y, 3, -7, 2), [[0, 40], [-30, 11]], [0, 1, 1, 0])
    z = b.xnor_conv2d(z, rng.integers(0, 2, (4, 2, 2, 3)), padding=(0, 1, 2, 0), groups=2, accumulator="wrap8_half")
    z = b.max_pool2d(z, 2, 1, (1, 0))
    z = b.threshold(b.clip(z, -3, 3), rng.integers(-2, 3, 4))
    z = b.lut(z, rng.integers(0, 4, (3, 2)), rng.integers(0, 16, 3))
    z = b.lut_conv2d(z, [[0, 0, 0], [1, 1, 1], [2, 0, 1]], [[0, 1], [2, 3]], [6, 9], [4, 1], 2, pad_value=1, padding=1)
    z = b.pad(b.patches(z, 2, 2), (1, 0), (0, 0, 1, 0), 1)
    z = b.gather(z, [0, 3, 5, 8, 1])
    s = b.sum_pool2d(b.to_int(z, "signs"), 2, 1)
    s = b.reshape(s, (s.type.n_values,))
    bits = b.concat([b.project(s, 9, "gaussian", 5), b.project(s, 6, "hadamard", -3, 2, 2, 1, t=np.arange(6) - 3)])
    counted = b.count(bits, [[0, 1, 2, 3, 14], [4, 5], [6, 7, 8, 9]], [[0, 1, 0, 0, 1], [1, 1], [0] * 4], [-1, 2, 0])
    return b.finish(b.add(counted, [1, -1, 0]), {"classes": ["a", "b", "c"], "note": "é"})


def table_program():
    """Floats in, thermometer, digitize, two linear layers."""
    rng = np.random.default_rng(1)
    b = Builder()
    x = b.input("float", (3,))
    bits = b.threshold(x, np.array([[-np.inf, -1, 0], [0.5, 1, 2], [-0.25, 0, np.inf]], np.float32))
    levels = b.digitize(b.gather(x, [2, 0]), np.array([[-1, 0, 1], [0, 0, 0.5]], np.float32))
    sums = b.xnor_linear(bits, rng.integers(0, 2, (4, 9)), "wrap8")
    sums = b.add(sums, b.int_linear(levels, rng.integers(0, 2, (4, 2)), "bit"))
    return b.finish(b.add(sums, b.int_linear(bits, rng.integers(-128, 128, (4, 9)), "i8")))


def bit_program():
    """A logic net: bits in, tables, group sums; the smallest useful file."""
    b = Builder()
    x = b.lut(b.input("bits", (4,)), [[0, 1], [2, 3], [1, 2]], [6, 8, 14])
    return b.finish(b.count(x, [[0, 1], [2]]))


SMALL = {"image": image_program, "table": table_program, "bits": bit_program}
