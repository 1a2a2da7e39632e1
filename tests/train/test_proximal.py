"""The ProxConnect family against its recurrences in NumPy; a convex problem that must converge; Bop."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bitwright.quantizers.schedules import linear
from bitwright.quantizers.theory import (
    SmoothMap,
    identity_map,
    odd_polynomial,
    piecewise_affine_map,
    soft_threshold_map,
)
from bitwright.train import Bop, ProxConnect, lasso_map

RNG = np.random.default_rng(0)
A, Y = RNG.normal(size=(30, 8)), RNG.normal(size=30)
START = RNG.normal(0, 0.7, 8)


def gradient(w):
    return A.T @ (A @ w - Y) / len(Y)


def loss_of(w):
    return ((torch.from_numpy(A) @ w - torch.from_numpy(Y)) ** 2).sum() / (2 * len(Y))


def train(update, steps=40, rate=0.1, **options):
    w = nn.Parameter(torch.tensor(START))
    optimizer = ProxConnect(torch.optim.SGD([w], lr=rate), [w], update, **options)
    for step in range(steps):
        optimizer.set_progress(step / (steps - 1))
        optimizer.zero_grad()
        loss_of(w).backward()
        optimizer.step()
    return w, optimizer


def prox(w, strength):
    away = np.abs(w) - 1
    return np.where(w >= 0, 1, -1) * (1 + np.sign(away) * np.maximum(np.abs(away) - strength, 0))


def by_hand(update, steps=40, rate=0.1):
    w = START.copy()
    for step in range(steps):
        p = prox(w, step / (steps - 1))
        if update == "bc":
            w = w - rate * gradient(np.where(w >= 0, 1.0, -1.0))
        elif update == "pc":
            w = w - rate * gradient(p)
        elif update == "pq":
            w = p - rate * gradient(p)
        elif update == "rpc":
            w = p - rate * gradient(w)
        else:
            w = w - rate * (0.8 + 0.6 * p**2) * gradient(0.8 * p + 0.2 * p**3)
    return w


@pytest.mark.parametrize("update", ["bc", "pc", "pq", "rpc", "pc++"])
def test_every_update_is_its_recurrence(update):
    options: dict[str, Any] = {} if update == "bc" else {"P": soft_threshold_map(linear(0.0, 1.0))}
    options |= {"T": odd_polynomial(0.8, 0.2)} if update == "pc++" else {}
    w, optimizer = train(update, **options)
    np.testing.assert_allclose(optimizer.latent[0].numpy(), by_hand(update), rtol=1e-9)
    optimizer.project()
    assert (w.detach().numpy() == np.where(by_hand(update) >= 0, 1, -1)).all()


def least(weight, scale, shift, strength):
    """min over p of the loss at scale * p + shift plus strength * |p|_1, by 3,000 proximal gradient steps."""
    p = np.zeros(8)
    rate = 1 / (scale**2 * np.linalg.norm(A.T @ A / len(Y), 2))
    for _ in range(3000):
        q = p - rate * scale * gradient(scale * p + shift)
        p = np.sign(q) * np.maximum(np.abs(q) - rate * strength, 0)
    return weight(p)


def test_with_an_affine_t_and_a_convex_regulariser_the_averaged_iterate_converges():
    scale, shift, strength = 0.5, 0.2, 0.05

    def objective(p):
        return ((A @ (scale * p + shift) - Y) ** 2).sum() / (2 * len(Y)) + strength * np.abs(p).sum()

    best = least(objective, scale, shift, strength)
    affine = SmoothMap(lambda p: scale * p + shift, lambda p: torch.full_like(p, scale))
    w = nn.Parameter(torch.zeros(8, dtype=torch.float64))
    sgd = torch.optim.SGD([w], lr=1.0)
    optimizer = ProxConnect(sgd, [w], "pc++", lasso_map(), affine, accumulate=strength)
    average, total, gaps = np.zeros(8), 0.0, {}
    for step in range(1, 1001):
        rate = sgd.param_groups[0]["lr"] = 1.0 / step**0.5
        average += rate * (w.detach().numpy() - shift) / scale
        total += rate
        optimizer.zero_grad()
        loss_of(w).backward()
        optimizer.step()
        if step in (10, 100, 1000):
            gaps[step] = objective(average / total) - best
    assert -1e-12 <= gaps[1000] < gaps[100] / 2 < gaps[10] / 4 and gaps[1000] < 5e-3, gaps


def test_with_a_nonlinear_t_it_comes_to_rest_where_the_loss_of_t_has_no_slope():
    smooth = odd_polynomial(0.6, 0.4)
    w, optimizer = train("pc++", steps=1200, rate=0.2, P=identity_map(), T=smooth)
    latent = optimizer.latent[0].clone().requires_grad_()
    loss_of(0.6 * latent + 0.4 * latent**3).backward()
    assert latent.grad is not None and latent.grad.abs().max() < 1e-6
    assert float(loss_of(w.detach())) == pytest.approx(float(((A @ np.linalg.lstsq(A, Y)[0] - Y) ** 2).sum() / 60))


@pytest.mark.parametrize("scale", ["none", "tensor", "channel"])
def test_levels_are_the_mean_size_of_tensor_or_channel(scale):
    torch.manual_seed(0)
    layer = nn.Linear(6, 4, bias=False)
    before = layer.weight.detach().clone()
    optimizer = ProxConnect(torch.optim.Adam(layer.parameters(), lr=0.01), layer.parameters(), "pc",
                            piecewise_affine_map(linear(1.0, 0.0)), scale=scale)  # fmt: skip
    optimizer.set_progress(1.0)
    size = before.abs()
    level = {"none": torch.ones(()), "tensor": size.mean(), "channel": size.mean(1, keepdim=True)}[scale]
    torch.testing.assert_close(layer.weight.detach(), torch.where(before >= 0, 1.0, -1.0) * level)
    optimizer.set_progress(0.5)
    torch.testing.assert_close(layer.weight.detach(), (before / level / 0.5).clamp(-1, 1) * level)
    layer(torch.randn(3, 6)).square().sum().backward()
    optimizer.step()
    assert not torch.equal(optimizer.latent[0], before)


def test_resuming_gives_the_same_weights():
    def run(stop):
        w = nn.Parameter(torch.tensor(START))
        make = lambda: ProxConnect(torch.optim.Adam([w], lr=0.02), [w], "pq", soft_threshold_map(linear(0, 1)))  # noqa: E731
        optimizer = make()
        for step in range(20):
            if step == stop:
                state = optimizer.state_dict()
                w.data.zero_()
                optimizer = make()
                optimizer.load_state_dict(state)
            optimizer.set_progress(step / 19)
            optimizer.zero_grad()
            loss_of(w).backward()
            optimizer.step()
        return w.detach()

    assert torch.equal(run(-1), run(11))


def test_unknown_updates_and_foreign_weights_are_refused():
    w = nn.Parameter(torch.zeros(3))
    with pytest.raises(ValueError, match="no update 'sgd'.*updates: bc"):
        ProxConnect(torch.optim.SGD([w], lr=1.0), [w], "sgd")
    with pytest.raises(ValueError, match="not among the optimizer's"):
        ProxConnect(torch.optim.SGD([w], lr=1.0), [nn.Parameter(torch.zeros(3))])


def test_bop_flips_where_the_average_points_along_the_weight():
    w = nn.Parameter(torch.tensor(START))
    optimizer = Bop([w], gamma=0.2, threshold=0.05)
    weight, average = np.where(START >= 0, 1.0, -1.0), np.zeros(8)
    flips = []
    for _ in range(30):
        optimizer.zero_grad()
        loss_of(w).backward()
        optimizer.step()
        average += 0.2 * (gradient(weight) - average)
        flip = weight * average > 0.05
        weight = np.where(flip, -weight, weight)
        assert (w.detach().numpy() == weight).all() and optimizer.flips == flip.sum()
        flips.append(optimizer.flips)
    assert sum(flips) > 3
    with pytest.raises(ValueError, match="gamma must lie"):
        Bop([w], gamma=0.0)
