"""HDC baselines: similarities of their levels against the formulas, bundles by loops, and accuracy on the digits."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from bitwright.data import load_data  # noqa: E402
from bitwright.models.hypervectors import (  # noqa: E402
    METHODS,
    Bundle,
    HypervectorClassifier,
    fourier_levels,
    laplace_levels,
    linear_levels,
)

LEAST = {"vanilla_hdc": 70, "online_hd": 85, "le_hdc": 82, "rff_hdc": 82, "laplace_hdc": 72, "holo_gn": 50}


def similarity(levels):
    levels = levels.double().numpy()
    return levels @ levels.T / levels.shape[1]


def test_levels_are_as_similar_as_their_kernels_say():
    n, values = 40_000, np.linspace(0, 1, 6)
    apart = np.abs(values[:, None] - values)
    np.testing.assert_allclose(similarity(linear_levels(6, n, 0)), 1 - apart, atol=1e-3)
    np.testing.assert_allclose(similarity(laplace_levels(6, n, 0)), np.exp(-4 * apart), atol=0.02)
    got = similarity(fourier_levels(6, n, 0))  # the series of a square wave over a Gaussian kernel
    series = sum(8 / (np.pi * k) ** 2 * np.exp(-((k * apart / 0.2) ** 2) / 2) for k in range(1, 400, 2))
    np.testing.assert_allclose(got, series, atol=0.02)


@pytest.mark.parametrize("keys", ["random", "shifts", "shifted"])
def test_a_bundle_is_the_sum_written_out(keys):
    encoder = Bundle(50, keys=keys, n_levels=5, seed=3)
    x = torch.tensor(np.random.default_rng(0).random((4, 7)), dtype=torch.float32)
    levels = linear_levels(5, 50, 3).numpy().astype(int)
    from bitwright.bits.generator import rademacher_rows

    key = rademacher_rows(3, 0, 7, 50).astype(int)
    for sample, got in zip(x, encoder(x)):
        total = np.zeros(50, int)
        for i, value in enumerate(sample):
            step = int(torch.round(value * 4))
            if keys == "random":
                total += key[i] * levels[step]
            else:
                total += np.roll(levels[step], i) if keys == "shifts" else np.roll(key[i], step)
        assert (got.numpy() == np.where(total >= 0, 1, -1)).all()


@pytest.mark.parametrize("method", METHODS)
def test_it_learns_the_digits(method):
    data = load_data("digits")
    model = HypervectorClassifier(method, 500, seed=1, hi=16).fit(data.x_train[:600], data.y_train[:600])
    accuracy = 100 * (model.predict(data.x_val) == data.y_val).mean()
    assert accuracy >= LEAST[method], accuracy
    assert (model.predict(data.x_val[:5]) == model.predict(data.x_val)[:5]).all()


def test_errors():
    with pytest.raises(ValueError, match="vanilla_hdc, online_hd"):
        HypervectorClassifier("hdc")
    with pytest.raises(ValueError, match="at least 1"):
        HypervectorClassifier("le_hdc", 0)
    with pytest.raises(ValueError, match="hi must be above lo"):
        HypervectorClassifier("le_hdc", lo=3, hi=3)
    for x in (np.full((2, 4), 17), np.full((2, 4), -1), np.full((2, 4), np.nan), np.zeros((0, 4))):
        with pytest.raises(ValueError, match="expected 0 to 16; say lo= and hi="):
            HypervectorClassifier("vanilla_hdc", 9, hi=16).fit(x, np.zeros(len(x), int))
    for y in ([0], [0, -1]):
        with pytest.raises(ValueError, match="a class from 0 each"):
            HypervectorClassifier("vanilla_hdc", 9).fit(np.zeros((2, 4)), np.array(y))
    with pytest.raises(ValueError, match="call fit"):
        HypervectorClassifier("le_hdc").predict(np.zeros((1, 4), np.uint8))
