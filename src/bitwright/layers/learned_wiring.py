"""Connections that are learned: each chooses one of K random candidates.

Training mixes the candidates by a softmax (soft) or takes the strongest with the softmax's gradient (hard); eval and
the Program take the strongest. Source: LILogic Net, arXiv:2511.12340; hard choice: Mommen et al., arXiv:2507.06173;
candidates drawn anew: CompactLogic, arXiv:2602.05830, whose slots of settled gates get new inputs.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..quantizers.numbers import read_number, register_number, write_number
from .checked_indices import CheckedIndices
from .gate_tables import straight_through
from .wiring import balanced_wiring

ROUNDS = 20  # of drawing anew
WEAK, BEHIND = 0.02, 3.0  # who is replaced: below this share; a newcomer's logit is so far behind the strongest


class LearnedWiring(CheckedIndices):
    """x: (in_features, batch), feature-major -> (k * out_features, batch): what each connection reads.

    candidates: int32 (k * out_features, K), a buffer, distinct and read equally often (give or take one); logits: a
    parameter (K, k * out_features). hard: straight-through while training. resample_until: up to this share of the
    training, 20 times, candidates that hardly count give way to random others; 0 is never. among: candidates of one's
    own, with n_candidates columns, instead of random ones. Raises ValueError if there are fewer than K inputs.
    """

    candidates: Tensor
    rounds: Tensor

    def __init__(self, in_features: int, out_features: int, k: int, n_candidates: int = 8, hard: bool = False,
                 resample_until: float = 0.0, among: Tensor | None = None):  # fmt: skip
        super().__init__()
        if not 2 <= n_candidates <= in_features:
            raise ValueError(f"learned wiring: {n_candidates} candidates, expected 2..{in_features} (the inputs)")
        if not 0 <= resample_until <= 1:
            raise ValueError(f"learned wiring: resample_until is {resample_until}, a share of the training, 0..1")
        self.k, self.out_features, self.hard = k, out_features, hard
        self.in_features, self.resample_until = in_features, resample_until
        register_number(self, "rounds", 0)
        spread = _spread(in_features, k * out_features, n_candidates) if among is None else among
        self.register_buffer("candidates", spread)
        self.logits = nn.Parameter(0.1 * torch.randn(self.candidates.T.shape))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x.index_select(0, self.wiring().reshape(-1))
        weights = self.weights()
        offsets = torch.arange(0, self.candidates.numel(), self.candidates.shape[1], device=x.device)
        flat = self.candidates.reshape(-1).long()
        return F.embedding_bag(flat, x.contiguous(), offsets, mode="sum", per_sample_weights=weights.T.reshape(-1))

    def index_limits(self) -> dict[str, tuple[int, ...]]:
        return {"candidates": (self.in_features,)}

    def weights(self) -> Tensor:
        """How much each candidate counts while training: (K, k * out_features)."""
        weights = self.logits.softmax(0)
        if self.hard:
            weights = straight_through(weights, F.one_hot(self.logits.argmax(0), len(self.logits)).T.to(weights))
        return weights

    def set_progress(self, progress: float) -> None:
        if not self.resample_until or progress > self.resample_until:
            return
        due = int(ROUNDS * progress / self.resample_until)
        if due > read_number(self, "rounds"):
            write_number(self, "rounds", due)
            self.resample()

    @torch.no_grad()
    def resample(self) -> None:
        """Weak candidates become random inputs that the connection does not have yet."""
        weak = self.logits.softmax(0).T < WEAK
        new = torch.randint(self.in_features, self.candidates.shape, device=weak.device).int()
        for had in self.candidates.T:
            weak &= new != had[:, None]
        for at in range(1, new.shape[1]):
            weak[:, at] &= (new[:, at : at + 1] != new[:, :at]).all(1)
        self.candidates[weak] = new[weak]
        entry = (self.logits.max(0).values - BEHIND)[:, None].expand_as(weak)
        self.logits.T[weak] = entry[weak]

    @torch.no_grad()
    def wiring(self) -> Tensor:
        """The strongest candidates: int32 (k, out_features)."""
        chosen = self.candidates.gather(1, self.logits.argmax(0)[:, None])
        return chosen.reshape(self.k, self.out_features)


def _spread(in_features: int, n_connections: int, n_candidates: int) -> Tensor:
    """Distinct candidates a connection, each input equally often a candidate."""
    if n_candidates <= 6:
        return balanced_wiring(in_features, n_connections, n_candidates).T.contiguous()
    stride = torch.randperm(in_features)
    start = torch.randperm(n_connections) % in_features
    offsets = torch.randperm(in_features)[:n_candidates]  # distinct offsets modulo in_features are distinct inputs
    return stride[(start[:, None] + offsets) % in_features].int()
