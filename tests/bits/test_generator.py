"""The generator against SplitMix64 as published, and against the page written out in plain Python."""

import numpy as np
import pytest

from bitwright.bits import gaussian_rows, generator_words, rademacher_rows, rademacher_signs
from bitwright.bits.generator import stream_key

MASK = (1 << 64) - 1
# First outputs of Vigna's splitmix64.c seeded with 1234567, as published with many of its ports.
PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def splitmix64(state):
    """splitmix64.c: the state steps by the golden ratio and is then mixed."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def first(state, count):
    stream = splitmix64(state)
    return [next(stream) for _ in range(count)]


def key(seed, layer, block):
    """mix(mix(mix(seed) + layer) + block): splitmix64 of a state one step back gives mix of it."""
    mixed = seed
    for extra in (layer, block, None):
        mixed = first((mixed - 0x9E3779B97F4A7C15) & MASK, 1)[0]
        mixed = (mixed + (extra or 0)) & MASK
    return mixed


def test_the_plain_generator_is_the_published_one():
    assert first(1234567, 5) == PUBLISHED


@pytest.mark.parametrize("seed, layer, block", [(0, 0, 0), (1, 2, 3), (MASK, (1 << 32) - 1, 70000), (1 << 63, 0, 1)])
def test_words_of_a_stream_are_splitmix64_from_its_key(seed, layer, block):
    assert stream_key(seed, layer, block) == key(seed, layer, block)
    words = first(key(seed, layer, block), 40)
    assert generator_words(seed, layer, block, 0, 40).tolist() == words
    assert generator_words(seed, layer, block, 17, 9).tolist() == words[17:26]
    assert generator_words(seed, layer, block, 5, 0).tolist() == []


def test_a_negative_seed_is_its_64_bits():
    assert stream_key(-1, 0, 0) == stream_key(MASK, 0, 0)


@pytest.mark.parametrize("n_signs", [1, 63, 64, 65, 200])
def test_signs_are_the_bits_least_significant_first(n_signs):
    words = first(key(5, 6, 7), 4)
    wanted = [1 if words[j // 64] >> j % 64 & 1 else -1 for j in range(n_signs)]
    assert rademacher_signs(5, 6, 7, n_signs).tolist() == wanted


@pytest.mark.parametrize("n_columns", [1, 64, 65, 130])
def test_rademacher_rows_begin_at_a_word(n_columns):
    n_words = -(-n_columns // 64)
    words = first(key(5, 6, 0), 9 * n_words)
    wanted = [[1 if words[n * n_words + j // 64] >> j % 64 & 1 else -1 for j in range(n_columns)] for n in range(9)]
    assert rademacher_rows(5, 6, 9, n_columns).tolist() == wanted
    assert rademacher_rows(5, 6, 4, n_columns, first_row=5).tolist() == wanted[5:]


def test_gaussian_entries_are_differences_of_popcounts():
    words = first(key(8, 9, 0), 2 * 6 * 5)
    wanted = [[words[2 * (n * 5 + j)].bit_count() - words[2 * (n * 5 + j) + 1].bit_count() for j in range(5)]
              for n in range(6)]  # fmt: skip
    assert gaussian_rows(8, 9, 6, 5).tolist() == wanted
    assert gaussian_rows(8, 9, 2, 5, first_row=4).tolist() == wanted[4:]


def test_statistics():
    """300,000 entries: means within 5 standard errors; variance of the difference of two Binomial(64, 1/2) is 32."""
    n = 300_000
    signs = rademacher_rows(1, 0, 300, 1000)
    assert abs(signs.mean()) < 5 / np.sqrt(n)
    normal = gaussian_rows(1, 0, 300, 1000).astype(float)
    assert abs(normal.mean()) < 5 * np.sqrt(32 / n)
    assert abs(normal.var() - 32) < 5 * np.sqrt((3 * 32**2 - 32**2) / n)
    kurtosis = (normal**4).mean() / normal.var() ** 2  # 3 - 1/64 for this sum of 128 coins
    assert abs(kurtosis - (3 - 2 / 128)) < 0.05
    assert abs(np.corrcoef(signs[::2].ravel(), signs[1::2].ravel())[0, 1]) < 5 / np.sqrt(n / 2)
