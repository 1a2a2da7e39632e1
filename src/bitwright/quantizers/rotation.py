"""RBNN's rotation: weights are turned towards the corners of a cube before their sign, filter by filter alike.

A filter of n = a b weights is read as an (a, b) matrix W and becomes R1^T W R2 with two small orthogonal matrices,
found anew every now and then for the present weights: with B = sign(R1^T W R2) fixed, each of R1 and R2 in turn
maximises the sum over filters of tr(B^T R1^T W R2), which a singular value decomposition solves. The weight used is
w + (rotated - w) |sin beta|, beta learned. Then RBNN's estimator.
Source: Lin et al. 2020 (RBNN), arXiv:2009.13055, two learned rotations by SVD; the mixture by beta, how a and b are
chosen and how often to turn (`turns` times, evenly) are ours.
"""

import math

import torch
from torch import Tensor, nn

from .numbers import read_number, register_number, write_number
from .pair import Quantizer, hard_sign
from .rbnn import rbnn


def two_factors(n: int) -> tuple[int, int]:
    """(a, b) with a b = n, a <= b, as near to each other as can be."""
    a = next(d for d in range(math.isqrt(n), 0, -1) if n % d == 0)
    return a, n // a


def _nearest(m: Tensor) -> Tensor:
    """The orthogonal R that maximises tr(R^T m)."""
    u, _, v = torch.linalg.svd(m)
    return u @ v


class Rotated(Quantizer):
    """On weights (out, ...): rbnn(start, end) of the rotated weight; in eval its hard sign.

    features: weights of a filter. left, right: R1 and R2, buffers, as `turned`, the number of turns so far.
    """

    left: Tensor
    right: Tensor
    turned: Tensor

    def __init__(self, features: int, start: float = 1e-2, end: float = 10.0, turns: int = 30):
        super().__init__(rbnn(start, end))
        self.sides, self.turns, self._progress = two_factors(features), turns, 0.0
        self.register_buffer("left", torch.eye(self.sides[0]))
        self.register_buffer("right", torch.eye(self.sides[1]))
        register_number(self, "turned", 0)
        self.beta = nn.Parameter(torch.tensor(math.pi / 4))

    def forward(self, x: Tensor) -> Tensor:
        if self.training and read_number(self, "turned") <= self._progress * self.turns:
            self.turn(x.detach())
            write_number(self, "turned", math.floor(self._progress * self.turns) + 1)
        return super().forward(x)

    def prepared(self, x: Tensor) -> Tensor:
        share = self.beta.sin().abs().to(x.dtype)
        return x + (self.rotated(x) - x) * share

    def signs(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return super().signs(x)

    def rotated(self, x: Tensor) -> Tensor:
        """R1^T W R2 of every filter, in x's shape."""
        matrices = x.reshape(len(x), *self.sides)
        return (self.left.T.to(x.dtype) @ matrices @ self.right.to(x.dtype)).reshape(x.shape)

    @torch.no_grad()
    def turn(self, x: Tensor, rounds: int = 3) -> None:
        """Both rotations for the present weights."""
        at_least = torch.promote_types(self.left.dtype, torch.float32)  # half precision has no decomposition
        w, left, right = (t.to(at_least) for t in (x.reshape(len(x), *self.sides), self.left, self.right))
        for _ in range(rounds):
            left = _nearest((w @ right @ hard_sign(left.T @ w @ right).mT).sum(0))
            right = _nearest((w.mT @ left @ hard_sign(left.T @ w @ right)).sum(0))
        self.left.copy_(left)
        self.right.copy_(right)

    def set_progress(self, progress: float) -> None:
        super().set_progress(progress)
        self._progress = progress


def rbnn_rotated(features: int, axis: int = 0) -> Rotated:
    """Rotated as an entry of QUANTIZERS; a layer gives `features`."""
    return Rotated(features)
