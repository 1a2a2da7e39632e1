"""Relaxed gates against the sixteen formulas written out, plain loops over addresses, and numerical derivatives."""

import itertools

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from bitwright.layers.gates import gather_sum, relaxed_gates, scatter_plan  # noqa: E402
from bitwright.layers.parametrizations import PARAMETRIZATIONS, TRUTH, walsh_matrix  # noqa: E402

# Table 1 of arXiv:2210.08277: the gates as probabilities of independent bits a and b.
SIXTEEN = [
    lambda a, b: 0 * a, lambda a, b: a * b, lambda a, b: a - a * b, lambda a, b: a,
    lambda a, b: b - a * b, lambda a, b: b, lambda a, b: a + b - 2 * a * b, lambda a, b: a + b - a * b,
    lambda a, b: 1 - (a + b - a * b), lambda a, b: 1 - (a + b - 2 * a * b), lambda a, b: 1 - b,
    lambda a, b: 1 - b + a * b, lambda a, b: 1 - a, lambda a, b: 1 - a + a * b, lambda a, b: 1 - a * b,
    lambda a, b: 0 * a + 1,
]  # fmt: skip


@pytest.mark.parametrize("gate", range(16))
def test_each_gate_at_its_corners_and_between(gate):
    a = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.3, 0.9], dtype=torch.float64)
    b = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.8, 0.1], dtype=torch.float64)
    table, wiring = TRUTH[gate : gate + 1].double(), torch.tensor([[0], [1]])
    got = relaxed_gates(torch.stack([a, b]), table, wiring)[0]
    torch.testing.assert_close(got, SIXTEEN[gate](a, b), rtol=0, atol=1e-15)
    assert got[:4].tolist() == [float(gate >> (3 - corner) & 1) for corner in range(4)]


class Copies(TorchDispatchMode):
    """Counts tensors that are copied to another type or device, but for the answers of comparisons."""

    def __init__(self):
        super().__init__()
        self.n = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.n += func is torch.ops.aten._to_copy.default and args[0].dtype != torch.bool
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_a_step_copies_no_constants(name):
    """What a GPU would wait for in every step; here a copy to another type, asked for inside inference first."""
    rule, k = PARAMETRIZATIONS[name], 2
    params = torch.randn(5, rule.n_params(k), dtype=torch.float16, requires_grad=True)
    with torch.inference_mode():
        rule.relax(rule.logits(params, k)), rule.harden(rule.logits(params, k))
    with Copies() as copies:
        logits = rule.logits(params, k)
        (rule.relax(logits) * rule.harden(logits.detach())).sum().backward()
    assert copies.n == 0 and params.grad is not None


def test_sixteen_logits_are_the_weighted_sum_of_sixteen_gates():
    torch.manual_seed(0)
    logits, x = torch.randn(7, 16, dtype=torch.float64), torch.rand(5, 9, dtype=torch.float64)
    wiring = torch.randint(5, (2, 7))
    got = relaxed_gates(x, PARAMETRIZATIONS["gates16"].relax(logits), wiring)
    a, b = x[wiring[0]], x[wiring[1]]
    want = sum(p[:, None] * gate(a, b) for p, gate in zip(logits.softmax(1).T, SIXTEEN, strict=True))
    torch.testing.assert_close(got, want)


def plain(x, table, wiring):
    """The sum over all addresses, one by one."""
    k, gates = wiring.shape
    rows = []
    for gate in range(gates):
        total = torch.zeros(x.shape[1], dtype=x.dtype)
        for bits in itertools.product((0, 1), repeat=k):
            weight = table[gate, int("".join(map(str, bits)), 2)]
            for j, bit in enumerate(bits):
                value = x[wiring[j, gate]]
                weight = weight * (value if bit else 1 - value)
            total = total + weight
        rows.append(total)
    return torch.stack(rows)


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_values_and_gradients_of_k_inputs(k):
    torch.manual_seed(k)
    x = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    table = torch.rand(5, 1 << k, dtype=torch.float64, requires_grad=True)
    wiring = torch.randint(4, (k, 5))  # some gates read an input twice, some inputs are read by nobody
    got, want = relaxed_gates(x, table, wiring), plain(x, table, wiring)
    torch.testing.assert_close(got, want)
    grad = torch.randn_like(got)
    for mine, theirs in zip(
        torch.autograd.grad(got, (x, table), grad), torch.autograd.grad(want, (x, table), grad), strict=True
    ):
        torch.testing.assert_close(mine, theirs)
    assert torch.autograd.gradcheck(lambda a, b: relaxed_gates(a, b, wiring), (x, table))


@pytest.mark.parametrize("k", [2, 5])
def test_bits_and_hard_tables_give_bits_exactly(k):
    torch.manual_seed(k)
    x, table = torch.randint(2, (20, 65)).float(), torch.randint(2, (30, 1 << k)).float()
    wiring = torch.randint(20, (k, 30)).int()
    got = relaxed_gates(x, table, wiring)
    address = sum(x[wiring[j].long()].long() << (k - 1 - j) for j in range(k))
    assert torch.equal(got, table.gather(1, address))


@pytest.mark.parametrize("batch", [0, 1, 513])
def test_every_batch_size(batch):
    x = torch.rand(6, batch, requires_grad=True)
    wiring = torch.randint(6, (2, 8))
    y = relaxed_gates(x, torch.rand(8, 4, requires_grad=True), wiring)
    y.sum().backward()
    assert y.shape == (8, batch) and x.grad is not None and x.grad.shape == (6, batch)


def test_gather_sum_is_a_scatter():
    torch.manual_seed(0)
    wiring, rows = torch.randint(9, (2, 30)), torch.randn(60, 4, dtype=torch.float64)
    want = torch.zeros(12, 4, dtype=torch.float64).index_add_(0, wiring.flatten(), rows)
    torch.testing.assert_close(gather_sum(rows, scatter_plan(wiring, 12)), want)


def test_walsh_terms_are_products_of_signs():
    for address, term in itertools.product(range(8), repeat=2):
        assert walsh_matrix(3)[address, term] == (-1) ** bin(address & term).count("1")


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_residual_gates_give_their_first_input_on(name):
    rule = PARAMETRIZATIONS[name]
    logits = rule.logits(rule.start(3, 2, True), 2)
    assert rule.harden(logits).tolist() == [[0, 0, 1, 1]] * 3
    assert (rule.relax(logits) - rule.harden(logits)).abs().max() < 0.06


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_noise_is_that_of_a_choice(name):
    """Adding the noise and hardening picks what softmax or sigmoid says, as often as it says."""
    torch.manual_seed(0)
    rule = PARAMETRIZATIONS[name]
    logits = rule.logits(torch.randn(1, rule.n_params(2)), 2).repeat(40_000, 1)
    often = rule.harden(logits + rule.noise(logits)).mean(0)
    torch.testing.assert_close(often, rule.relax(logits[:1])[0], rtol=0, atol=0.01)
