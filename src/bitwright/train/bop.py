"""Bop: weights without a latent value. An average of gradients decides, weight by weight, when the sign flips.

Source: Helwegen et al. 2019 (Bop), arXiv:1906.02107: m <- m + gamma (g - m); w flips where w m > tau.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from ..quantizers.pair import Schedule


class Bop(torch.optim.Optimizer):
    """For weights that are -1 or +1 and stay so; the gradient must be with respect to them (quantizer "identity").

    gamma: how fast the average follows, in (0, 1]; schedule, of the progress, takes its place in `set_progress`.
    threshold: tau. No learning rate, decay or clipping; other
    parameters need an optimizer of their own. The weights are made signs at once. Raises ValueError for numbers
    out of range.
    """

    def __init__(self, weights: Iterable[nn.Parameter], gamma: float = 1e-4, threshold: float = 1e-8,
                 schedule: Schedule | None = None):  # fmt: skip
        if not 0 < gamma <= 1 or not threshold >= 0:
            raise ValueError(f"Bop: gamma must lie in (0, 1] and threshold be 0 or more, got {gamma} and {threshold}")
        super().__init__(weights, {"gamma": gamma, "threshold": threshold})
        with torch.no_grad():
            for weight in self._weights():
                weight.copy_(torch.where(weight >= 0, 1.0, -1.0))
        self._flips: list[torch.Tensor] = []
        self.schedule = schedule

    def set_progress(self, progress: float) -> None:
        """Moves gamma to where its schedule, if it has one, is at `progress` in [0, 1]."""
        if self.schedule is not None:
            for group in self.param_groups:
                group["gamma"] = self.schedule(progress)

    def _weights(self) -> Iterable[nn.Parameter]:
        return (weight for group in self.param_groups for weight in group["params"])

    @torch.no_grad()
    def step(self, closure=None):  # type: ignore[override]
        """One update. closure: as torch's."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._flips = []
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                average = state.setdefault("average", torch.zeros_like(weight))
                average.lerp_(weight.grad, group["gamma"])
                flip = weight * average > group["threshold"]
                weight.copy_(torch.where(flip, -weight, weight))
                self._flips.append(flip.sum())
        return loss

    @property
    def flips(self) -> int:
        """How many weights the last step changed; asking waits for the device."""
        return sum(int(flips) for flips in self._flips)


class Together:
    """Several optimizers as one, each over parameters of its own: Bop for weights, Adam for everything else."""

    def __init__(self, *optimizers: torch.optim.Optimizer):
        self.optimizers = optimizers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=set_to_none)

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()

    def set_progress(self, progress: float) -> None:
        for optimizer in self.optimizers:
            if callable(move := getattr(optimizer, "set_progress", None)):
                move(progress)

    def state_dict(self) -> dict[str, Any]:
        return {"together": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for optimizer, saved in zip(self.optimizers, state["together"], strict=True):
            optimizer.load_state_dict(saved)
