"""Learning rates at hand-computed places."""

import math

import pytest

from bitwright.train import Recipe
from bitwright.train.schedules import learning_rate


def rate(step, **fields):
    return learning_rate(Recipe.from_dict({"lr": 0.8, "epochs": 4, **fields}), step, steps_per_epoch=10)


def test_cosine_and_linear():
    assert rate(0) == 0.8 and math.isclose(rate(20), 0.4) and math.isclose(rate(40), 0, abs_tol=1e-12)
    assert math.isclose(rate(10, lr_end=0.2), 0.2 + 0.6 * (1 + math.cos(math.pi / 4)) / 2)
    assert math.isclose(rate(10, schedule="linear", lr_end=0.2), 0.65)
    assert rate(33, schedule="constant") == 0.8


def test_geometric_loses_the_same_factor_each_epoch():
    fields = {"schedule": "geometric", "lr_end": 0.8 / 81}
    assert [rate(step, **fields) for step in (0, 10, 20, 30)] == pytest.approx([0.8, 0.8 / 3, 0.8 / 9, 0.8 / 27])
    with pytest.raises(ValueError, match="needs lr_end above 0"):
        rate(0, schedule="geometric")


def test_steps_multiply_from_their_epoch_on():
    fields = {"schedule": "step", "step_epochs": [1, 3], "step_factor": 0.5}
    assert [rate(step, **fields) for step in (0, 9, 10, 29, 30, 39)] == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_warmup_rises_then_the_schedule_starts_at_its_top(schedule):
    rates = [rate(step, warmup_epochs=1.0, schedule=schedule) for step in range(40)]
    assert all(a < b for a, b in zip(rates[:9], rates[1:10])) and 0 < rates[0] < 0.1 and rates[10] == 0.8
    assert all(a >= b for a, b in zip(rates[10:], rates[11:]))
