"""Thermometer against plain loops, and its thresholds against what a quantile is."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers.thermometer import Thermometer, quantile_thresholds  # noqa: E402


def test_each_sign_is_one_comparison():
    thresholds = np.array([[-1.0, 0.5, np.inf], [2.0, 2.0, 3.0]], np.float32)
    x = np.array([[0.5, 2.0], [-1.0, 3.0], [-2.0, 1.9999999]], np.float32)
    expected = [[1 if value >= t else -1 for value, row in zip(xs, thresholds, strict=True) for t in row] for xs in x]
    assert Thermometer(thresholds)(torch.from_numpy(x)).tolist() == expected


def test_thresholds_part_the_rows_evenly():
    x = np.random.default_rng(0).lognormal(size=(9000, 2)).astype(np.float32)
    thresholds = quantile_thresholds(x, 8)
    shares = (x[:, :, None] >= thresholds).mean(0)
    assert np.abs(shares - np.arange(8, 0, -1) / 9).max() < 1e-3
    assert (np.diff(thresholds, axis=1) > 0).all()


def test_few_values_are_told_apart_and_the_rest_is_never_reached():
    x = np.array([[0, 7], [1, 7], [5, 7], [1, 7]], np.float32)
    assert quantile_thresholds(x, 4).tolist() == [[0.5, 3.0, np.inf, np.inf], [np.inf] * 4]


def test_neighbouring_floats_are_told_apart():
    a = np.float32(1)
    x = np.array([[a], [np.nextafter(a, np.float32(2))]], np.float32)
    assert (x >= quantile_thresholds(x, 1)).ravel().tolist() == [False, True]


def test_no_thresholds_is_an_error():
    with pytest.raises(ValueError, match="at least 1"):
        quantile_thresholds(np.zeros((2, 1)), 0)
