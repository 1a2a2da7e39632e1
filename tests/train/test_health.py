"""Health of a network against counts by hand, and that looking changes nothing."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from bitwright.data import from_arrays
from bitwright.layers import BinaryLinear, Sign
from bitwright.models import create_model
from bitwright.train import Recipe, fit
from bitwright.train.health import Health, entropy, health_table

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (120, 10)).astype(np.uint8)
Y = (X[:, :5].astype(int).sum(1) > X[:, 5:].astype(int).sum(1)).astype(np.int64)


def small():
    torch.manual_seed(0)
    net = nn.Sequential(BinaryLinear(10, 8), nn.BatchNorm1d(8), Sign(), BinaryLinear(8, 2))
    for _ in range(40):
        net(torch.from_numpy(X).float())
    return net


def test_flips_entropy_dead_and_saturated_units_are_counted():
    net = small()
    norm = net[1]
    assert isinstance(norm, nn.BatchNorm1d)
    with torch.no_grad():
        norm.bias[:2] = 100.0  # always +1, and far outside of |x| <= 1
        norm.weight[2], norm.bias[2] = 1e-6, 0.5  # always +1, but the gradient passes
    health = Health(net, torch.from_numpy(X).float(), torch.from_numpy(Y))
    first = health.look()
    assert first["0"]["flip_rate"] is None and first["2"]["dead"] == 3 / 8 and first["2"]["saturated"] == 2 / 8
    net.eval()
    signs = net[:3](torch.from_numpy(X).float()).numpy()
    p = (signs > 0).mean(0)
    bits = [0 if q in (0, 1) else -q * math.log2(q) - (1 - q) * math.log2(1 - q) for q in p]
    assert first["2"]["sign_entropy"] == pytest.approx(np.mean(bits), abs=1e-6)
    layer = net[0]
    assert isinstance(layer, BinaryLinear)
    with torch.no_grad():
        layer.weight.view(-1)[:20] *= -1
    assert health.look()["0"]["flip_rate"] == 20 / 80
    assert entropy(torch.tensor([0.0, 0.25, 0.5, 1.0])).tolist() == pytest.approx([0, 0.811278, 1, 0], abs=1e-6)


def test_a_last_layer_of_one_output_difference_has_the_cosine_of_real_flips():
    """Of a plain binary layer under a linear loss the surrogate is exact; a wrong surrogate is seen to be wrong."""
    torch.manual_seed(1)
    net = nn.Sequential(BinaryLinear(10, 2, weight_quantizer="identity", scale=1e-4))
    x, y = torch.from_numpy(X).float(), torch.from_numpy(Y)
    assert Health(net, x, y).look()["0"]["gradient_cosine"] == pytest.approx(1, abs=1e-3)  # tiny scale: linear
    against = BinaryLinear(10, 2, scale=1e-4)
    against.weight_quantizer.pair = against.weight_quantizer.pair.__class__(  # type: ignore[union-attr]
        against.weight_quantizer.pair.forward,
        lambda w, grad: -grad,  # type: ignore[union-attr]
    )
    assert Health(nn.Sequential(against), x, y).look()["0"]["gradient_cosine"] == pytest.approx(-1, abs=1e-3)


@pytest.mark.parametrize("method", ["ste", "siman", "bnn++"])
def test_looking_changes_nothing(method):
    net = create_model("sign_mlp", seed=0, shape=(10,), classes=2, hidden=(8,), weight_quantizer=method).train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    random = torch.get_rng_state()
    Health(net, torch.from_numpy(X).float(), torch.from_numpy(Y)).look()
    after = net.state_dict()
    assert net.training and all(torch.equal(before[k], after[k]) for k in before) and list(before) == list(after)
    assert torch.equal(random, torch.get_rng_state()) and all(p.grad is None for p in net.parameters())
    assert "used_weight" not in net.linear1.__dict__


def test_fit_logs_it_and_the_weights_are_those_of_a_run_without():
    data = from_arrays(X, Y, seed=0)

    def run(**fields):
        net = create_model("sign_mlp", seed=0, shape=(10,), classes=2, hidden=(8,))
        return fit(net, data, epochs=3, batch_size=16, progress=False, **fields)

    plain, watched = run(), run(health=True)
    for a, b in zip(plain.model.state_dict().values(), watched.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert "health" not in plain.history[0] and set(watched.history[0]["health"]) == {"linear1", "head", "sign1"}
    text = health_table(watched.history)
    assert text.splitlines()[0].split()[0] == "layer" and "linear1" in text
    assert Recipe(health=True).hash() == Recipe().hash()
    with pytest.raises(ValueError, match="health = true"):
        health_table(plain.history)


def test_a_convolution_is_looked_at_in_any_memory_format():
    x, y = torch.from_numpy(RNG.integers(0, 256, (30, 1, 9, 7))).float(), torch.arange(30) % 2
    options = {"shape": (1, 9, 7), "classes": 2, "channels": (4, 5), "pool": (True, False), "hidden": (6,)}
    net = create_model("sign_cnn", seed=0, **options)
    plain = Health(net, x, y).look()
    assert set(plain) >= {"conv1", "conv2", "sign1"} and plain["conv2"]["gradient_cosine"] is not None
    last = Health(net.to(memory_format=torch.channels_last), x, y).look()
    assert {k: v["gradient_cosine"] for k, v in last.items() if "gradient_cosine" in v} == pytest.approx(
        {k: v["gradient_cosine"] for k, v in plain.items() if "gradient_cosine" in v}, abs=1e-4
    )
