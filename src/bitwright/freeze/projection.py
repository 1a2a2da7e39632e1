"""The random projections of an embedding, applied to real vectors in torch: weights, thresholds and the twin use them.

Gaussian and Rademacher rows as in bitwright.bits. Hadamard: `rounds` times random signs and a Walsh-Hadamard transform,
here by one or two small matrices (H of a*b places is the Kronecker product of H of a and H of b). Orthogonal: blocks of
rows that are orthogonal to each other, each row uniform in direction, rounded to int16.
Source: signs of random projections, Charikar 2002, STOC; orthogonal rows, Ji et al. 2012, NeurIPS (Super-Bit LSH);
rounds of signs and Hadamard, Yu et al. 2016, arXiv:1610.09072.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bitwright.bits.generator import gaussian_rows, rademacher_rows, rademacher_signs

PROJECTIONS = ("gaussian", "rademacher", "orthogonal", "hadamard")
ORTHOGONAL_LENGTH = 2048.0  # of an entry, root mean square; int16 holds 16 times as much


@dataclass(frozen=True)
class Projection:
    """One layer's projection of p numbers to n_out. rounds: of hadamard, else 0. layer: number of the stream.

    Raises ValueError for an unknown kind, or numbers that are not positive.
    """

    kind: str
    n_out: int
    p: int
    seed: int
    layer: int
    rounds: int = 0

    def __post_init__(self) -> None:
        if self.kind not in PROJECTIONS:
            raise ValueError(f"projection: no {self.kind!r}; choose one of {', '.join(PROJECTIONS)}")
        if self.n_out < 1 or self.p < 1 or (self.kind == "hadamard") != (self.rounds > 0):
            raise ValueError(
                f"projection: {self.kind} of {self.p} numbers to {self.n_out} with {self.rounds} rounds; sizes are "
                "positive, and hadamard, only it, has rounds"
            )

    def matrix(self) -> Tensor:
        """The rows, float64 (n_out, p), integers."""
        if self.kind == "hadamard":
            return self.apply(torch.eye(self.p, dtype=torch.float64)).T.contiguous()
        if self.kind == "orthogonal":
            return torch.from_numpy(_orthogonal_rows(self.seed, self.layer, self.n_out, self.p))
        rows = gaussian_rows if self.kind == "gaussian" else rademacher_rows
        return torch.from_numpy(rows(self.seed, self.layer, self.n_out, self.p)).double()

    def apply(self, x: Tensor, matrix: Tensor | None = None) -> Tensor:
        """x: float64 (..., p) -> (..., n_out), exact on integers up to 2^53. matrix: as made before, to spare time."""
        if self.kind != "hadamard":
            return x @ (self.matrix() if matrix is None else matrix).T
        size = 1 << (self.p - 1).bit_length()
        extended = torch.nn.functional.pad(x, (0, size - self.p))
        sums = x.new_empty(*x.shape[:-1], self.n_out)
        for block in range(-(-self.n_out // size)):
            value, first = extended, block * size
            for r in range(self.rounds):
                signs = rademacher_signs(self.seed, self.layer, block * self.rounds + r, size)
                value = _hadamard(value * torch.from_numpy(signs).to(value))
            sums[..., first : first + size] = value[..., : self.n_out - first]
        return sums

    def codes(self, w: Tensor, matrix: Tensor | None = None) -> Tensor:
        """Signs of the projection of real vectors: w float64 (..., p) -> bool (..., n_out), True where it is >= 0.

        A row of zeros, which a transform of few columns can have, gives exactly 0, so True.
        """
        sums = self.apply(w, matrix)
        if self.kind == "hadamard":
            size = 1 << (self.p - 1).bit_length()
            doubtful = sums.abs() <= 1e-9 * size ** (self.rounds / 2) * w.norm(dim=-1, keepdim=True)
            for n in doubtful.flatten(0, -2).any(0).nonzero().flatten().tolist():
                sums[..., n] = w @ self._hadamard_row(n, size)
        return sums >= 0

    def _hadamard_row(self, n: int, size: int) -> Tensor:
        value = torch.zeros(size, dtype=torch.float64)
        value[n % size] = 1
        for r in reversed(range(self.rounds)):
            signs = rademacher_signs(self.seed, self.layer, n // size * self.rounds + r, size)
            value = _hadamard(value) * torch.from_numpy(signs).to(value)
        return value[: self.p]


def _sylvester(size: int) -> Tensor:
    matrix = torch.ones(1, 1, dtype=torch.float64)
    for _ in range(size.bit_length() - 1):
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64), matrix)
    return matrix


def _hadamard(x: Tensor) -> Tensor:
    bits = x.shape[-1].bit_length() - 1
    if bits <= 6:
        return x @ _sylvester(1 << bits).to(x)
    a, b = 1 << bits // 2, 1 << bits - bits // 2
    grid = x.unflatten(-1, (a, b))
    return (_sylvester(a).to(x) @ grid @ _sylvester(b).to(x)).flatten(-2)


def _orthogonal_rows(seed: int, layer: int, n_rows: int, p: int) -> np.ndarray:
    """float64 (n_rows, p), integers within int16: every p rows are those of a random rotation, rounded."""
    blocks = []
    for first in range(0, n_rows, p):
        gauss = gaussian_rows(seed, layer, p, p, first_row=first).astype(np.float64)
        q, r = np.linalg.qr(gauss.T)
        rotation = (q * np.where(np.diag(r) < 0, -1.0, 1.0)).T  # uniform, whatever signs LAPACK chose
        blocks.append(np.clip(np.rint(rotation * (ORTHOGONAL_LENGTH * np.sqrt(p))), -32767, 32767))
    return np.concatenate(blocks)[:n_rows]
