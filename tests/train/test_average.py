"""The running average of the weights and batches taken in parts, against arithmetic of their own."""

import numpy as np
import pytest
import torch
from torch import nn

from bitwright.data import load_data
from bitwright.train import Recipe, fit
from bitwright.train.average import Average


def plain_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def test_the_average_is_its_recurrence():
    model = nn.Linear(1, 1, bias=False)
    average = Average(model, 0.9)
    expected = float(model.weight.detach())
    for step in range(1, 200):
        with torch.no_grad():
            model.weight.fill_(float(step))
        average.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    average.put_in()
    assert float(model.weight.detach()) == pytest.approx(expected, rel=1e-5)


def test_fit_ends_with_the_average_and_resumes_with_it(tmp_path):
    data = load_data("digits")
    go = {"epochs": 8, "lr": 1e-2, "average": 0.99, "progress": False}
    whole = fit(plain_model(), data, folder=tmp_path / "a", **go)
    last = fit(plain_model(), data, **{**go, "average": 0.0})
    weights = [model.state_dict()["1.weight"].numpy() for model in (whole.model, last.model)]
    assert not np.allclose(*weights) and whole.val_accuracy > 60

    state = torch.load(tmp_path / "a" / "checkpoint.pt", weights_only=True)
    assert np.array_equal(state["average"]["weights"]["1.weight"].numpy(), weights[0])
    with pytest.raises(ValueError, match="a decay below 1"):
        Recipe(average=1.0)


@pytest.mark.parametrize("parts", [2, 3, 64])
def test_a_batch_in_parts_is_the_same_step(parts):
    data = load_data("digits")
    go = {"epochs": 1, "lr": 1e-2, "optimizer": "sgd", "batch_size": 61, "progress": False}
    whole = fit(plain_model(), data, **go)
    taken = fit(plain_model(), data, **go, accumulate=parts)
    assert taken.history[0]["loss"] == pytest.approx(whole.history[0]["loss"], rel=1e-5)
    for a, b in zip(whole.model.parameters(), taken.model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)
