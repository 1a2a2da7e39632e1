"""LogicLinear: a layer of logic gates with learned truth tables over few inputs each.

While training a gate is a polynomial of probabilities; in eval it is a table of 0 and 1, and so is the Program.
Sources: Petersen et al. 2022, arXiv:2210.08277; residual start: Petersen et al. 2024, arXiv:2411.04732.
"""

import torch
from torch import Tensor

from ..ir import lower
from . import native_choice
from .checked_indices import CheckedIndices
from .gate_stack import Remembered, gate_stack, stack_plan, takes
from .gate_tables import GateTables
from .gates import relaxed_gates, scatter_plan
from .learned_wiring import LearnedWiring
from .wiring import WIRINGS, check_wiring


class LogicLinear(CheckedIndices):
    """x: (batch, in_features) in [0, 1], probabilities of a 1 -> (batch, out_features); bits give bits in eval.

    k: inputs of a gate, 2..6. parametrization: "gates16" (k = 2), "table" or "walsh". residual: gates begin by giving
    their first input on. wiring: a name of WIRINGS, "learned" (each connection chooses among n_candidates inputs, some
    drawn anew until the share resample_until of the training), or
    an integer tensor (k, out_features). sampling: "soft", "hard" or "gumbel", with `temperature` and `harden_at` as in
    GateTables. Wiring is a buffer, saved with the weights. The result is feature-major in memory; many layers in a row
    are faster in a LogicStack. Raises ValueError for choices unknown and wirings out of range.
    """

    wiring: Tensor

    def __init__(self, in_features: int, out_features: int, k: int = 2, parametrization: str = "gates16",
                 wiring: str | Tensor = "balanced", residual: bool = True, sampling: str = "soft",
                 temperature: float = 1.0, harden_at: float = 1.0, n_candidates: int = 8,
                 resample_until: float = 0.0):  # fmt: skip
        super().__init__()
        self.in_features, self.out_features, self.k = in_features, out_features, k
        self.tables = GateTables(out_features, k, parametrization, residual, sampling, temperature, harden_at)
        self.choice: LearnedWiring | None = None
        if isinstance(wiring, str) and wiring == "learned":
            self.choice = LearnedWiring(in_features, out_features, k, n_candidates, sampling != "soft", resample_until)
            fixed = torch.arange(k * out_features).reshape(k, out_features).int()
        elif isinstance(wiring, str):
            if wiring not in WIRINGS:
                raise ValueError(f"LogicLinear: no wiring {wiring!r}; choose one of {', '.join(WIRINGS)}, learned")
            fixed = WIRINGS[wiring](in_features, out_features, k)
        else:
            fixed = check_wiring(wiring, in_features, out_features, k)
        self.register_buffer("wiring", fixed)
        self._plan, self._scatter = Remembered(), Remembered()

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 2 or x.shape[1] != self.in_features:
            raise ValueError(
                f"LogicLinear: input is {tuple(x.shape)}, expected (batch, {self.in_features}); flatten it, or build "
                "the layer for these features"
            )
        n_rows = self.in_features
        if self.choice is not None and self.training and self.k == 2:
            candidates, weights, tables = self.choice.candidates, self.choice.weights(), self.tables()
            if native_choice.takes(candidates, x, weights, tables):
                return native_choice.chosen_gates(x.t(), weights, tables, candidates).t()
        if self.choice is not None:
            x, n_rows = self.choice(x.t()).t(), self.wiring.numel()
        if takes(self.wiring, x, self.tables.params):
            plan = self._plan.get(lambda: stack_plan([self.wiring], n_rows), self.wiring)
            learned = self.tables.params if self.tables.plainly_soft() else self.tables()
            return gate_stack(x, [learned], plan)
        scatter = self._scatter.get(lambda: scatter_plan(self.wiring, n_rows), self.wiring)
        return relaxed_gates(x.t().contiguous(), self.tables(), self.wiring, scatter).t()

    def index_limits(self) -> dict[str, tuple[int, ...]]:
        return {"wiring": (self.in_features if self.choice is None else self.wiring.numel(),)}

    def final_wiring(self) -> Tensor:
        """What eval reads: int32 (k, out_features)."""
        return self.wiring if self.choice is None else self.choice.wiring()

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, k={self.k}"


@lower.register
def _(layer: LogicLinear, x):
    return x.luts(layer.final_wiring().T.numpy(), layer.tables.hard().numpy())
