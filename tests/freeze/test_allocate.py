"""Lengths a layer: against brute force over all of them, and against the error that embeddings really make."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.data import load_data  # noqa: E402
from bitwright.freeze import (  # noqa: E402
    Sensitivity,
    allocate_dimensions,
    dimensions_for_accuracy,
    freeze,
    sensitivities,
)
from bitwright.layers import RASU, CosineLinear, Temperature  # noqa: E402

LAYERS = [Sensitivity("a", 40.0, 7.0), Sensitivity("b", 3.0, 1.0), Sensitivity("c", 90.0, 2.0)]


def error_of(lengths):
    return sum(layer.error / n for layer, n in zip(LAYERS, lengths))


def cost_of(lengths):
    return sum(layer.cost * n for layer, n in zip(LAYERS, lengths))


@pytest.mark.parametrize("longest", [0, 55])
def test_no_other_lengths_of_that_cost_err_less(longest):
    chosen = allocate_dimensions(LAYERS, cost=500, longest=longest)
    assert cost_of(chosen) <= 500 and all(n % 2 for n in chosen) and max(chosen) <= (longest or 999)
    grid = range(1, (longest or 160) + 1, 2)
    best = min(error_of(n) for n in itertools.product(grid, repeat=3) if cost_of(n) <= 500)
    assert error_of(chosen) < 1.06 * best  # what rounding down to odd numbers costs


def test_an_error_that_is_asked_for_is_met_at_the_least_cost():
    chosen = allocate_dimensions(LAYERS, error=2.0)
    assert error_of(chosen) < 2.1
    grid = range(1, 160, 2)
    best = min(cost_of(n) for n in itertools.product(grid, repeat=3) if error_of(n) <= error_of(chosen))
    assert cost_of(chosen) < 1.05 * best


def test_sensitivities_foretell_the_error_of_gaussian_codes():
    torch.manual_seed(0)
    model = nn.Sequential(CosineLinear(20, 30), RASU(), CosineLinear(30, 6), Temperature()).eval()
    x = np.random.default_rng(0).integers(-50, 51, (150, 20)).astype(np.int16)
    measured = sensitivities(model, x, repeats=12)
    assert [layer.name for layer in measured] == ["0", "2"] and all(layer.error > 0 for layer in measured)
    with torch.no_grad():
        want = model(torch.from_numpy(x).float()).numpy()
    want -= want.mean(1, keepdims=True)
    for lengths in ([255, 4095], [4095, 255]):
        errors = []
        for seed in range(6):
            program = freeze(model, x, hyperdimensions=lengths, projection="gaussian", seed=seed)
            got = program.run(x) * program.frozen.score_scale
            errors.append(np.mean((got - got.mean(1, keepdims=True) - want) ** 2))
        foretold = sum(layer.error / n for layer, n in zip(measured, lengths))
        assert 0.6 < np.mean(errors) / foretold < 1.6
    assert model[0].noise.start == 0 and not model.training


@pytest.fixture(scope="module")
def trained():
    """Random cosines of digits, and the centroids of their classes: a network without training."""
    data = load_data("digits")
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), CosineLinear(64, 200, shift=-5.0, shift_unit=8.0), RASU(), CosineLinear(200, 10)
    )
    with torch.no_grad():
        hidden = model[:3](torch.from_numpy(data.x_train).float())
        means = torch.stack([hidden[torch.from_numpy(data.y_train) == c].mean(0) for c in range(10)])
        model[3].weight.copy_(means - hidden.mean(0))
    return model.eval(), data.x_val, data.y_val


def test_lengths_for_an_accuracy_reach_it_and_a_quarter_of_the_cost_does_not(trained):
    model, x, y = trained

    def accuracy_of(lengths):
        programs = [freeze(model, x[:1], hyperdimensions=lengths, seed=seed) for seed in (0, 1)]
        return 100 * np.mean([program.predict(x) == y for program in programs])

    whole = accuracy_of([1023, 1023])
    asked = whole - 5
    lengths = dimensions_for_accuracy(model, x, y, asked, longest=1023)
    assert whole > 75 and accuracy_of(lengths) >= asked and max(lengths) <= 1023
    costs = [layer.cost for layer in sensitivities(model, x[:20])]
    spent = sum(c * n for c, n in zip(costs, lengths))
    assert spent < sum(costs) * 1023 / 2
    assert accuracy_of(allocate_dimensions(sensitivities(model, x[:256]), cost=spent / 4)) < asked
    with pytest.raises(ValueError, match="codes of 15 signs reach .* 99.5 is asked for"):
        dimensions_for_accuracy(model, x, y, 99.5, longest=16)
    with pytest.raises(ValueError, match="as many labels as samples"):
        dimensions_for_accuracy(model, x, y[:3], 50)


def test_errors():
    with pytest.raises(ValueError, match="error is 0.1; with no layer above 55 it is 2.41818 at least"):
        allocate_dimensions(LAYERS, error=0.1, longest=55)
    with pytest.raises(ValueError, match="longest is -1"):
        allocate_dimensions(LAYERS, cost=3, longest=-1)
    with pytest.raises(ValueError, match="no samples"):
        sensitivities(nn.Sequential(CosineLinear(2, 2)), np.zeros((0, 2), np.float32))
    with pytest.raises(ValueError, match="exactly one"):
        allocate_dimensions(LAYERS)
    with pytest.raises(ValueError, match="exactly one"):
        allocate_dimensions(LAYERS, cost=3, error=2)
    with pytest.raises(ValueError, match="no cosine layer"):
        sensitivities(nn.Linear(2, 2), np.zeros((1, 2), np.float32))
