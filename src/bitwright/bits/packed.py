"""Rows of bits, 64 to a word: the one packed order of the library, of its files and of its kernels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PackedBits:
    """Bits of a (rows, n_bits) array, 64 to a word; 1 stands for the sign +1, 0 for -1.

    words: uint64, (rows, ceil(n_bits / 64)). Bit j of word k, least significant first,
        is column 64 * k + j. Padding bits, at and after n_bits, are 0.
    n_bits: columns, counted in bits, not bytes or words.
    """

    words: np.ndarray
    n_bits: int


def pack_bits(bits: np.ndarray) -> PackedBits:
    """Pack a (rows, n_bits) array of 0 and 1 (any integer or bool dtype).

    Raises ValueError for another shape or another value.
    """
    bits = np.asarray(bits)
    if bits.ndim != 2:
        raise ValueError(f"pack_bits: bits has shape {bits.shape}, expected (rows, n_bits); reshape it first")
    if bits.dtype != np.bool_:
        wrong = np.argwhere((bits != 0) & (bits != 1))
        if len(wrong):
            where = tuple(int(i) for i in wrong[0])
            raise ValueError(
                f"pack_bits: bits{list(where)} is {bits[where]}, expected 0 or 1; threshold first, e.g. x >= 0"
            )
    rows, n_bits = bits.shape
    n_words = -(-n_bits // 64)
    padded = np.zeros((rows, n_words * 64), np.uint8)
    padded[:, :n_bits] = bits
    words = np.packbits(padded, axis=1, bitorder="little").view("<u8").reshape(rows, n_words)
    return PackedBits(words.astype(np.uint64, copy=False), n_bits)


def unpack_bits(packed: PackedBits) -> np.ndarray:
    """The (rows, n_bits) uint8 array of 0 and 1 that `pack_bits` packed."""
    octets = np.ascontiguousarray(packed.words.astype("<u8", copy=False)).view(np.uint8)
    octets = octets.reshape(packed.words.shape[0], packed.words.shape[1] * 8)
    return np.unpackbits(octets, axis=1, count=packed.n_bits, bitorder="little")


def pack_signs(signs: np.ndarray) -> PackedBits:
    """Pack a (rows, n_bits) array of -1 and +1. Raises ValueError for another value."""
    signs = np.asarray(signs)
    wrong = np.argwhere((signs != 1) & (signs != -1))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise ValueError(
            f"pack_signs: x{list(where)} is {signs[where]}, expected -1 or +1; "
            "quantize first, e.g. np.where(x >= 0, 1, -1)"
        )
    return pack_bits(signs > 0)


def xnor_dot(a: PackedBits, b: PackedBits) -> np.ndarray:
    """Products of signs summed: int64 (rows of a, rows of b), entry [i, j] = sum_k a[i, k] * b[j, k].

    Each product is +1 where the bits agree: n_bits - 2 * popcount(a XOR b).
    """
    if a.n_bits != b.n_bits:
        raise ValueError(f"xnor_dot: a has {a.n_bits} bits a row and b {b.n_bits}; they must be equal")
    differing = np.zeros((a.words.shape[0], b.words.shape[0]), np.int64)
    for k in range(a.words.shape[1]):
        differing += _popcount(a.words[:, None, k] ^ b.words[None, :, k])
    return a.n_bits - 2 * differing


if hasattr(np, "bitwise_count"):

    def _popcount(words: np.ndarray) -> np.ndarray:
        return np.bitwise_count(words).astype(np.int64)

else:  # NumPy 1.26: count inside bytes, then inside words

    def _popcount(words: np.ndarray) -> np.ndarray:
        words = words - ((words >> np.uint64(1)) & np.uint64(0x5555555555555555))
        low = np.uint64(0x3333333333333333)
        words = (words & low) + ((words >> np.uint64(2)) & low)
        words = (words + (words >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        return ((words * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.int64)


def popcount(words: np.ndarray) -> np.ndarray:
    """Ones in each uint64 word, as int64 of the same shape."""
    return _popcount(np.asarray(words, np.uint64))
