"""AdaBin's two levels, on weights and activations, against sums over the levels themselves."""

import numpy as np
import pytest
import torch

from bitwright.freeze import freeze
from bitwright.ir import ProgramError
from bitwright.layers import BinaryConv2d, BinaryLinear, TwoLevel, make_activation, method_parts

RNG = np.random.default_rng(0)


def test_activations_take_the_two_levels_about_the_centre():
    layer = TwoLevel()
    layer.centre.data.fill_(0.3)
    layer.log_reach.data.fill_(np.log(2.0))
    x = torch.tensor([-9.0, 0.29, 0.3, 1.0], requires_grad=True)
    out = layer(x)
    np.testing.assert_allclose(out.detach().numpy(), [-1.7, -1.7, 2.3, 2.3], rtol=1e-6)
    assert torch.equal(layer.eval()(x.detach()), out.detach())
    layer.train()
    layer(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [0, 1, 1, 1]  # |x - centre| <= reach passes
    # d/d centre of reach * s + centre is 1 - slope; d/d reach is s - slope * (x - centre) / reach
    assert layer.centre.grad is not None and float(layer.centre.grad) == pytest.approx(1)


@pytest.mark.parametrize("pad_value", [0.0, -1.0])
def test_weights_are_mean_plus_minus_deviation_also_at_the_border(pad_value):
    torch.manual_seed(0)
    layer = BinaryConv2d(4, 6, 3, stride=2, padding=1, groups=2, pad_value=pad_value, scale="two_level",
                         weight_quantizer="adabin")  # fmt: skip
    w = layer.weight.detach().double()
    mean, deviation = w.mean((1, 2, 3), keepdim=True), w.std((1, 2, 3), correction=0, keepdim=True)
    levels = torch.where(w >= mean, mean + deviation, mean - deviation)
    x = torch.tensor(RNG.choice([-1.0, 1.0], (3, 4, 7, 7)))
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1), value=pad_value)
    want = torch.nn.functional.conv2d(padded, levels, stride=2, groups=2).numpy()
    for mode in (True, False):
        np.testing.assert_allclose(layer.train(mode)(x.float()).detach().numpy(), want, atol=1e-5)


def test_real_weights_are_a_first_stage_that_the_second_starts_from():
    torch.manual_seed(0)
    first, second = BinaryLinear(6, 4, weight_quantizer="real"), BinaryLinear(6, 4, weight_quantizer="identity")
    x = torch.randn(3, 6)
    assert torch.equal(first(x), x @ first.weight.T) and torch.equal(first.eval()(x), x @ first.weight.T)
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.binary_weight(), torch.where(first.weight >= 0, 1.0, -1.0))
    with pytest.raises(ProgramError, match="train the second stage"):
        freeze(torch.nn.Sequential(first), input=np.zeros((1, 6), np.uint8))


def test_activations_by_name():
    for name, kind in (("relu", "ReLU"), ("rsign", "RSign"), ("two_level", "TwoLevel"), ("ede", "Sign")):
        assert type(make_activation(name, 5)).__name__ == kind
    assert method_parts("bireal") == {"weight_quantizer": "ste", "quantizer": "approx_sign", "scale": "channel"}
    with pytest.raises(ValueError, match="no 'binet'"):
        method_parts("binet")
