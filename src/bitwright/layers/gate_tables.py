"""The learned truth tables of a layer of gates: soft or hard while training, 0 and 1 in eval.

Sources: straight-through Gumbel: arXiv:2506.07500; hard forward near the end: `harden_at`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..quantizers.numbers import read_number, register_number, write_number
from .parametrizations import PARAMETRIZATIONS

SAMPLINGS = ("soft", "hard", "gumbel")


class _StraightThrough(torch.autograd.Function):
    """Forward gives the hard value, backward hands the gradient to the soft one."""

    @staticmethod
    def forward(ctx: Any, soft: Tensor, hard: Tensor) -> Tensor:
        return hard.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        return grads[0], None


def straight_through(soft: Tensor, hard: Tensor) -> Tensor:
    """The hard value, exactly, whose gradient is the soft one's."""
    return _StraightThrough.apply(soft, hard)  # type: ignore[return-value]


class GateTables(nn.Module):
    """forward() -> truth tables (n_gates, 2^k) in [0, 1]; the first input is the address's most significant bit.

    sampling: "soft", "hard" (straight-through) or "gumbel" (straight-through with noise) while training; eval is hard.
    harden_at: past this share of the training every step is "hard"; 1 is never. `set_progress` of quantizers moves it.
    Raises ValueError for an unknown choice, k outside 2..6, no gates, and a temperature that is not positive.
    """

    progress: Tensor

    def __init__(self, n_gates: int, k: int = 2, parametrization: str = "gates16", residual: bool = True,
                 sampling: str = "soft", temperature: float = 1.0, harden_at: float = 1.0):  # fmt: skip
        super().__init__()
        if not 2 <= k <= 6:
            raise ValueError(f"logic gates: k is {k}, expected 2..6 inputs a gate")
        if n_gates < 1 or not temperature > 0:
            raise ValueError(
                f"logic gates: {n_gates} gates, temperature {temperature}; expected 1 or more, and above 0"
            )
        check_choice("parametrization", parametrization, PARAMETRIZATIONS)
        check_choice("sampling", sampling, SAMPLINGS)
        self.k, self.sampling, self.temperature, self.harden_at = k, sampling, temperature, harden_at
        self.parametrization, self.rule = parametrization, PARAMETRIZATIONS[parametrization]
        self.rule.n_params(k)  # says which k it knows
        self.params = nn.Parameter(self.rule.start(n_gates, k, residual))
        register_number(self, "progress", 0.0)

    def set_progress(self, progress: float) -> None:
        write_number(self, "progress", float(progress))

    @property
    def sampling_now(self) -> str:
        return "hard" if self.harden_at < 1 and read_number(self, "progress") >= self.harden_at else self.sampling

    def forward(self) -> Tensor:
        logits = self.rule.logits(self.params, self.k)
        if not self.training:
            return self.rule.harden(logits.detach())
        sampling = self.sampling_now
        if sampling == "soft":
            return self.rule.relax(logits)
        if sampling == "gumbel":
            logits = (logits + self.rule.noise(logits)) / self.temperature
        return straight_through(self.rule.relax(logits), self.rule.harden(logits.detach()))

    def plainly_soft(self) -> bool:
        """Whether now forward() is the softmax of 16 logits, `params`, and nothing else."""
        return self.training and self.parametrization == "gates16" and self.sampling_now == "soft"

    @torch.no_grad()
    def hard(self) -> Tensor:
        """The tables that ship: 0 and 1, (n_gates, 2^k), int64."""
        return self.rule.harden(self.rule.logits(self.params.detach(), self.k)).long()

    def extra_repr(self) -> str:
        return f"{len(self.params)}, k={self.k}, {self.parametrization!r}, {self.sampling!r}"


def check_choice(what: str, chosen: str, known) -> None:
    if chosen not in known:
        raise ValueError(f"logic gates: no {what} {chosen!r}; choose one of {', '.join(known)}")
