"""Passes of the native training library over sign layers, of every instruction set by name, against plain PyTorch."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from bitwright.quantizers import (  # noqa: E402
    approx_sign,
    fda,
    fda_plus,
    hard_sign,
    make_quantizer,
    native_signs,
    recu_activation,
    sign_ste,
)
from tests.native.sign_passes import isa  # noqa: E402, F401

BACKWARDS = {
    "approx_sign": (approx_sign(), {}),
    "fda": (fda(), {"terms": 9.0}),
    "fda, clipped": (fda(omega=1.0, clip=1.5), {"terms": 18.0}),
    "fda_plus": (fda_plus(), {"terms": 0.0}),
    "recu": (recu_activation(), {}),
}
SPECIAL = torch.tensor([0.0, -0.0, 1.0, -1.0, 1e-30, -1e-40, math.inf, -math.inf, math.nan, 1.5, 31.4159265])


def close(mine, want, size=1.0):
    torch.testing.assert_close(mine.double(), want.double(), rtol=2e-5, atol=2e-6 * size, equal_nan=True)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 100, 4095, 4096, 4097, 70_001])
def test_passes_of_any_length(isa, n):  # noqa: F811
    torch.manual_seed(n)
    x, grad = torch.randn(n) * 2, torch.randn(n)
    assert native_signs.takes(x, grad) == (n > 0)
    assert torch.equal(hard_sign(x), torch.where(x >= 0, 1.0, -1.0))
    for pair, values in BACKWARDS.values():
        want = pair.backward.plain(x.double(), grad.double(), **values)
        close(pair.backward(x, grad, **values), want, float(want.abs().max()) if n else 1)


def test_nan_infinity_zeros_and_numbers_too_small(isa):  # noqa: F811
    x = SPECIAL.repeat(3)
    assert hard_sign(x).tolist() == np.where(x.numpy() >= 0, 1.0, -1.0).tolist()
    for name, (pair, values) in BACKWARDS.items():
        for grad in (torch.ones_like(x), torch.full_like(x, math.inf), torch.full_like(x, math.nan)):
            mine, want = (f(x, grad, **values) for f in (pair.backward, pair.backward.plain))
            assert torch.equal(mine.isnan(), want.isnan()), name
            finite = x.isfinite() & ~want.isnan()
            torch.testing.assert_close(mine[finite], want[finite], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("omega, terms", [(0.05, 3.0), (0.1, 18.0), (2.0, 18.0), (0.7, 60.0)])
def test_the_sine_slope_over_many_waves(isa, omega, terms):  # noqa: F811
    x = torch.cat([torch.linspace(-40, 40, 20_001), torch.arange(-9, 10) * math.pi / omega])
    pair = fda(omega=omega)
    want = pair.backward.plain(x.double(), torch.ones_like(x).double(), terms=terms)
    error = (pair.backward(x, torch.ones_like(x), terms=terms).double() - want).abs().max()
    # a float32 near 80 omega is off by 80 omega 2^-24, which the highest wave multiplies by 2 (terms + 1)
    assert error <= 4e-7 * max(80 * omega, 1) * 2 * (terms + 1) * want.abs().max()


@pytest.mark.parametrize("memory", ["first", "last", "mixed", "expanded", "gaps", "offset"])
def test_any_layout(isa, memory):  # noqa: F811
    torch.manual_seed(0)
    x, grad = torch.randn(3, 5, 7, 9), torch.randn(3, 5, 7, 9)
    last = {"memory_format": torch.channels_last}
    x = x.contiguous(**last) if memory in ("last", "mixed") else x
    grad = grad.contiguous(**last) if memory == "last" else grad[:, :, :1, :1].expand_as(x)
    if memory == "gaps":
        x = torch.randn(3, 5, 7, 18)[..., ::2]
    if memory == "offset":  # not even aligned to a row
        x = torch.randn(946)[1:].view(3, 5, 7, 9)
    assert native_signs.takes(x, grad) == (memory != "gaps")
    assert torch.equal(hard_sign(x), torch.where(x >= 0, 1.0, -1.0))
    for pair, values in BACKWARDS.values():
        close(pair.backward(x, grad, **values), pair.backward.plain(x.double(), grad.double(), **values), 10.0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_dtypes_are_left_to_pytorch(isa, dtype):  # noqa: F811
    x = torch.linspace(-2, 2, 5000).to(dtype)
    assert not native_signs.takes(x) and not native_signs.takes(x.float(), x)
    for pair, values in BACKWARDS.values():
        assert pair.backward(x, x, **values).dtype == hard_sign(x).dtype == dtype


@pytest.mark.parametrize("centre", [0.0, 1000.0])
def test_the_variance_loses_nothing_to_a_far_mean(isa, centre):  # noqa: F811
    x = torch.randn(3, 50_021) + centre
    found = native_signs.variance(x)
    assert found.dtype == torch.float64 and float(found) == pytest.approx(x.double().numpy().var(), rel=1e-5)


def test_threads_change_no_bit(isa):  # noqa: F811
    torch.manual_seed(1)
    x, grad = torch.randn(200_000), torch.randn(200_000)
    before, found = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        found.append([pair.backward(x, grad, **values) for pair, values in BACKWARDS.values()])
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_a_backward_pass_can_be_differentiated_again(isa):  # noqa: F811
    x = torch.randn(50, requires_grad=True)
    y = make_quantizer("approx_sign")(x)
    (grad,) = torch.autograd.grad((y * y.detach()).sum(), x, create_graph=True)
    grad.sum().backward()
    assert x.grad is not None and torch.equal(x.grad, -2 * x.detach().sign() * hard_sign(x.detach()) * (x.abs() < 1))


SHAPES = [(7, 1), (300, 5), (257, 16), (2, 32, 5, 3), (3, 64, 2, 2), (9, 100), (4, 130, 3, 5), (520, 33), (0, 16)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("shortcut", ["none", "linear", "sine"])
def test_the_noise_module_is_one_pass_each_way(isa, shape, shortcut):  # noqa: F811
    torch.manual_seed(sum(shape))
    options = {"name": "fda_noise", "reduction": 16, "shortcut": shortcut, "omega": 0.4}
    quantizer = make_quantizer(options, shape[1], axis=1).train()
    twice = make_quantizer(options, shape[1], axis=1).double().train()
    twice.load_state_dict(quantizer.state_dict())
    x, grad = torch.randn(shape) * 2, torch.randn(shape)
    if len(shape) == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    found = []
    for module, dtype in ((quantizer, torch.float32), (twice, torch.float64)):
        leaf = x.to(dtype, copy=True).requires_grad_()
        y = module(leaf)
        y.backward(grad.to(dtype))
        assert (type(y.grad_fn).__name__ == "_NoisyBackward") == (dtype == torch.float32 and x.numel() > 0)
        found.append([y.detach(), leaf.grad, *(p.grad for p in module.parameters())])
    for mine, want in zip(*found, strict=True):
        close(mine, want, 10.0 * max(1.0, len(x) ** 0.5))  # float32 sums over the pixels


def test_the_noise_module_beside_another_pair_or_layout_is_left_to_pytorch(isa):  # noqa: F811
    x = torch.randn(4, 16, 3, 3, requires_grad=True)
    for options, leaf in (({}, x), ({"pair": sign_ste()}, x.contiguous(memory_format=torch.channels_last))):
        y = make_quantizer({"name": "fda_noise", **options}, 16, axis=1).train()(leaf)
        assert type(y.grad_fn).__name__ == "AddBackward0"


def test_without_the_library_it_is_the_same(isa, monkeypatch):  # noqa: F811
    torch.manual_seed(2)
    x, grad, found = torch.randn(40, 16), torch.randn(40, 16), []
    quantizer = make_quantizer("fda_noise", 16, axis=1).train()
    for there in (True, False):
        if not there:
            monkeypatch.setattr(native_signs, "_library", lambda: None)
        leaf = x.clone().requires_grad_()
        quantizer.zero_grad()
        quantizer(leaf).backward(grad)
        found.append([leaf.grad, *(p.grad.clone() for p in quantizer.parameters() if p.grad is not None)])
    for mine, want in zip(*found, strict=True):
        close(mine, want, 20.0)
