"""Lengths that are promised: failure rates over many seeds, means and variances of each projection against theory."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.freeze import freeze, guaranteed_errors, required_hyperdimensions  # noqa: E402
from bitwright.freeze.guarantees import hoeffding, hoeffding_error, measured_bias  # noqa: E402
from bitwright.freeze.projection import Projection  # noqa: E402
from bitwright.layers import RASU, TASU, CosineConv2d, CosineLinear  # noqa: E402


def agreements(kind, u, v, n, seed, rounds=0):
    """Mean of sign(G u) sign(G v) over n rows; u, v: (pairs, p)."""
    rows = Projection(kind, n, u.shape[1], seed, 0, rounds).matrix()
    return torch.where((u @ rows.T >= 0) == (v @ rows.T >= 0), 1.0, -1.0).mean(1)


def pairs_at(cosines, p, seed=0):
    generator = torch.Generator().manual_seed(seed)
    u = torch.nn.functional.normalize(torch.randn(len(cosines), p, dtype=torch.float64, generator=generator))
    w = torch.randn(len(cosines), p, dtype=torch.float64, generator=generator)
    w = torch.nn.functional.normalize(w - (w * u).sum(1, keepdim=True) * u)
    rho = torch.tensor(cosines, dtype=torch.float64)[:, None]
    return u, rho * u + (1 - rho**2).sqrt() * w


COSINES = [-0.6, 0.0, 0.3, 0.7, 0.95]
# variance relative to that of independent rows; 400 seeds know a variance to about 7 % (one sigma)
VARIANCE = {"gaussian": (0.75, 1.3), "rademacher": (0.75, 1.3), "orthogonal": (0.3, 1.0), "hadamard": (0.3, 1.15)}


@pytest.mark.parametrize("kind", VARIANCE)
def test_mean_and_variance_of_each_projection(kind):
    p, n, seeds = 64, 64, 400
    u, v = pairs_at(COSINES, p)
    z = 2 / math.pi * torch.asin(torch.tensor(COSINES, dtype=torch.float64))
    got = torch.stack([agreements(kind, u, v, n, seed, 2 if kind == "hadamard" else 0) for seed in range(seeds)])
    sigma = ((1 - z**2) / n / seeds).sqrt()
    slack = 0.0 if kind in ("gaussian", "orthogonal") else 0.02  # the bias of signs on 64 places
    assert ((got.mean(0) - z).abs() < 4.5 * sigma + slack).all(), kind
    ratio = got.var(0) / ((1 - z**2) / n)
    low, high = VARIANCE[kind]
    assert (ratio > low).all() and (ratio < high).all(), (kind, ratio)


def test_rademacher_rows_are_biased_on_few_places_and_others_are_not():
    """u = (1, 0, ...) and v = (1, 1, 1, 0, ...): eight cases, all counted."""
    p, n = 64, 1 << 15
    u, v = torch.zeros(1, p, dtype=torch.float64), torch.zeros(1, p, dtype=torch.float64)
    u[0, 0], v[0, :3] = 1, torch.tensor([1.0, 1.0, 1.0])
    z = 2 / math.pi * math.asin(1 / math.sqrt(3))
    counted = np.mean([a * np.sign(a + b + c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])  # 1/2
    assert counted == 0.5 and abs(counted - z) > 0.1
    assert abs(float(agreements("rademacher", u, v, n, 1)) - counted) < 5 / math.sqrt(n)
    for kind, rounds in (("gaussian", 0), ("orthogonal", 0), ("hadamard", 2)):
        assert abs(float(agreements(kind, u, v, n, 1, rounds)) - z) < 5 / math.sqrt(n) + (rounds > 0) * 0.02, kind


def test_hoeffding_by_hand():
    assert hoeffding(0.1, 0.01, 16384) == math.ceil(200 * math.log(3276800)) == 3001
    assert hoeffding_error(hoeffding(0.05, 0.02, 100), 0.02, 100) <= 0.05
    exact = 0.5**20 * sum(math.comb(20, k) for k in range(21) if abs(2 * k - 20) > 20 * 0.6)  # the tail itself
    assert exact < 2 * math.exp(-20 * 0.6**2 / 2)


def small_net():
    torch.manual_seed(0)
    return nn.Sequential(
        CosineConv2d(1, 3, 3, padding=1, shift=-100.0, shift_unit=100.0), RASU(), nn.Flatten(), CosineLinear(48, 5)
    ).eval()  # fmt: skip


def errors_of(model, x, dimensions, kind, seed):
    program = freeze(model, x, hyperdimensions=dimensions, projection=kind, seed=seed, activation_bits=16)
    with torch.no_grad():
        want = model(torch.from_numpy(x).float()).numpy()
    return np.abs(program.run(x, backend="auto") * program.frozen.score_scale - want).max()


def test_a_promised_layer_fails_no_oftener_than_promised():
    torch.manual_seed(1)
    model, delta = nn.Sequential(CosineLinear(30, 4)).eval(), 0.2
    x = np.random.default_rng(0).integers(-50, 51, (5, 30)).astype(np.int16)
    for kind in ("gaussian", "rademacher"):
        (bound,) = required_hyperdimensions(model, x, eps=0.35, delta=delta, projection=kind)
        assert (bound.n_outputs, bound.n_inputs) == (4, 5) and (bound.bias > 0) == (kind == "rademacher")
        failed = np.mean([errors_of(model, x, bound.hyperdimensions, kind, seed) > 0.35 for seed in range(40)])
        assert failed <= delta
        short = np.mean([errors_of(model, x, max(1, bound.hyperdimensions // 12), kind, s) > 0.35 for s in range(20)])
        assert short > delta, "a twelfth of the promised length should break the promise"


def test_a_promised_network_is_within_eps():
    model = small_net()
    x = np.random.default_rng(0).integers(0, 256, (2, 1, 4, 4)).astype(np.uint8)
    bounds = required_hyperdimensions(model, x, eps=0.8, delta=0.1, scope="network")
    assert bounds[0].error < bounds[1].eps == 0.4 and bounds[1].error == 0.8
    assert bounds[0].hyperdimensions < 65536, "else activations are rounded"
    worst = [errors_of(model, x, [b.hyperdimensions for b in bounds], "gaussian", seed) for seed in range(5)]
    assert max(worst) <= 0.8


@pytest.mark.parametrize("kind", ["gaussian", "rademacher"])
def test_errors_that_lengths_promise_are_those_the_lengths_were_asked_for(kind):
    model = small_net()
    x = np.random.default_rng(0).integers(0, 256, (2, 1, 4, 4)).astype(np.uint8)
    for scope, eps in (("layer", 0.5), ("network", 1.2)):
        if kind == "rademacher" and scope == "network":
            continue  # the bias leaves no room
        asked = required_hyperdimensions(model, x, eps, 0.1, kind, scope)
        got = guaranteed_errors(model, x, [bound.hyperdimensions for bound in asked], 0.1, kind, scope)
        for bound, want in zip(got, asked, strict=True):
            assert 0.98 * want.eps < bound.eps <= want.eps + 1e-9  # a length is whole
            assert 0.98 * want.error < bound.error <= want.error + 1e-9
    long = guaranteed_errors(model, x, 1 << 40, 0.1, kind)[0]
    assert long.eps == pytest.approx(long.bias, abs=1e-5) and (long.bias > 0.01) == (kind == "rademacher")
    assert guaranteed_errors(model, x, 63, 0.1, kind, "network")[1].error == 2.0  # no promise
    named = guaranteed_errors(model, x, {"0": 500, "3": 700}, 0.1)
    assert [bound.hyperdimensions for bound in named] == [500, 700]
    assert named[1].eps == pytest.approx(math.sqrt(2 / 700 * math.log(2 * 5 * 2 / 0.05)))


def test_measured_bias_finds_the_countable_one():
    layer = CosineLinear(3, 1)
    layer.weight.data.fill_(1.0)
    rows = torch.tensor([[1.0, 0, 0]])
    want = abs(0.5 - 2 / math.pi * math.asin(1 / math.sqrt(3)))
    assert want < measured_bias(layer, rows, 0.01) + 0.02 < want + 0.06


@pytest.mark.parametrize(
    "options, words",
    [
        ({"projection": "hadamard"}, "not independent"),
        ({"scope": "all"}, "scope is 'layer' or 'network'"),
        ({"eps": 0.001, "projection": "rademacher"}, "no length brings"),
        ({"scope": "network"}, "scope='layer'"),
    ],
)
def test_errors(options, words):
    model = nn.Sequential(CosineLinear(4, 3), TASU(), CosineLinear(3, 2))
    with pytest.raises(ValueError, match=words):
        required_hyperdimensions(model, np.ones((2, 4), np.float32), **{"eps": 0.1, "delta": 0.1, **options})


def test_lengths_without_a_promise_are_named():
    net, x = small_net(), np.zeros((1, 1, 4, 4), np.uint8)
    for lengths in ([100], [100, 100, 100], {"0": 100}, {"0": 100, "3": 100, "4": 100}):
        with pytest.raises(ValueError, match="do not fit the cosine layers .*3; give one number"):
            guaranteed_errors(net, x, lengths, 0.1)
    with pytest.raises(ValueError, match="guaranteed_errors: rows of 'hadamard' are not independent"):
        guaranteed_errors(net, x, 100, 0.1, "hadamard")


def test_data_that_gives_no_bound_is_named():
    net = small_net()
    with pytest.raises(TypeError, match="array of samples"):
        required_hyperdimensions(net, [1, 2], 0.1, 0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected \(samples, 1, 4, 4\)"):
        required_hyperdimensions(net, np.zeros((0, 1, 4, 4), np.uint8), 0.1, 0.1)
    net.input_shape = (1, 4, 4)
    with pytest.raises(ValueError, match=r"data is \(2, 16\), expected"):
        required_hyperdimensions(net, np.zeros((2, 16), np.uint8), 0.1, 0.1)
    net[0].weight.data.fill_(-1.0)  # against every white patch, so that RASU leaves nothing
    white = np.full((2, 1, 4, 4), 255, np.uint8)
    net[0].shift.data.fill_(0.0)
    assert required_hyperdimensions(net, white, 0.4, 0.1)[1].shortest == 0.0
    with pytest.raises(ValueError, match="3 reads nothing but zeros"):
        required_hyperdimensions(net, white, 0.4, 0.1, scope="network")
