"""FDA's noise adaptation: its formula, its gradient, its silence in eval and after alpha has reached 0."""

import math

import numpy as np
import pytest
import torch

from bitwright.freeze import freeze
from bitwright.layers import BinaryConv2d, BinaryLinear, Sign, method_parts
from bitwright.models import create_model
from bitwright.quantizers import NoiseAdaptation, NoisyFourier, set_progress

RNG = np.random.default_rng(0)


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)


def expected(x, down, up, shortcut, alpha, n):
    """(z, dz summed with ones) on rows x, by hand: z = sign + alpha e, gradient s_n' + alpha e'."""
    hidden = x @ down
    eta = {"none": 0 * x, "linear": 0.1 * x, "sine": 0.1 * np.sin(x)}[shortcut]
    slope = {"none": 0 * x, "linear": 0.1 + 0 * x, "sine": 0.1 * np.cos(x)}[shortcut]
    z = sign(x) + alpha * (np.maximum(hidden, 0) @ up + eta)
    through = ((hidden > 0) * up.sum(1)) @ down.T + slope
    series = 0.4 / math.pi * sum(np.cos((2 * i + 1) * 0.1 * x) for i in range(n + 1))
    return z, series + alpha * through


@pytest.mark.parametrize("shortcut", ["none", "linear", "sine"])
@pytest.mark.parametrize("axis,shape", [(0, (5, 3, 4, 4)), (1, (5, 128, 3, 3)), (1, (5, 128))])
def test_training_adds_alpha_times_the_module_to_forward_and_gradient(shortcut, axis, shape):
    torch.manual_seed(0)
    features = int(np.prod(shape[1:])) if axis == 0 else shape[1]
    quantizer = NoisyFourier(features, axis, shortcut=shortcut).double()
    quantizer.set_progress(0.25)
    x = torch.tensor(RNG.normal(size=shape), requires_grad=True)
    out = quantizer(x)
    out.sum().backward()

    def as_rows(t):
        a = t.detach().numpy()
        return a.reshape(len(a), -1) if axis == 0 else np.moveaxis(a, 1, -1).reshape(-1, features)

    assert quantizer.noise is not None and x.grad is not None
    down, up = quantizer.noise.down.detach().numpy(), quantizer.noise.up.detach().numpy()
    assert down.shape == (features, max(1, features // 64))
    alpha = 0.05 * (1 + math.cos(math.pi / 4))
    z, gradient = expected(as_rows(x), down, up, shortcut, alpha, n=11)
    np.testing.assert_allclose(as_rows(out), z, atol=1e-9)
    np.testing.assert_allclose(as_rows(x.grad), gradient, atol=1e-9)


def test_alpha_ends_at_exactly_zero_and_the_module_can_go():
    quantizer = NoisyFourier(8, 1)
    x = torch.randn(4, 8)
    assert not torch.equal(quantizer(x), torch.where(x >= 0, 1.0, -1.0))
    before = quantizer.eval()(x)
    assert torch.equal(before, torch.where(x >= 0, 1.0, -1.0))  # silent in eval, also while alpha > 0
    quantizer.set_progress(1.0)
    assert float(quantizer.alpha) == 0.0 and quantizer.values() == {"terms": 18.0}
    assert torch.equal(quantizer.train()(x), before)
    quantizer.drop_noise()
    assert torch.equal(quantizer.eval()(x), before) and not list(quantizer.parameters())
    with pytest.raises(ValueError, match="no shortcut 'cosine'"):
        NoiseAdaptation(8, shortcut="cosine")


def test_the_module_exists_before_the_optimizer_and_learns_and_is_not_in_the_program():
    model = create_model("sign_cnn", seed=0, shape=(1, 8, 8), classes=3, channels=(4, 6), pool=(True, False),
                         hidden=(8,), **method_parts("fda_noise"))  # fmt: skip
    modules = [m for m in model.modules() if isinstance(m, NoiseAdaptation)]
    layers = [m for m in model.modules() if isinstance(m, BinaryConv2d | BinaryLinear | Sign)]
    assert len(modules) == len(layers) == 7
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    x, y = torch.tensor(RNG.integers(0, 256, (20, 1, 8, 8))).float(), torch.tensor(RNG.integers(0, 3, 20))
    before = [m.up.detach().clone() for m in modules]
    for step in range(3):
        set_progress(model, step / 3)
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
    moved = [not torch.equal(a, m.up) for a, m in zip(before, modules, strict=True)]
    assert sum(moved) >= 6  # a hidden unit of width 1 may be dead where its input is all of one sign
    model.eval()
    scores = model(x)
    program = freeze(model, input=x.numpy().astype(np.uint8))
    for layer in model.modules():
        if isinstance(layer, NoisyFourier):
            layer.drop_noise()
    assert torch.equal(model(x), scores)
    bare = freeze(model, input=x.numpy().astype(np.uint8))
    assert bare.to_bytes() == program.to_bytes()


def test_at_alpha_zero_training_is_the_sign_and_still_reaches_every_parameter():
    """Distributed training waits for the gradient of each parameter."""
    quantizer = NoisyFourier(4, axis=1)
    set_progress(quantizer, 1.0)
    x = torch.randn(6, 4)
    out = quantizer(x)
    assert torch.equal(out, torch.where(x >= 0, 1.0, -1.0))
    out.sum().backward()
    assert all(p.grad is not None and not p.grad.any() for p in quantizer.parameters())
