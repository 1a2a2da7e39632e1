"""summary against hand-counted weights and multiply-adds."""

import pytest
import torch
from torch import nn

from bitwright.layers import BinaryConv2d, BinaryLinear, Sign
from bitwright.models import create_model, summary


def test_counts_of_a_small_network_by_hand():
    model = nn.Sequential(
        BinaryConv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(4), Sign(),  # 4*9 weights, 36*6*6 MACs
        BinaryConv2d(4, 6, 3, groups=2, padding=1, pad_value=1.0), nn.BatchNorm2d(6), nn.ReLU(),  # 6*2*9, at 3x3
        nn.Flatten(), BinaryLinear(54, 5), nn.Linear(5, 2),
    ).train()  # fmt: skip
    torch.manual_seed(0)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    report = summary(model, (1, 6, 6))
    rows = {layer.name: layer for layer in report.layers}
    assert list(rows) == ["0", "2", "3", "4", "5", "8", "9"]
    assert [(rows[n].weights, rows[n].weight_bits, rows[n].macs) for n in ("0", "4", "8", "9")] == [
        (36, 1, 36 * 36), (108, 1, 108 * 9), (270, 1, 270), (12, 32, 10),
    ]  # fmt: skip
    assert [rows[n].input_bits for n in ("0", "4", "8", "9")] == [0, 1, 32, 32]
    assert report.totals == {
        "binary_weights": 36 + 108 + 270, "wider_numbers": 12 + 8 + 12, "macs_1bit": 972,
        "macs_wider": 1296 + 270 + 10, "bytes_packed": 52 + 4 * 32, "bytes_float32": 4 * (414 + 32),
    }  # fmt: skip
    assert rows["4"].why == "" and "input is integers" in rows["0"].why and "real numbers" in rows["8"].why
    assert "BinaryLinear or convert" in rows["9"].why and "fold into thresholds" in rows["2"].why
    assert model.training and all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())


def test_the_mnist_network_and_its_text():
    report = summary(create_model("sign_mlp", seed=0))
    weights = 784 * 1024 + 2 * 1024 * 1024 + 10240
    assert report.totals["binary_weights"] == weights == sum(x.macs for x in report.layers)
    text = str(report)
    for words in ("linear1", f"{weights:,} of one bit", "388.4 kB packed", "wider than a bit, and why:"):
        assert words in text
    assert report.to_dict()["layers"][0]["kind"] == "BinaryLinear"


def test_shape_is_asked_for_when_unknown_and_a_wrong_one_is_named():
    with pytest.raises(ValueError, match=r"pass shape=\(C, H, W\)"):
        summary(nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"does not take an example of shape \(3,\)"):
        summary(nn.Linear(2, 2), (3,))
