"""The ProxConnect family around any torch optimizer: where the gradient is taken, and where the step starts.

| update | gradient at | step from | source |
| --- | --- | --- | --- |
| bc | sign(w) | w | Courbariaux et al. 2015, arXiv:1511.00363 |
| pc | P(w) | w | Dockhorn et al. 2021 (ProxConnect), arXiv:2110.13220 |
| pq | P(w) | P(w) | Bai et al. 2019 (ProxQuant), arXiv:1810.00861 |
| rpc | w | P(w) | reverse ProxConnect, the same family |
| pc++ | T(P(w)), times T'(P(w)) | w | Lu et al. 2023 (PC++), arXiv:2402.17710 |

BinaryRelax and PARQ are pc with their own P. In a network of BinaryLinear and BinaryConv2d the pairs of QUANTIZERS say
bc, pc and pc++ as well; this class does all five, on any tensors of any model.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ..quantizers import hard_sign
from ..quantizers.theory import MonotoneMap, SmoothMap, sign_map

UPDATES = ("bc", "pc", "pq", "rpc", "pc++")
SCALES = ("none", "tensor", "channel")


class ProxConnect:
    """Used like the optimizer it wraps: zero_grad, backward, step; and `set_progress`, `project`.

    optimizer: over these and any other parameters. weights: those that shall become binary. P, T: maps with schedules
    by name (`prox_strength`, `sharpness`), which `set_progress` moves. accumulate: lambda; then P's `prox_strength` is
    lambda times the sum of learning rates so far, as in the theory of pc, instead of a schedule.
    clip: latent weights are kept within [-clip, clip]; 0 is off.
    scale: levels are +-v, v the mean size of the latent tensor or of each index of axis 0, or +-1 with "none".

    Between steps each weight holds the point where the gradient is taken; its latent value is in `latent`, in the
    wrapper's state_dict. Weight decay acts where the step starts. Raises ValueError for an unknown update or scale, a
    weight that the optimizer does not hold, a T of another update than pc++, or a P without the strength to accumulate.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, weights: Iterable[Tensor], update: str = "pc",
                 P: MonotoneMap | None = None, T: SmoothMap | None = None, *, accumulate: float = 0.0,
                 scale: str = "none", clip: float = 0.0):  # fmt: skip
        if update not in UPDATES or scale not in SCALES:
            known = f"updates: {', '.join(UPDATES)}; scales: {', '.join(SCALES)}"
            raise ValueError(f"ProxConnect: no update {update!r} with scale {scale!r}; {known}")
        self.optimizer, self.update, self.scale = optimizer, update, scale
        self.accumulate, self.clip = accumulate, clip
        self.weights = list(weights)
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if not all(id(w) in held for w in self.weights):
            raise ValueError("ProxConnect: a weight is not among the optimizer's parameters; give it to both")
        self.P = sign_map() if update == "bc" or P is None else P
        if T is not None and update != "pc++":
            raise ValueError(f"ProxConnect: T belongs to update 'pc++', not {update!r}; leave it out or take pc++")
        if accumulate and "prox_strength" not in inspect.signature(self.P.value).parameters:
            raise ValueError(
                "ProxConnect: accumulate sets P's prox_strength, which this P does not have; take soft_threshold_map "
                "or lasso_map, or leave accumulate at 0"
            )
        self.T = T or SmoothMap(lambda p: p, torch.ones_like)
        self.progress, self.total_rate = 0.0, 0.0
        self.latent = [w.detach().clone() for w in self.weights]
        self._show()

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return self.optimizer.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.optimizer.zero_grad(set_to_none=set_to_none)

    def set_progress(self, progress: float) -> None:
        """Moves the schedules of P and T to `progress` in [0, 1], exact at 1, and the weights to the new points."""
        self.progress = float(progress)
        self._show()

    @torch.no_grad()
    def step(self) -> None:
        """One step of the wrapped optimizer, from where this update starts, with this update's gradient."""
        for weight, latent in zip(self.weights, self.latent, strict=True):
            if self.update == "pc++" and weight.grad is not None:
                weight.grad.mul_(self._mapped(latent, lambda w: self._t(self.T.slope, self._p(w)), unit=False))
            start = self._mapped(latent, self._p) if self.update in ("pq", "rpc") else latent
            weight.copy_(start)
        self.optimizer.step()
        self.total_rate += self.param_groups[0]["lr"]
        for weight, latent in zip(self.weights, self.latent, strict=True):
            latent.copy_(weight.clamp(-self.clip, self.clip) if self.clip else weight)
        self._show()

    @torch.no_grad()
    def adopt(self) -> None:
        """The weights as somebody else has set them, to an average for instance, become the latent ones."""
        for weight, latent in zip(self.weights, self.latent, strict=True):
            latent.copy_(weight)

    @torch.no_grad()
    def project(self) -> None:
        """Each weight becomes sign(latent) times its level, for good: what ships."""
        for weight, latent in zip(self.weights, self.latent, strict=True):
            weight.copy_(self._mapped(latent, hard_sign))

    @contextmanager
    def projected(self) -> Iterator[None]:
        """Inside, the weights are as `project` would make them; behind, as they were."""
        self.project()
        try:
            yield
        finally:
            self._show()

    @torch.no_grad()
    def _show(self) -> None:
        for weight, latent in zip(self.weights, self.latent, strict=True):
            if self.update == "pc++":
                weight.copy_(self._mapped(latent, lambda w: self._t(self.T.value, self._p(w))))
            else:
                weight.copy_(latent if self.update == "rpc" else self._mapped(latent, self._p))

    def _mapped(self, latent: Tensor, function: Callable[[Tensor], Tensor], unit: bool = True) -> Tensor:
        """level * function(latent / level), or function(latent / level) alone."""
        if self.scale == "none":
            return function(latent)
        size = latent.abs()
        level = size.mean() if self.scale == "tensor" else size.flatten(1).mean(1).reshape(-1, *[1] * (size.dim() - 1))
        level = level.clamp_min(1e-12)
        return function(latent / level) * (level if unit else 1.0)

    def _p(self, w: Tensor) -> Tensor:
        values = {k: schedule(self.progress) for k, schedule in (self.P.schedules or {}).items()}
        if self.accumulate:
            values["prox_strength"] = self.accumulate * self.total_rate
        return self.P.value(w, **values)

    def _t(self, function: Callable[..., Tensor], p: Tensor) -> Tensor:
        return function(p, **{k: schedule(self.progress) for k, schedule in (self.T.schedules or {}).items()})

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict(), "latent": [w.clone() for w in self.latent],
                "progress": self.progress, "total_rate": self.total_rate}  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        for latent, saved in zip(self.latent, state["latent"], strict=True):
            latent.copy_(saved)
        self.progress, self.total_rate = state["progress"], state["total_rate"]
        self._show()


def lasso_map() -> MonotoneMap:
    """P(w) = sign(w) max(|w| - prox_strength, 0): the proximal map of prox_strength |w|, a convex regulariser, for
    which ProxConnect's guarantee holds. It makes zeros, not signs: a test problem."""
    return MonotoneMap(lambda w, prox_strength: torch.sign(w) * (w.abs() - prox_strength).clamp_min(0))
