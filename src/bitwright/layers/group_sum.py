"""GroupSum: the head of a logic network. Its bits vote for the classes, group by group.

Source: Petersen et al. 2022, arXiv:2210.08277, Sec. 3: the sum of a group, divided by a temperature tau.
"""

import numpy as np
from torch import Tensor, nn

from ..ir import lower


class GroupSum(nn.Module):
    """x: (batch, n) -> (batch, k): sums of k equal, contiguous groups, divided by tau > 0 (which keeps their order).

    Raises ValueError unless k divides n, and for tau or k that is not positive.
    """

    def __init__(self, k: int, tau: float = 1.0):
        super().__init__()
        if k < 1 or not tau > 0:
            raise ValueError(f"GroupSum: k is {k}, tau is {tau}; both must be positive")
        self.k, self.tau = k, float(tau)

    def group_size(self, n: int) -> int:
        """n / k. Raises ValueError naming the nearest widths that fit."""
        if n % self.k or n < self.k:
            below = n - n % self.k
            near = f"{below} or {below + self.k}" if below else f"{self.k}"
            raise ValueError(f"GroupSum: {n} bits cannot form {self.k} equal groups; give the layer before it {near}")
        return n // self.k

    def forward(self, x: Tensor) -> Tensor:
        self.group_size(x.shape[1])
        if x.dim() == 2 and x.t().is_contiguous():  # as logic layers leave it; sums of whole rows
            return x.t().unflatten(0, (self.k, -1)).sum(1).t() / self.tau
        return x.unflatten(1, (self.k, -1)).sum(2) / self.tau

    def extra_repr(self) -> str:
        return f"k={self.k}, tau={self.tau}"


@lower.register
def _(layer: GroupSum, x):
    n = x.shape[0]
    size = layer.group_size(n)
    sums = x.count(np.arange(n).reshape(layer.k, size))
    return sums.affine(lambda v: v / layer.tau, 1 / layer.tau)
