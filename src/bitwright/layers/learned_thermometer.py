"""A thermometer whose thresholds are learned together with the gates behind it.

Training gives the same bits as eval; the gradient is that of a sigmoid around each threshold. The thresholds of a
feature keep their order: each lies a positive step above the one before.
Source: learned thresholds of WARP logic networks, arXiv:2602.03527 (ordered by positive steps, hard forward).
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import lower
from .gate_tables import straight_through


class LearnedThermometer(nn.Module):
    """x: float (batch, C, ...) -> bits of 0 and 1 (batch, C * J, ...); bit c * J + j is x[c] >= thresholds()[c, j].

    start: (C, J), rising in each row, finite: the first thresholds. width: of the sigmoid that stands for a bit in the
    gradient, in x's unit. Raises ValueError for a start that does not rise or a width that is not positive.
    """

    unit: Tensor

    def __init__(self, start: np.ndarray, width: float):
        super().__init__()
        marks = torch.from_numpy(np.array(start, np.float32))
        steps = marks.diff(dim=1)
        if marks.dim() != 2 or not bool(marks.isfinite().all()) or not bool((steps > 0).all()) or not width > 0:
            raise ValueError(
                f"LearnedThermometer: start {tuple(marks.shape)} must be finite (C, J) with rising rows, and width "
                f"({width}) positive"
            )
        self.width = float(width)
        # Steps are softplus(step) * unit with the unit a whole step at the start, so one lr serves every scale of x.
        self.register_buffer(
            "unit", steps.mean(1, keepdim=True) if steps.numel() else torch.full((len(marks), 1), width)
        )
        self.first = nn.Parameter(marks[:, :1] / self.unit)
        self.steps = nn.Parameter(torch.log(torch.expm1(steps / self.unit)))

    def thresholds(self) -> Tensor:
        """(C, J), rising."""
        return torch.cat([self.first, self.first + F.softplus(self.steps).cumsum(1)], 1) * self.unit

    def forward(self, x: Tensor) -> Tensor:
        marks = self.thresholds().reshape(*self.unit.shape[:1], -1, *(1,) * (x.dim() - 2))
        hard = torch.where(x.unsqueeze(2) >= marks.detach(), 1.0, 0.0)
        if not self.training:
            return hard.flatten(1, 2)
        return straight_through(torch.sigmoid((x.unsqueeze(2) - marks) / self.width), hard).flatten(1, 2)


@lower.register
def _(layer: LearnedThermometer, x):
    return x.thermometer(layer.thresholds().detach(), zero_one=True)
