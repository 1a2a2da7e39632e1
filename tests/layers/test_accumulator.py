"""Wrap-around accumulators: the layer against integers in NumPy, the Program against the layer, overflow counted."""

import numpy as np
import pytest
import torch
from torch import nn

from bitwright.data import from_arrays
from bitwright.freeze import FreezeError, freeze
from bitwright.freeze.agreement import agreement
from bitwright.ir.overflow import overflow_rates as program_rates
from bitwright.layers import BinaryConv2d, BinaryLinear, Sign
from bitwright.layers.accumulator import excess_watched, overflow_rates, set_accumulator
from bitwright.models import create_model
from bitwright.train import fit

RNG = np.random.default_rng(0)


def kept(sums, accumulator):
    """By the bits of two's complement."""
    if accumulator == "wrap8":
        return sums.astype(np.int64).astype(np.uint8).astype(np.int8).astype(np.int64)
    return 2 * (sums.astype(np.int64) >> 1).astype(np.uint8).astype(np.int8).astype(np.int64)


@pytest.mark.parametrize("accumulator", ["wrap8", "wrap8_half"])
def test_sums_wrap_like_eight_bits_and_the_gradient_passes(accumulator):
    torch.manual_seed(0)
    layer = BinaryLinear(901, 40, accumulator=accumulator)
    layer.weight.data[:20].abs_()
    x = RNG.choice([-1.0, 1.0], (30, 901), p=[0.3, 0.7]).astype(np.float32)
    sums = x @ np.where(layer.weight.detach().numpy() >= 0, 1, -1).T
    assert (np.abs(sums) > 256).mean() > 0.1 and (np.abs(sums) < 100).mean() > 0.1
    for mode in (True, False):
        assert (layer.train(mode)(torch.from_numpy(x)).detach().numpy() == kept(sums, accumulator)).all()
    layer.train()
    inputs = torch.from_numpy(x).requires_grad_()
    layer(inputs).sum().backward()
    want = np.where(layer.weight.detach().numpy() >= 0, 1, -1).sum(0)
    assert inputs.grad is not None and (inputs.grad.numpy() == want).all()


def narrow_net(accumulator):
    torch.manual_seed(1)
    net = nn.Sequential(
        BinaryConv2d(2, 24, 3, padding=1), nn.BatchNorm2d(24), Sign(),
        BinaryConv2d(24, 16, 5, padding=2, pad_value=0, accumulator=accumulator), nn.BatchNorm2d(16), Sign(),
        nn.Flatten(), BinaryLinear(16 * 36, 20, accumulator=accumulator), nn.BatchNorm1d(20), Sign(),
        BinaryLinear(20, 4),
    )  # fmt: skip
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name == "3.weight":
                parameter[:8].abs_()  # some channels of large sums
            if name == "1.bias":
                parameter.fill_(1.5)
    x = RNG.integers(0, 256, (24, 2, 6, 6)).astype(np.uint8)
    for _ in range(3):
        net(torch.from_numpy(x).float())
    return net.eval(), x


@pytest.mark.parametrize("accumulator", ["wrap8", "wrap8_half"])
def test_the_program_wraps_as_the_model_and_both_count_the_same_overflow(accumulator):
    net, x = narrow_net(accumulator)
    program = freeze(net, input=x)
    report = agreement(program, x)
    assert report.exact and report.ok, report
    by_layer, by_op = overflow_rates(net, torch.from_numpy(x).float()), program_rates(program, x)
    assert list(by_layer) == ["3", "7"] and list(by_layer.values()) == pytest.approx(list(by_op.values()))
    for rate in by_layer.values():
        assert f"{100 * rate:.3f} % of its 8-bit sums wrap around" in str(report)
    assert by_layer["3"] > (0.05 if accumulator == "wrap8" else 0.01)


def test_a_trained_net_is_given_narrow_sums_where_its_inputs_are_signs():
    net, x = narrow_net("int32")
    batch = torch.from_numpy(x).float()
    before = net(batch)
    assert overflow_rates(net, batch) == {}
    assert set_accumulator(net, "wrap8", batch, keep=["10"]) == ["3", "7"]  # "0" eats pixels
    assert not torch.equal(net(batch), before) and not net.training
    state = net.state_dict()
    assert "3.accumulator_code" in state and "0.accumulator_code" not in state
    assert set_accumulator(net, "int32", batch) == ["3", "7", "10"]
    assert torch.equal(net(batch), before) and "3.accumulator_code" not in net.state_dict()
    with pytest.raises(RuntimeError, match="accumulator_code"):
        net.load_state_dict(state)
    with pytest.raises(ValueError, match="choose one of int32"):
        set_accumulator(net, "int8", batch)


def test_narrow_sums_of_pixels_do_not_freeze():
    net = nn.Sequential(nn.Flatten(), BinaryLinear(8, 3, accumulator="wrap8"))
    with pytest.raises(FreezeError, match="wants signs"):
        freeze(net, input=np.zeros((1, 8), np.uint8))


@pytest.mark.parametrize("accumulator, low, high", [("wrap8", -128, 127), ("wrap8_half", -256, 255)])
def test_what_leaves_the_range_is_said_in_training_alone(accumulator, low, high):
    torch.manual_seed(0)
    layer = BinaryLinear(901, 40, accumulator=accumulator)
    layer.weight.data[:20].abs_()
    x = RNG.choice([-1.0, 1.0], (30, 901), p=[0.3, 0.7]).astype(np.float32)
    sums = x @ np.where(layer.weight.detach().numpy() >= 0, 1, -1).T
    beyond = np.maximum(sums - high, 0) + np.maximum(low - sums, 0)
    with excess_watched(layer) as said:
        layer(torch.from_numpy(x))
        layer.eval()(torch.from_numpy(x))
        layer.set_accumulator("int32")
        layer.train()(torch.from_numpy(x))
    assert [value.item() for value in said] == pytest.approx([((beyond / high) ** 2).mean()], rel=1e-5)
    said[0].backward()
    slope = layer.weight.grad
    assert slope is not None and (slope[:20].abs().sum(1) > 0).all()


def test_a_penalty_keeps_sums_in_their_range():
    x = RNG.integers(0, 256, (200, 1600)).astype(np.uint8)
    data = from_arrays(x, RNG.integers(0, 2, 200), seed=0)

    def rate(penalty):
        torch.manual_seed(0)
        model = create_model("sign_mlp", seed=0, shape=(1600,), classes=2, hidden=(1200, 8))
        model.linear2.weight.data.add_(0.003)
        names = set_accumulator(model, "wrap8", torch.from_numpy(x[:4]).float(), keep=["head"])
        assert names == ["linear2"]
        model.linear2.weight.data.abs_()
        fit(model, data, epochs=4, batch_size=40, lr=0.02, overflow_penalty=penalty, progress=False, device="cpu")
        return overflow_rates(model, torch.from_numpy(x).float())["linear2"]

    free, held = rate(0.0), rate(10.0)
    assert held < free / 2, (free, held)
