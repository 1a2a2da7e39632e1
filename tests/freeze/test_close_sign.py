"""Thresholds from chains: against the chain evaluated at every value of the range."""

import numpy as np
import pytest
import torch
from torch import nn

from bitwright.freeze.chain import Affine, Clamp, TwoSlopes, evaluate
from bitwright.freeze.close_sign import sign_rule
from bitwright.ir import ProgramError, ValueType


def bits_of_rule(rule, values: np.ndarray) -> np.ndarray:
    """(values, C) bits that the rule gives, written out from docs/program.md."""
    met = (values[:, None, None] >= rule.t) ^ rule.flip.astype(bool)
    if rule.table is None:
        return met[:, :, 0]
    address = met[:, :, 0] * 2 + met[:, :, 1]
    return (rule.table[None, :] >> address & 1).astype(bool)


def expected_bits(chain, type_: ValueType, values: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(np.repeat(values[:, None], type_.shape[0], 1).astype(np.float32))
    return (evaluate(chain, x) >= 0).numpy()


def norm_step(channels: int, seed: int) -> Affine:
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(channels).eval()
    with torch.no_grad():
        norm.weight.copy_(torch.randn(channels))
        norm.weight[0] = 0.0  # a constant channel
        norm.bias.copy_(torch.randn(channels))
        norm.running_mean.copy_(20 * torch.randn(channels))
        norm.running_var.uniform_(1, 400)
    a = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().double().numpy()
    b = norm.bias.detach().double().numpy() - norm.running_mean.double().numpy() * a
    return Affine(norm, a, b)


@pytest.mark.parametrize("lo, hi", [(-300, 300), (0, 1), (5, 5), (-7, 90000)])
@pytest.mark.parametrize("seed", range(3))
def test_monotone_chain_equals_its_evaluation_everywhere(lo, hi, seed):
    type_ = ValueType("int", (33,), lo, hi)
    chain = (norm_step(33, seed), Clamp(lambda v: v.clamp(-1, 1), -1.0, 1.0))
    values = np.arange(lo, hi + 1)
    assert (bits_of_rule(sign_rule(chain, type_), values) == expected_bits(chain, type_, values)).all()


@pytest.mark.parametrize("slope", [-0.5, 0.25, 0.0, -3.0])
def test_prelu_that_turns_back_takes_two_thresholds_and_a_table(slope):
    channels = 40
    first, last = norm_step(channels, 1), norm_step(channels, 2)
    slopes = torch.linspace(slope, -slope, channels)
    prelu = TwoSlopes(lambda v: torch.where(v >= 0, v, v * slopes), np.float64(1), slopes.double().numpy())
    shift = Affine(lambda v: v - 0.3, np.float64(1), np.float64(-0.3))
    chain, type_ = (first, prelu, last, shift), ValueType("int", (channels,), -400, 400)
    values = np.arange(-400, 401)
    rule = sign_rule(chain, type_)
    assert (rule.table is None) == (slope == 0.0)  # one slope of 0 is still monotone
    assert (bits_of_rule(rule, values) == expected_bits(chain, type_, values)).all()


def test_equality_counts_as_positive():
    rule = sign_rule((Affine(lambda v: v - 3, np.float64(1), np.float64(-3)),), ValueType("int", (1,), -10, 10))
    assert (rule.t[0, 0], rule.flip[0, 0]) == (3, 0)


def test_more_than_two_switches_are_refused():
    wave = TwoSlopes(lambda v: torch.sin(v), np.float64(1), np.float64(-1))
    with pytest.raises(ProgramError, match="switches .* times"):
        sign_rule((wave,), ValueType("int", (2,), -20, 20))


def test_turning_back_on_a_wide_range_is_refused():
    turn = TwoSlopes(lambda v: v.abs(), np.float64(1), np.float64(-1))
    with pytest.raises(ProgramError, match="2\\^16"):
        sign_rule((turn,), ValueType("int", (2,), -70000, 70000))
