"""`fit` with an optimizer of one's own: ProxConnect on a float network ends in two values a tensor, Bop in signs."""

import numpy as np
import pytest
import torch
from torch import nn

from bitwright.data import from_arrays
from bitwright.models import create_model
from bitwright.quantizers.schedules import linear
from bitwright.quantizers.theory import piecewise_affine_map
from bitwright.train import Bop, ProxConnect, Together, evaluate, fit

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (300, 12)).astype(np.uint8)
Y = (X[:, :6].astype(int).sum(1) > X[:, 6:].astype(int).sum(1)).astype(np.int64)
DATA = from_arrays(X, Y, seed=0)


def float_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))


@pytest.mark.parametrize("update", ["pc", "pq", "rpc"])
def test_a_float_network_becomes_binary_and_its_accuracy_is_that_of_the_projection(update, tmp_path):
    def optimizer(model):
        weights = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
        P = piecewise_affine_map(linear(1.0, 0.0))
        return ProxConnect(torch.optim.Adam(model.parameters(), lr=0.01), weights, update, P, scale="channel")

    result = fit(float_net(), DATA, epochs=4, batch_size=32, lr=0.01, clip_latent=0.0, progress=False,
                 optimizer=optimizer, folder=tmp_path)  # fmt: skip
    for layer in result.model.modules():
        if isinstance(layer, nn.Linear):
            sizes = layer.weight.detach().abs()
            torch.testing.assert_close(sizes, sizes[:, :1].expand_as(sizes))  # one size an output
    last = result.history[-1]
    assert last["val_accuracy"] == evaluate(result.model, DATA.x_val, DATA.y_val) and last["val_accuracy"] > 60
    gaps = [row["soft_val_accuracy"] - row["val_accuracy"] for row in result.history]
    assert update == "rpc" or gaps[-1] == 0  # rpc's forward point is the latent weight


def test_bop_and_adam_train_together_and_weights_stay_signs(tmp_path):
    def optimizer(model):
        weights = [model.linear1.weight, model.head.weight]
        others = [p for p in model.parameters() if all(p is not w for w in weights)]
        return Together(Bop(weights, gamma=0.02, threshold=1e-6), torch.optim.Adam(others, lr=0.01))

    def run(epochs, **options):
        net = create_model("sign_mlp", seed=0, shape=(12,), classes=2, hidden=(32,), weight_quantizer="identity")
        return fit(net, DATA, epochs=epochs, batch_size=32, lr=0.01, progress=False, optimizer=optimizer, **options)

    result = run(5, folder=tmp_path)
    assert sorted(result.model.get_parameter("linear1.weight").unique().tolist()) == [-1, 1]
    assert result.val_accuracy > 60 and result.val_accuracy > run(1).val_accuracy - 10
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["finished"] and "optimizer" not in state  # nothing goes on from here
    assert len(optimizer(result.model).state_dict()["together"]) == 2
