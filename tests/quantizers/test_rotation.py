"""RBNN's rotation: orthogonal, the best of its kind, silent in the Program, saved and resumed."""

import numpy as np
import pytest
import torch

from bitwright.freeze import freeze
from bitwright.freeze.agreement import agreement
from bitwright.layers import BinaryConv2d
from bitwright.models import create_model
from bitwright.quantizers import make_quantizer, set_progress
from bitwright.quantizers.rotation import Rotated, two_factors

RNG = np.random.default_rng(0)


def orthogonal(n):
    return np.linalg.qr(RNG.normal(size=(n, n)))[0]


@pytest.mark.parametrize("n, sides", [(1, (1, 1)), (12, (3, 4)), (13, (1, 13)), (144, (12, 12)), (288, (16, 18))])
def test_factors_multiply_to_n(n, sides):
    assert two_factors(n) == sides


def test_a_turn_is_orthogonal_and_brings_weights_nearer_to_signs():
    weights = torch.tensor(RNG.normal(size=(6, 3, 2, 2)), dtype=torch.float32)
    quantizer = Rotated(12)
    quantizer.turn(weights)
    left, right, w = quantizer.left.numpy(), quantizer.right.numpy(), weights.reshape(6, 3, 4).numpy()
    for r in (left, right):
        np.testing.assert_allclose(r.T @ r, np.eye(len(r)), atol=1e-5)
    turned = np.stack([left.T @ m @ right for m in w])
    np.testing.assert_allclose(quantizer.rotated(weights).reshape(6, 3, 4), turned, atol=1e-5)
    assert np.abs(turned).sum() > np.abs(w).sum()  # tr(B^T R1^T W R2) with B the signs is the sum of sizes
    held = np.where(turned >= 0, 1, -1)
    quantizer.turn(weights, rounds=200)
    left, right = quantizer.left.numpy(), quantizer.right.numpy()
    held = np.where(np.stack([left.T @ m @ right for m in w]) >= 0, 1, -1)
    reached = sum(np.trace(b.T @ left.T @ m @ right) for b, m in zip(held, w))
    for _ in range(200):  # no other rotation of one side is better for these signs
        one, other = orthogonal(3), orthogonal(4)
        assert sum(np.trace(b.T @ one.T @ m @ right) for b, m in zip(held, w)) <= reached + 1e-4
        assert sum(np.trace(b.T @ left.T @ m @ other) for b, m in zip(held, w)) <= reached + 1e-4


def test_the_weight_used_lies_between_as_beta_says_and_the_gradient_is_the_formula():
    x = torch.tensor(RNG.normal(size=(5, 12)), requires_grad=True)
    quantizer = make_quantizer("rbnn_rotated", features=12)
    assert isinstance(quantizer, Rotated)
    quantizer.set_progress(0.5)
    grad = RNG.normal(size=(5, 12))
    out = quantizer(x)
    out.backward(torch.tensor(grad))
    share, t = abs(np.sin(np.pi / 4)), 10 ** (-2 + 3 * 0.5)
    both = np.kron(quantizer.left.numpy(), quantizer.right.numpy())  # row-major: vec(R1^T W R2) = vec(W) (R1 x R2)
    used = x.detach().numpy() @ ((1 - share) * np.eye(12) + share * both)
    assert (out.detach().numpy() == np.where(used >= 0, 1, -1)).all()
    slope = max(1 / t, 1) * t * np.maximum(np.sqrt(2) - np.abs(t * used), 0)
    assert x.grad is not None and quantizer.beta.grad is not None
    wanted = (grad * slope) @ ((1 - share) * np.eye(12) + share * both).T
    np.testing.assert_allclose(x.grad, wanted, rtol=1e-4, atol=1e-5)
    assert (quantizer.eval()(x).numpy() == np.where(used >= 0, 1, -1)).all()


def test_it_turns_as_often_as_it_is_told_and_the_program_is_the_model():
    x = RNG.integers(0, 256, (40, 2, 8, 8)).astype(np.uint8)
    model = create_model("sign_cnn", seed=3, shape=(2, 8, 8), classes=4, channels=(6, 8), pool=(True, False),
                         hidden=(12,), weight_quantizer="rbnn_rotated", scale="learned")  # fmt: skip
    conv = next(m for m in model.modules() if isinstance(m, BinaryConv2d))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    counts = []
    for step in range(7):
        set_progress(model, step / 6)
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(x).float()), torch.arange(40) % 4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        counts.append(int(conv.weight_quantizer.turned))
    assert counts == [1, 6, 11, 16, 21, 26, 31]
    program = freeze(model.eval(), input=x, calibrate=x)
    report = agreement(program, x)
    assert report.ok and report.exact
    again = create_model("sign_cnn", seed=9, shape=(2, 8, 8), classes=4, channels=(6, 8), pool=(True, False),
                         hidden=(12,), weight_quantizer="rbnn_rotated", scale="learned")  # fmt: skip
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.eval()(torch.from_numpy(x).float()), model(torch.from_numpy(x).float()))


def test_it_turns_in_half_precision_too():
    quantizer = make_quantizer("rbnn_rotated", 12).to(torch.bfloat16)
    quantizer(torch.randn(5, 12, dtype=torch.bfloat16)).sum().backward()
    assert quantizer.left.dtype == torch.bfloat16 and not torch.equal(quantizer.left, torch.eye(3).bfloat16())
