"""LogicLinear: a layer of logic gates with learned truth tables over few inputs each.

While training a gate is a polynomial of probabilities; in eval it is a table of 0 and 1, and so is the Program.
Sources: Petersen et al. 2022, arXiv:2210.08277; residual start: Petersen et al. 2024, arXiv:2411.04732.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..ir import lower
from .gate_tables import GateTables
from .gates import Plan, relaxed_gates, scatter_plan
from .learned_wiring import LearnedWiring
from .wiring import WIRINGS, check_wiring


class LogicLinear(nn.Module):
    """x: (batch, in_features) in [0, 1], probabilities of a 1 -> (batch, out_features); bits give bits in eval.

    k: inputs of a gate, 2..6. parametrization: "gates16" (k = 2), "table" or "walsh". residual: gates begin by giving
    their first input on. wiring: a name of WIRINGS, "learned" (each connection chooses among n_candidates inputs), or
    an integer tensor (k, out_features). sampling: "soft", "hard" or "gumbel", with `temperature` and `harden_at` as in
    GateTables. Wiring is a buffer, saved with the weights. The result is feature-major in memory: layers in a row copy
    nothing. Raises ValueError for choices unknown and wirings out of range.
    """

    wiring: Tensor

    def __init__(self, in_features: int, out_features: int, k: int = 2, parametrization: str = "gates16",
                 wiring: str | Tensor = "balanced", residual: bool = True, sampling: str = "soft",
                 temperature: float = 1.0, harden_at: float = 1.0, n_candidates: int = 8):  # fmt: skip
        super().__init__()
        self.in_features, self.out_features, self.k = in_features, out_features, k
        self.tables = GateTables(out_features, k, parametrization, residual, sampling, temperature, harden_at)
        self.choice: LearnedWiring | None = None
        if isinstance(wiring, str) and wiring == "learned":
            self.choice = LearnedWiring(in_features, out_features, k, n_candidates, hard=sampling != "soft")
            fixed = torch.arange(k * out_features).reshape(k, out_features).int()
        elif isinstance(wiring, str):
            if wiring not in WIRINGS:
                raise ValueError(f"LogicLinear: no wiring {wiring!r}; choose one of {', '.join(WIRINGS)}, learned")
            fixed = WIRINGS[wiring](in_features, out_features, k)
        else:
            fixed = check_wiring(wiring, in_features, out_features, k)
        self.register_buffer("wiring", fixed)
        self._plan: tuple[Any, Plan] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 2 or x.shape[1] != self.in_features:
            raise ValueError(
                f"LogicLinear: input is {tuple(x.shape)}, expected (batch, {self.in_features}); flatten it, or build "
                "the layer for these features"
            )
        rows = x.t().contiguous()
        if self.choice is not None:
            rows = self.choice(rows)
        return relaxed_gates(rows, self.tables(), self.wiring, self._scatter_plan(len(rows))).t()

    def final_wiring(self) -> Tensor:
        """What eval reads: int32 (k, out_features)."""
        return self.wiring if self.choice is None else self.choice.wiring()

    def _scatter_plan(self, n_rows: int) -> Plan:
        mark = (self.wiring.device, self.wiring.data_ptr(), self.wiring._version)  # another wiring was loaded or moved
        if self._plan is None or self._plan[0] != mark:
            self._plan = mark, scatter_plan(self.wiring, n_rows)
        return self._plan[1]

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, k={self.k}"


@lower.register
def _(layer: LogicLinear, x):
    return x.luts(layer.final_wiring().T.numpy(), layer.tables.hard().numpy())
