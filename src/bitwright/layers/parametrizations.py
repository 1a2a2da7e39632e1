"""What a logic gate learns: numbers that stand for a truth table. PARAMETRIZATIONS maps a name to a Parametrization.

A truth table of k inputs has 2^k entries, one an address; the first input is the address's most significant bit.
Sources: Petersen et al. 2022, arXiv:2210.08277 (16 gates); Ruettgers et al. 2025, arXiv:2510.03250 (tables);
arXiv:2510.15655 (Walsh), here with the sigmoid on each table entry, so that every gate stays multilinear.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

# TRUTH[gate, address]: gate 1 is AND, 6 XOR, 7 OR; addresses 00, 01, 10, 11 of (a, b); gate number = the bits read so.
TRUTH = torch.tensor([[gate >> (3 - address) & 1 for address in range(4)] for gate in range(16)])
PASS_FIRST = 3  # the gate that gives its first input on
GATE_LOGIT = 5.0  # residual start of 16 gates: 0.908 of the weight on PASS_FIRST
TABLE_LOGIT = 3.0  # of tables: sigmoid(3) = 0.953 in agreement with the first input


@dataclass(frozen=True)
class Parametrization:
    """n_params(k) numbers a gate, (gates, n_params).

    logits(params, k): what noise is added to. relax(logits): truth tables in [0, 1], (gates, 2^k).
    harden(logits): the same as 0 and 1. noise(logits): a sample of the noise of the Gumbel trick.
    start(n_gates, k, residual): initial numbers; residual gates give their first input on.
    """

    n_params: Callable[[int], int]
    logits: Callable[[Tensor, int], Tensor]
    relax: Callable[[Tensor], Tensor]
    harden: Callable[[Tensor], Tensor]
    noise: Callable[[Tensor], Tensor]
    start: Callable[[int, int, bool], Tensor]


def _gumbel(logits: Tensor) -> Tensor:
    return -torch.empty_like(logits).exponential_().log()


def _logistic(logits: Tensor) -> Tensor:
    return _gumbel(logits) - _gumbel(logits)


def _n_gates(k: int) -> int:
    if k != 2:
        raise ValueError(f"parametrization 'gates16' has k = 2 inputs, got k = {k}; use 'table' or 'walsh'")
    return 16


def mean_of_16(logits: Tensor) -> Tensor:
    """The truth tables' mean, weighted by the softmax: (gates, 16) -> (gates, 4)."""
    return logits.softmax(1) @ truth_on(logits.device, logits.dtype)


@cache
def truth_on(device: torch.device, dtype: torch.dtype) -> Tensor:
    """TRUTH there, copied once: a training step must not wait for it."""
    with torch.inference_mode(False):  # else a first call under inference_mode would leave what no gradient may use
        return TRUTH.to(device, dtype)


def _start_gates(n_gates: int, k: int, residual: bool) -> Tensor:
    if not residual:
        return torch.randn(n_gates, 16)
    logits = torch.zeros(n_gates, 16)
    logits[:, PASS_FIRST] = GATE_LOGIT
    return logits


def _start_table(n_gates: int, k: int, residual: bool) -> Tensor:
    if not residual:
        return torch.randn(n_gates, 1 << k)
    half = torch.full((1 << (k - 1),), TABLE_LOGIT)
    return torch.cat([-half, half]).repeat(n_gates, 1)


def _start_walsh(n_gates: int, k: int, residual: bool) -> Tensor:
    if not residual:
        return torch.randn(n_gates, 1 << k) / math.sqrt(1 << k)
    terms = torch.zeros(n_gates, 1 << k)
    terms[:, 1 << (k - 1)] = -TABLE_LOGIT
    return terms


def walsh_matrix(k: int) -> Tensor:
    """(2^k, 2^k) of -1 and +1: entry (address, term) is the product of 1 - 2x over the inputs x in the term."""
    matrix = torch.ones(1, 1)
    for _ in range(k):
        matrix = torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])
    return matrix


@cache
def walsh_on(k: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """walsh_matrix(k) there, made once."""
    with torch.inference_mode(False):
        return walsh_matrix(k).to(device, dtype)


PARAMETRIZATIONS: dict[str, Parametrization] = {
    "gates16": Parametrization(
        n_params=_n_gates,
        logits=lambda params, k: params,
        relax=mean_of_16,
        harden=lambda z: truth_on(z.device, z.dtype)[z.argmax(1)],
        noise=_gumbel,
        start=_start_gates,
    ),
    "table": Parametrization(
        n_params=lambda k: 1 << k,
        logits=lambda params, k: params,
        relax=torch.sigmoid,
        harden=lambda z: (z > 0).to(z),
        noise=_logistic,
        start=_start_table,
    ),
    "walsh": Parametrization(
        n_params=lambda k: 1 << k,
        logits=lambda params, k: params @ walsh_on(k, params.device, params.dtype).T,
        relax=torch.sigmoid,
        harden=lambda z: (z >= 0).to(z),
        noise=_logistic,
        start=_start_walsh,
    ),
}
