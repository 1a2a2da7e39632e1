"""The packed product of the benchmark against NumPy's, for every kernel set of this machine."""

import numpy as np
import pytest

from bitwright.backends.cpu import library_path
from bitwright.bench.gemm import PackedGemm, compare_gemm, pack_rows
from bitwright.ir.executors import join_backends

needs_core = pytest.mark.skipif(
    not library_path().exists(), reason="needs the native core: install gcc, then make setup"
)


def isas():
    return [name.split(":")[1] for name in join_backends() if ":" in name] or ["reference"]


@pytest.mark.parametrize("k", [1, 63, 64, 65, 130])
def test_rows_are_packed_least_significant_first(k):
    bits = np.random.default_rng(k).integers(0, 2, (3, k), np.uint8)
    words = pack_rows(bits)
    assert words.ctypes.data % 64 == 0 and words.shape == (3, (k + 63) // 64)
    for row in range(3):
        value = sum(int(word) << (64 * i) for i, word in enumerate(words[row]))
        assert value == sum(int(bit) << j for j, bit in enumerate(bits[row]))


@needs_core
@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("m, n, k", [(1, 1, 1), (5, 17, 65), (33, 40, 200), (64, 64, 256)])
def test_sums_are_products_of_signs(isa, m, n, k):
    rng = np.random.default_rng(m)
    a, b = rng.integers(0, 2, (m, k), np.uint8), rng.integers(0, 2, (n, k), np.uint8)
    expected = (2 * a.astype(int) - 1) @ (2 * b.astype(int) - 1).T
    assert np.array_equal(PackedGemm(a, b, isa).run(), expected)


@needs_core
def test_comparison_reports_both_sides_and_unknown_sets_are_named():
    report = compare_gemm("reference", 8, 16, 64, rounds=2, sample_seconds=1e-4)
    assert report.ratio == pytest.approx(report.floats.seconds / report.bits.seconds)
    assert "8 x 16 x 64" in str(report)
    with pytest.raises(ValueError, match="no kernel set 'avx9'"):
        compare_gemm("avx9", 8, 16, 64)
