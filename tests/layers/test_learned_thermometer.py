"""Learned thresholds: the same bits in training, eval and Program; they rise, and they move to where a cut helps."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.freeze import agreement, freeze  # noqa: E402
from bitwright.layers import GroupSum, LearnedThermometer, LogicLinear  # noqa: E402

START = np.array([[50.0, 100.0, 200.0], [10.0, 20.0, 30.0]], np.float32)


def test_bits_are_comparisons_in_training_and_in_eval():
    layer, x = LearnedThermometer(START, 5.0), torch.tensor([[100.0, 9.0], [99.0, 25.0], [250.0, 35.0]])
    torch.testing.assert_close(layer.thresholds(), torch.from_numpy(START))
    want = [[1, 1, 0, 0, 0, 0], [1, 0, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1]]
    moved = x + 0.5  # clear of the rounding of a threshold
    assert layer(moved).tolist() == want == layer.eval()(moved).tolist()


def test_a_threshold_finds_the_cut_and_order_is_kept():
    torch.manual_seed(0)
    layer = LearnedThermometer(np.array([[40.0, 60.0, 80.0]], np.float32), 10.0)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(400):
        x = 255 * torch.rand(64, 1)
        optimizer.zero_grad()
        (layer(x)[:, 1] - (x[:, 0] >= 130).float()).square().mean().backward()
        optimizer.step()
        assert bool((layer.thresholds().diff(dim=1) > 0).all())
    assert abs(float(layer.thresholds()[0, 1]) - 130) < 10


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_program_has_the_same_bits(dtype):
    torch.manual_seed(0)
    layer = LearnedThermometer(START, 5.0)
    layer.first.data += 0.3 * torch.randn_like(layer.first)
    model = nn.Sequential(layer, LogicLinear(6, 40, residual=False), GroupSum(4, 2.0)).eval()
    x = np.random.default_rng(0).integers(0, 256, (513, 2)).astype(dtype)
    report = agreement(freeze(model, input=x), x)
    assert report.exact and report.ok and report.hidden_differing == 0


def test_bad_starts_are_errors():
    with pytest.raises(ValueError, match="rising"):
        LearnedThermometer(np.array([[3.0, 2.0]]), 1.0)
    with pytest.raises(ValueError, match="positive"):
        LearnedThermometer(START, 0.0)
