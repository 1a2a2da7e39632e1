"""The seeded bit generator: any word of any stream straight from its counter, the same in every language.

Source: the SplitMix64 step and finalizer of Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014; the stream's key chains the finalizer over seed, layer and block.
"""

import numpy as np

from bitwright.bits.packed import popcount

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def _mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def stream_key(seed: int, layer: int, block: int) -> int:
    """mix(mix(mix(seed) + layer) + block), all modulo 2^64."""
    key = _mix(seed & _MASK)
    key = _mix((key + layer) & _MASK)
    return _mix((key + block) & _MASK)


def generator_words(seed: int, layer: int, block: int, start: int, count: int) -> np.ndarray:
    """Words start .. start + count - 1 of the stream (seed, layer, block): uint64 (count,).

    Word i is mix(key + (i + 1) * 0x9E3779B97F4A7C15) with key = stream_key(seed, layer, block).
    """
    index = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    z = np.uint64(stream_key(seed, layer, block)) + index * np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def rademacher_signs(seed: int, layer: int, block: int, n_signs: int) -> np.ndarray:
    """int8 (n_signs,) of -1 and +1: sign j is bit j % 64 of word j // 64, 1 standing for +1."""
    words = generator_words(seed, layer, block, 0, -(-n_signs // 64))
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), count=n_signs, bitorder="little")
    return (2 * bits.astype(np.int8) - 1).astype(np.int8)


def rademacher_rows(seed: int, layer: int, n_rows: int, n_columns: int, first_row: int = 0) -> np.ndarray:
    """int8 (n_rows, n_columns) of -1 and +1: row n uses words n * W .. n * W + W - 1, W = ceil(n_columns / 64).

    first_row: number of the first row given, to make a tall matrix in parts.
    """
    n_words = -(-n_columns // 64)
    words = generator_words(seed, layer, 0, first_row * n_words, n_rows * n_words).astype("<u8").view(np.uint8)
    bits = np.unpackbits(words.reshape(n_rows, n_words * 8), axis=1, count=n_columns, bitorder="little")
    return (2 * bits.astype(np.int8) - 1).astype(np.int8)


def gaussian_rows(seed: int, layer: int, n_rows: int, n_columns: int, first_row: int = 0) -> np.ndarray:
    """int8 (n_rows, n_columns), near Gaussian with mean 0 and variance 32, each within [-64, 64].

    Entry i = n * n_columns + j is popcount(word 2i) - popcount(word 2i + 1). first_row: as in rademacher_rows.
    """
    start = 2 * first_row * n_columns
    ones = popcount(generator_words(seed, layer, 0, start, 2 * n_rows * n_columns)).reshape(n_rows, n_columns, 2)
    return (ones[..., 0] - ones[..., 1]).astype(np.int8)
