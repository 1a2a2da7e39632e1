"""Bop and the ProxConnect family from recipes: against the quantizers that say the same, and what they end in."""

import numpy as np
import pytest
import torch

from bitwright.data import from_arrays
from bitwright.freeze import freeze
from bitwright.freeze.agreement import agreement
from bitwright.models import create_model
from bitwright.train import Recipe, fit
from bitwright.train.optimizers import MAPS, SMOOTH
from bitwright.train.regularize import pull_to_two_values

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (300, 12)).astype(np.uint8)
Y = (X[:, :6].astype(int).sum(1) > X[:, 6:].astype(int).sum(1)).astype(np.int64)
DATA = from_arrays(X, Y, seed=0)
FIELDS = {"epochs": 4, "batch_size": 32, "lr": 0.02, "progress": False, "device": "cpu"}


def net(weights):
    return create_model("sign_mlp", seed=0, shape=(12,), classes=2, hidden=(32,), weight_quantizer=weights)


def weights_of(model):
    return {name: value for name, value in model.state_dict().items() if name.endswith("weight") and value.dim() > 1}


@pytest.mark.parametrize("quantizer, prox", [
    ("identity", {"update": "bc"}),
    ("identity", {"update": "pc", "map": "sign"}),
    ("binary_relax", {"update": "pc", "map": "relax"}),
    ("soft_threshold", {"update": "pc", "map": "soft_threshold"}),
    ("bnn++", {"update": "pc++", "map": "identity", "smooth": "swish_sign"}),
])  # fmt: skip
def test_an_update_of_the_optimizer_is_the_quantizer_that_says_the_same(quantizer, prox):
    """The pair inside the layer, its latent weight stepped by plain SGD; or the weight placed there by ProxConnect."""
    plain = fit(net(quantizer), DATA, optimizer="sgd", **FIELDS)
    placed = fit(net("latent"), DATA, optimizer="sgd", prox=prox, **FIELDS)
    assert [row["loss"] for row in placed.history] == pytest.approx([row["loss"] for row in plain.history], rel=1e-4)
    for name, latent in weights_of(plain.model).items():
        shipped = weights_of(placed.model)[name]
        assert set(shipped.unique().tolist()) <= {-1.0, 1.0}
        assert ((latent >= 0) == (shipped > 0)).float().mean() > 0.995  # rounding may turn a weight at 0
    assert abs(placed.val_accuracy - plain.val_accuracy) <= 100 * 2 / len(DATA.x_val)


@pytest.mark.parametrize("update", ["pc", "pq", "rpc"])
def test_a_run_ends_in_signs_and_freezes_and_says_its_gap(update, tmp_path):
    result = fit(net("latent"), DATA, prox={"update": update}, folder=tmp_path, **{**FIELDS, "epochs": 6})
    assert all(set(w.unique().tolist()) == {-1.0, 1.0} for w in weights_of(result.model).values())
    assert result.val_accuracy > 60 and all("soft_val_accuracy" in row for row in result.history)
    report = agreement(freeze(result.model, input=DATA, calibrate=X), X)
    assert report.ok and report.exact
    again = fit(net("latent"), DATA, prox={"update": update}, folder=tmp_path, resume=True, **{**FIELDS, "epochs": 6})
    assert again.val_accuracy == result.val_accuracy


def test_an_average_of_the_weights_ends_in_signs_too():
    placed = fit(net("latent"), DATA, prox={"update": "pc"}, average=0.9, **FIELDS)
    assert all(set(w.unique().tolist()) == {-1.0, 1.0} for w in weights_of(placed.model).values())


def test_what_an_update_would_ignore_is_refused():
    with pytest.raises(ValueError, match="T belongs to update 'pc\\+\\+', not 'pc'"):
        fit(net("latent"), DATA, prox={"update": "pc", "smooth": "swish_sign"}, **FIELDS)
    with pytest.raises(ValueError, match="accumulate sets P's prox_strength, which this P does not have"):
        fit(net("latent"), DATA, prox={"update": "pc", "accumulate": 0.1}, **FIELDS)
    assert fit(net("latent"), DATA, prox={"update": "pc", "map": "soft_threshold", "accumulate": 0.1}, **FIELDS).history


def test_bop_flips_signs_and_its_rate_ends_where_it_is_said():
    bop = {"gamma": 0.02, "gamma_end": 0.01, "threshold": 1e-6}
    rates = []

    def spied(model):
        from bitwright.train.optimizers import make_optimizer

        made = make_optimizer(model, Recipe(optimizer="bop", bop=Recipe.from_dict({"bop": bop}).bop))
        step = made.optimizers[0].step
        made.optimizers[0].step = lambda: (rates.append(made.optimizers[0].param_groups[0]["gamma"]), step())
        return made

    result = fit(net("ste"), DATA, optimizer="bop", bop=bop, **FIELDS)
    assert all(set(w.unique().tolist()) == {-1.0, 1.0} for w in weights_of(result.model).values())
    assert result.val_accuracy > 60
    fit(net("identity"), DATA, optimizer=spied, **FIELDS)
    assert rates[0] == 0.02 and rates[-1] == 0.01 and rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("fields, weights, words", [
    ({"optimizer": "bop"}, "bnn++", "weight_quantizer = 'identity'"),
    ({"prox": {"update": "pc"}}, "identity", "weight_quantizer = 'latent'"),
    ({"prox": {"update": "pd"}}, "latent", "updates: bc, pc, pq, rpc"),
    ({"prox": {"update": "pc", "map": "affine"}}, "latent", "expected one of sign, identity"),
    ({"prox": {"update": "pc++", "smooth": "tanh"}}, "latent", "expected one of none, swish_sign"),
    ({"optimizer": "bop", "prox": {"update": "pc"}}, "identity", "no latent weights"),
])  # fmt: skip
def test_what_does_not_fit_is_named(fields, weights, words):
    with pytest.raises(ValueError, match=words):
        fit(net(weights), DATA, **FIELDS, **fields)


def test_every_map_can_be_built_and_is_monotone():
    w = torch.linspace(-2, 2, 401)
    for build in MAPS.values():
        made = build()
        for progress in (0.0, 0.5, 1.0):
            values = {name: schedule(progress) for name, schedule in (made.schedules or {}).items()}
            assert (made.value(w, **values).diff() >= 0).all()
    assert SMOOTH["none"]() is None


def test_bnn_plus_pulls_latent_weights_to_two_values():
    w = torch.tensor(RNG.normal(size=(5, 8)), requires_grad=True)
    size = np.abs(w.detach().numpy())
    alphas = {1: np.sort(size.ravel())[(size.size - 1) // 2], 2: size.mean()}
    for power, alpha in alphas.items():
        pull = pull_to_two_values([w, w], power)
        assert pull.item() == pytest.approx(2 * (np.abs(alpha - size) ** power).mean())
    (slope,) = torch.autograd.grad(pull, w)
    np.testing.assert_allclose(slope, 4 * (size - size.mean()) * np.sign(w.detach().numpy()) / size.size)
    with pytest.raises(ValueError, match="power is 3, expected 1"):
        pull_to_two_values([w], 3)

    def spread(weight):
        done = fit(net("swish_sign"), DATA, regularize={"weight": weight}, **FIELDS)
        sizes = [w.abs() for w in weights_of(done.model).values()]
        return sum(float((v - v.median()).abs().mean() / v.median()) for v in sizes)

    assert spread(10.0) < 0.7 * spread(0.0)
