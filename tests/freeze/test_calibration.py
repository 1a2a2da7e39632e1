"""Samples choose the grid of real-valued streams and the steps of real features; a data set brings its own."""

import numpy as np
import pytest
import torch
from torch import nn

from bitwright.data import from_arrays
from bitwright.freeze import FreezeError, agreement, freeze
from bitwright.layers import BinaryLinear, Sign


def test_real_features_by_calibration():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(500, 6)) * [1, 10, 100, 1e-3, 5, 0] + [0, 3, -50, 1, 2, 7]).astype(np.float32)
    model = nn.Sequential(nn.BatchNorm1d(6), BinaryLinear(6, 40), nn.BatchNorm1d(40), Sign(), BinaryLinear(40, 3))
    model.train()(torch.from_numpy(x))
    program = freeze(model.eval(), input=x, calibrate=x)
    report = agreement(program, x)
    assert report.twin_differing == 0 and report.same_class >= 0.85 * len(x)
    with pytest.raises(FreezeError, match="calibrate=x_train"):
        freeze(model, input=x[:1])


def test_a_data_set_is_its_own_calibration():
    rng = np.random.default_rng(0)
    data = from_arrays(rng.integers(0, 256, (300, 12), np.uint8), rng.integers(0, 3, 300))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 3)).eval()  # hidden values beyond 128
    program = freeze(model, input=data)
    with torch.no_grad():
        theirs = model(torch.from_numpy(data.x_test).float()).numpy()
    ours = program.run(data.x_test) * program.frozen.score_scale
    np.testing.assert_allclose(ours, theirs, atol=0.02 * np.abs(theirs).max())
    same = freeze(model, input=data.input, calibrate=data.x_train)
    assert [op.consts.keys() for op in same.ops] == [op.consts.keys() for op in program.ops]
    assert all((a == b.consts[key]).all() for op, b in zip(same.ops, program.ops) for key, a in op.consts.items())


def test_real_features_of_a_data_set_need_nothing_more():
    rng = np.random.default_rng(0)
    data = from_arrays(rng.normal(size=(300, 4)).astype(np.float32), rng.integers(0, 2, 300))
    model = nn.Sequential(BinaryLinear(4, 30), nn.BatchNorm1d(30), Sign(), BinaryLinear(30, 2))
    model.train()(torch.from_numpy(data.x_train))
    report = agreement(freeze(model.eval(), input=data), data.x_test)
    assert report.twin_differing == 0 and report.same_class >= 0.85 * len(data.x_test)
