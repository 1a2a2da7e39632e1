import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwright.data.split import stratified_split


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0, 1), st.integers(0, 3))
def test_split_is_a_partition_with_every_class_near_its_share(labels, fraction, seed):
    y = np.array(labels)
    count = round(fraction * len(y))
    rest, picked = stratified_split(y, count, seed)
    assert sorted([*rest, *picked]) == list(range(len(y)))
    assert list(rest) == sorted(rest) and list(picked) == sorted(picked)
    sizes = np.bincount(y)[np.unique(y)]
    assert len(picked) == min(count, (sizes - 1).sum())  # each class keeps a row to train on
    assert set(y[rest]) == set(y)
    if count <= len(y) / 2 and sizes.min() > 4:  # then no class is near its limit
        taken = np.array([(y[picked] == label).sum() for label in np.unique(y)])
        assert np.abs(taken - count * sizes / len(y)).max() < 1


def test_at_least_one_of_each_class_is_picked_if_asked():
    y = np.array([0] * 97 + [1, 1, 2])
    _, picked = stratified_split(y, 5, seed=0, at_least=1)
    assert np.bincount(y[picked], minlength=3).tolist() == [4, 1, 0]  # the single row of class 2 is kept for training


def test_order_within_a_class_is_drawn_from_the_seed():
    y = np.zeros(1000, int)
    y[0] = 1
    picks = [set(stratified_split(y, 100, seed)[1].tolist()) for seed in (0, 0, 1)]
    assert picks[0] == picks[1] and len(picks[0] & picks[2]) < 30  # 10 expected by chance


@pytest.mark.parametrize("count", [0, 5])
def test_no_rows_at_all(count):
    rest, picked = stratified_split(np.array([], int), count, 0)
    assert len(rest) == len(picked) == 0
