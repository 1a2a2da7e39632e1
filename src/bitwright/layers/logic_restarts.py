"""LogicRestarts: many small logic nets trained at once from other wirings and beginnings; the best one stays.

A net of a few dozen gates depends on its wiring, which is drawn at random, and training costs little: the nets stand
side by side as one wide stack. Training rows alone choose, in `settle`, with hard gates.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import lower
from .group_sum import GroupSum
from .logic import LogicLinear
from .logic_stack import LogicStack
from .wiring import WIRINGS


class LogicRestarts(nn.Module):
    """x: (batch, in_features) in [0, 1] -> while training (batch, n_nets, classes), scores of all nets, which `fit`
    teaches each for itself; in eval (batch, classes), those of the chosen net.

    widths: gates of each layer of one net, the last a multiple of classes. first_wiring, wiring: names of WIRINGS, of
    the first and the other layers. tau: the votes' temperature. label_noise: the share of labels that are believed to
    lie, for `settle`. Other options are LogicLinear's. `chosen` is a buffer.
    Raises ValueError for fewer than one net, unknown wirings and widths that do not fit.
    """

    chosen: Tensor

    def __init__(self, in_features: int, widths: Sequence[int], classes: int, n_nets: int, tau: float = 1.0,
                 first_wiring: str = "unique", wiring: str = "balanced", k: int = 2, label_noise: float = 0.0,
                 **options: Any):  # fmt: skip
        super().__init__()
        unknown = {first_wiring, wiring} - set(WIRINGS)
        if not 0 <= label_noise < 0.5:
            raise ValueError(f"LogicRestarts: label_noise is {label_noise}, expected a share below 0.5")
        if n_nets < 1 or unknown:
            raise ValueError(
                f"LogicRestarts: n_nets {n_nets}, expected 1 or more; wirings {first_wiring!r}, {wiring!r}, each one "
                f"of {', '.join(WIRINGS)}"
            )
        self.n_nets, self.k, self.label_noise, self.head = n_nets, k, label_noise, GroupSum(classes, tau)
        self.head.group_size(widths[-1])
        self.nets, before = LogicStack(), in_features
        for i, width in enumerate(widths):
            name = wiring if i else first_wiring
            own = [WIRINGS[name](before, width, k) + (before * net if i else 0) for net in range(n_nets)]
            n_inputs = before * (n_nets if i else 1)
            self.nets.append(LogicLinear(n_inputs, width * n_nets, k, wiring=torch.cat(own, 1), **options))
            before = width
        self.nets.append(GroupSum(classes * n_nets, tau))  # of each net its classes, net after net
        self.register_buffer("chosen", torch.zeros((), dtype=torch.int64))

    def all_scores(self, x: Tensor) -> Tensor:
        """(batch, n_nets, classes)."""
        return self.nets(x).unflatten(1, (self.n_nets, self.head.k))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.all_scores(x)
        return scores if self.training else scores[:, int(self.chosen)]

    @torch.no_grad()
    def settle(self, x: Tensor, labels: Tensor) -> None:
        """Chooses the net whose hard gates are right on most of these rows; at a tie the one whose soft gates have the
        least cross-entropy. x: as forward's.

        Where labels lie, being right on all is no proof: what many nets came to say weighs too. Then the choice is the
        most probable set of answers: how many other nets give just the same, times the noise's probability of the
        labels that contradict them.
        """
        training = self.training
        answers = self.eval().all_scores(x).argmax(2)
        right = (answers == labels[:, None]).sum(0).double()
        if self.label_noise:
            _, kind, count = answers.T.unique(dim=0, return_inverse=True, return_counts=True)
            odds = math.log((1 - self.label_noise) / self.label_noise)
            right = right * odds + (count[kind] - 1).clamp_min(0.01).log()
        scores = self.train().all_scores(x)
        loss = F.cross_entropy(scores.flatten(0, 1), labels.repeat_interleave(self.n_nets), reduction="none")
        loss = loss.reshape(-1, self.n_nets).mean(0)
        self.chosen.fill_(int(torch.where(right == right.max(), loss, torch.inf).argmin()))
        self.train(training)

    def chosen_layers(self) -> list[tuple[Tensor, Tensor]]:
        """Of each layer of the chosen net: wiring (k, gates) and hard tables (gates, 2^k)."""
        found, before = [], 0
        for layer in self.nets:
            if not isinstance(layer, LogicLinear):
                continue
            width = layer.out_features // self.n_nets
            own = slice(int(self.chosen) * width, (int(self.chosen) + 1) * width)
            found.append((layer.wiring[:, own] - int(self.chosen) * before, layer.tables.hard()[own]))
            before = width
        return found


@lower.register
def _(layer: LogicRestarts, x):
    for wiring, tables in layer.chosen_layers():
        x = x.luts(wiring.T.numpy(), tables.numpy())
    return lower(layer.head, x)
