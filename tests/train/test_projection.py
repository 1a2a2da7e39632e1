"""The gap between soft and projected accuracy: measured with the relaxed forward, 0 where the forward is a sign."""

import numpy as np
import pytest
import torch

from bitwright.data import from_arrays
from bitwright.models import create_model
from bitwright.quantizers import set_progress
from bitwright.train import fit
from bitwright.train.metrics import predict_scores
from bitwright.train.projection import relaxed_quantizers, soft_accuracy, soft_forward

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (200, 12)).astype(np.uint8)
Y = (X[:, :6].astype(int).sum(1) > X[:, 6:].astype(int).sum(1)).astype(np.int64)


def net(weights):
    return create_model("sign_mlp", seed=0, shape=(12,), classes=2, hidden=(16,), weight_quantizer=weights)


def test_soft_scores_are_those_of_the_relaxed_weights_and_the_signs_come_back():
    model = net("bnn++").eval()
    hard = predict_scores(model, X)
    with soft_forward(model):
        soft = predict_scores(model, X)
    assert not torch.equal(soft, hard) and torch.equal(predict_scores(model, X), hard)
    u = model.linear1.weight.detach().double().numpy() * 5
    relaxed = np.tanh(u / 2) + u / 2 / np.cosh(u / 2) ** 2
    with soft_forward(model):
        got = model.linear1(torch.from_numpy(X).float()).detach().numpy()
    np.testing.assert_allclose(got, X @ relaxed.T, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("weights,some", [("identity", 0), ("ste", 0), ("parq", 2), ("fda_noise", 2)])
def test_only_relaxed_forwards_have_a_gap_and_parq_ends_without_one(weights, some):
    model = net(weights)
    assert len(relaxed_quantizers(model)) == some
    set_progress(model, 1.0)
    with soft_forward(model):
        soft = predict_scores(model, X)
    torch.testing.assert_close(soft, predict_scores(model, X))


def test_fit_writes_and_says_the_soft_accuracy_beside_the_other(capfd):
    data = from_arrays(X, Y, seed=0)
    result = fit(net("bnn++"), data, epochs=2)
    assert all(0 <= row["soft_val_accuracy"] <= 100 for row in result.history)
    last = result.history[-1]
    words = f"validation {last['val_accuracy']:.2f} % ({last['soft_val_accuracy']:.2f} % before projection to signs)"
    assert words in capfd.readouterr().err
    assert "soft_val_accuracy" not in fit(net("ste"), data, epochs=1).history[0]
    assert "projection" not in capfd.readouterr().err
    assert np.isnan(soft_accuracy(net("ste"), X[:0], Y[:0]))
