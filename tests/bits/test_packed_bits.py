import numpy as np
import pytest

from bitwright.bits import PackedBits, pack_bits, pack_signs, unpack_bits, xnor_dot
from bitwright.bits.packed import popcount

SIZES = [1, 7, 63, 64, 65, 127, 128, 200]  # around a word's edge


@pytest.mark.parametrize("n_bits", SIZES)
def test_order_of_bits(n_bits):
    bits = np.random.default_rng(n_bits).integers(0, 2, (3, n_bits))
    packed = pack_bits(bits)
    assert packed.n_bits == n_bits and packed.words.shape == (3, -(-n_bits // 64)) and packed.words.dtype == np.uint64
    for r in range(3):
        number = sum(int(b) << j for j, b in enumerate(bits[r]))  # padding bits are 0 as well
        assert sum(int(w) << 64 * k for k, w in enumerate(packed.words[r])) == number
    assert (unpack_bits(packed) == bits).all() and unpack_bits(packed).dtype == np.uint8


@pytest.mark.parametrize("n_bits", SIZES)
def test_xnor_dot_is_the_integer_product(n_bits):
    rng = np.random.default_rng(n_bits)
    a, b = (rng.choice([-1, 1], (5, n_bits)) for _ in range(2))
    assert (xnor_dot(pack_signs(a), pack_signs(b)) == a @ b.T).all()


def test_bools_empty_rows_and_views():
    bits = np.random.default_rng(0).integers(0, 2, (6, 70)).astype(bool)
    assert (unpack_bits(pack_bits(bits[::2, ::-1])) == bits[::2, ::-1]).all()
    assert unpack_bits(pack_bits(np.zeros((0, 9), np.uint8))).shape == (0, 9)
    assert unpack_bits(pack_bits(np.zeros((2, 0), np.uint8))).shape == (2, 0)


def test_popcount():
    words = np.array([[0, 1, (1 << 64) - 1], [1 << 63, 0xAAAAAAAAAAAAAAAA, 12345]], np.uint64)
    assert popcount(words).tolist() == [[int(w).bit_count() for w in row] for row in words]


def test_popcount_of_an_older_numpy(monkeypatch):
    """NumPy 1.26 has no bitwise_count; the module then counts by itself."""
    import importlib

    from bitwright.bits import packed

    if hasattr(np, "bitwise_count"):
        monkeypatch.delattr(np, "bitwise_count")
    try:
        older = importlib.reload(packed)
        words = np.random.default_rng(1).integers(0, 1 << 64, 100, dtype=np.uint64)
        words[:2] = 0, (1 << 64) - 1
        assert older.popcount(words).tolist() == [int(w).bit_count() for w in words]
    finally:
        monkeypatch.undo()
        importlib.reload(packed)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: pack_bits(np.zeros(5, int)), r"shape \(5,\), expected \(rows, n_bits\)"),
        (lambda: pack_bits(np.array([[0, 1, 2]])), r"bits\[0, 2\] is 2, expected 0 or 1; threshold first"),
        (lambda: pack_signs(np.array([[1.0, 0.5]])), r"x\[0, 1\] is 0.5, expected -1 or \+1; quantize first"),
        (lambda: pack_signs(np.array([[np.nan]])), "expected -1 or"),
        (lambda: xnor_dot(pack_bits(np.ones((1, 3), int)), pack_bits(np.ones((1, 4), int))), "3 bits a row and b 4"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_packed_bits_are_plain_data():
    assert PackedBits(np.zeros((1, 1), np.uint64), 3).n_bits == 3
