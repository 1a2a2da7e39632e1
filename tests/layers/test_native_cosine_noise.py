"""Noise of cosine layers in the native training library: normal, of the right size, and only of its seed and place."""

import math

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import CosineConv2d, CosineLinear, EmbeddingNoise, native_cosine  # noqa: E402
from tests.native.cosine_passes import cosine_passes, isa  # noqa: E402, F401


def noise(seed, rows=3000, features=64, z=0.0, spread=1.0):
    """(rows, features): noise around z."""
    raw = torch.full((rows, features), math.sin(math.pi / 2 * z))
    one, zero = torch.ones(features), torch.zeros(features)
    given = raw, torch.ones(rows, 1), one, zero, 1, 1, torch.tensor(seed), spread
    return torch.ops.bitwright.cosine_rows(*given)[0] - z


def correlation(a, b):
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]) * a.numel() ** 0.5


def test_it_is_normal(isa):  # noqa: F811
    x = noise(1).double().flatten()
    n = len(x)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10395 - 225)):
        assert abs(float((x**power).mean()) - moment) < 4.5 * (variance / n) ** 0.5, power
    steps = (torch.arange(n) + 0.5) / n
    distance = float((torch.special.ndtr(x.sort().values) - steps).abs().max())
    assert distance < 1.95 / n**0.5  # Kolmogorov and Smirnov: 1 in 1,000
    beyond, expected = int((x.abs() > 3.5).sum()), n * math.erfc(3.5 / 2**0.5)
    assert abs(beyond - expected) < 4.5 * expected**0.5 and float(x.abs().max()) < 6.7


def test_places_and_calls_are_independent(isa):  # noqa: F811
    x, flat = noise(2), noise(2).flatten()
    pairs = [(flat[:-lag], flat[lag:]) for lag in (1, 2, 15, 16, 17, 32, 64, 128, 2048)]
    pairs += [(x, noise(seed)) for seed in (3, 2 + 2**32, 2 + 2**62, 0)] + [(x[:, :16], x[:, 16:32])]
    for a, b in pairs:
        for f in (lambda t: t, torch.square, torch.abs, torch.sign):
            assert abs(correlation(f(a), f(b))) < 4.5
    assert len(flat.unique()) > 0.98 * len(flat)


@pytest.mark.parametrize("z", [-0.9, 0.0, 0.5])
@pytest.mark.parametrize("n_t", [100.0, 4095.0])
def test_it_has_the_variance_of_an_embedding(isa, z, n_t):  # noqa: F811
    x = noise(3, z=z, spread=n_t**-0.5)
    want, n = (1 - z * z) / n_t, x.numel()
    assert abs(float(x.mean())) < 4.5 * (want / n) ** 0.5
    assert abs(float(x.var()) - want) < 4.5 * want * (2 / n) ** 0.5


def test_every_instruction_set_makes_the_same_numbers(isa, monkeypatch):  # noqa: F811
    cases = [(9, 70, 33, 0.3), (2**63 - 1, 5, 100, -0.8), (9, 70, 3, 0.0)]
    mine, again = [noise(*case) for case in cases], [noise(*case) for case in cases]
    assert all(torch.equal(a, b) for a, b in zip(mine, again, strict=True))
    monkeypatch.setattr(native_cosine, "library", lambda: cosine_passes("reference"))
    torch.testing.assert_close(mine, [noise(*case) for case in cases], rtol=0, atol=1e-5)


@pytest.mark.parametrize("pool", [0, 2, (1, 3)])
def test_a_pool_takes_the_maximum_of_noisy_places(isa, pool):  # noqa: F811
    torch.manual_seed(0)
    x = torch.randn(3, 2, 9, 8).contiguous(memory_format=torch.channels_last)
    layers = [CosineConv2d(2, 37, 3, padding=1, pool=each, noise=EmbeddingNoise(50.0)) for each in (pool, 0)]
    layers[1].load_state_dict(layers[0].state_dict())
    found = []
    for layer in layers:
        torch.manual_seed(1)
        leaf = x.clone().requires_grad_()
        y = layer(leaf)
        if pool and layer is layers[1]:
            y = torch.nn.functional.max_pool2d(y, pool)
        y.sin().sum().backward()
        found.append([y.detach(), leaf.grad, layer.weight.grad, layer.shift.grad])
    assert torch.equal(found[0][0], found[1][0])
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine, want, rtol=1e-4, atol=1e-5)


def test_the_gradient_is_that_without_noise(isa):  # noqa: F811
    torch.manual_seed(0)
    layer, x, found = CosineLinear(20, 40, noise=EmbeddingNoise(9.0)), torch.randn(30, 20), []
    for training in (True, False):
        layer.train(training).zero_grad()
        y = layer(x)
        y.sum().backward()
        found.append((y.detach(), layer.weight.grad.clone()))
    assert torch.equal(found[0][1], found[1][1]) and not torch.equal(found[0][0], found[1][0])


@pytest.mark.parametrize("sweep", [False, True])
def test_torchs_own_seed_decides(isa, sweep):  # noqa: F811
    noisy = EmbeddingNoise(50.0, 500.0, sweep)
    layer, x = CosineLinear(20, 40, noise=noisy), torch.randn(30, 20)
    torch.manual_seed(7)
    first, second = layer(x), layer(x)
    torch.manual_seed(7)
    assert torch.equal(layer(x), first) and not torch.equal(first, second)
    state = torch.get_rng_state()
    third = layer(x)
    torch.set_rng_state(state)
    assert torch.equal(layer(x), third)
    state = torch.get_rng_state()
    layer.eval()(x)
    assert torch.equal(torch.get_rng_state(), state)  # nothing is drawn where there is no noise
