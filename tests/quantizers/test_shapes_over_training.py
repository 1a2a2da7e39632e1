"""Schedules against their formulas, exact at both ends."""

import math

import pytest

from bitwright.quantizers.schedules import cosine, geometric, linear


@pytest.mark.parametrize("shape", [linear, cosine, geometric])
@pytest.mark.parametrize("ends", [(0.1, 0.7), (30.0, 1 / 3), (5.0, 5.0)])
def test_ends_are_exact_and_the_way_is_monotone(shape, ends):
    schedule = shape(*ends)
    values = [schedule(i / 97) for i in range(98)]
    assert values[-1] == ends[1] and math.isclose(values[0], ends[0], rel_tol=1e-15)
    steps = [b - a for a, b in zip(values, values[1:])]
    assert all(s >= -1e-15 for s in steps) or all(s <= 1e-15 for s in steps)


def test_middles():
    assert linear(1.0, 3.0)(0.25) == 1.5
    assert math.isclose(cosine(1.0, 3.0)(0.25), 3 - (1 + math.cos(math.pi / 4)))
    assert math.isclose(geometric(1.0, 16.0)(0.25), 2.0)
    with pytest.raises(ValueError, match="use linear"):
        geometric(0.0, 1.0)
