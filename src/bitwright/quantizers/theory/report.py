"""What checking a pair found: two verdicts, and P and T where they exist."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Failure:
    """Why one criterion fails, and on which interval of w."""

    interval: tuple[float, float]
    why: str

    def __str__(self) -> str:
        a, b = self.interval
        a, b = round(a, 6) + 0.0, round(b, 6) + 0.0
        where = f"at {a:g}" if a == b else f"on ({a:g}, {b:g})"
        return f"{self.why} {where}"


@dataclass(frozen=True)
class Decomposition:
    """F = T o P and B = T' o P as tables. w, p: P is linear between its places, level or jumping where they say so.

    knots, values, slopes: T is the cubic through each knot's value and slope. A knot lies at every level of P and
    throughout where P moves; between levels the cubic is a choice of ours, as good as any other.
    lip: of T. lip_slope: of T'; both over the range of P, the cubics of the gaps included.
    """

    w: np.ndarray
    p: np.ndarray
    knots: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    lip: float
    lip_slope: float

    def P(self, w: np.ndarray) -> np.ndarray:
        """The monotone map, at any shape of w within the interval that was checked."""
        return np.interp(w, self.w, self.p)

    def T(self, p: np.ndarray) -> np.ndarray:
        """The smooth map; p any shape, within P's range."""
        return self._hermite(p)[0]

    def slope(self, p: np.ndarray) -> np.ndarray:
        """T'."""
        return self._hermite(p)[1]

    def _hermite(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = np.clip(np.asarray(p, np.float64), self.knots[0], self.knots[-1])
        if len(self.knots) == 1:
            return np.full(p.shape, self.values[0]), np.full(p.shape, self.slopes[0])
        i = np.clip(np.searchsorted(self.knots, p, side="right") - 1, 0, len(self.knots) - 2)
        width = self.knots[i + 1] - self.knots[i]
        s = (p - self.knots[i]) / width
        a, b, u, v = self.values[i], self.values[i + 1], self.slopes[i] * width, self.slopes[i + 1] * width
        value = a + s * (u + s * (3 * (b - a) - 2 * u - v + s * (u + v - 2 * (b - a))))
        slope = (u + s * (2 * (3 * (b - a) - 2 * u - v) + 3 * s * (u + v - 2 * (b - a)))) / width
        return value, slope


@dataclass(frozen=True)
class PairReport:
    """The two verdicts of `check_pair` on [lo, hi].

    integral: P(w) = integral of dF / B is monotone, and F and B are functions of it (0/0 is free); no jump of F where
    B is 0. exact: some monotone P and smooth T give F = T o P and B = T' o P, jumps of P allowed.
    integral_failure, exact_failure: the first interval where a criterion fails and why; None where it holds.
    decomposition: P and T, where exact.
    """

    lo: float
    hi: float
    integral_failure: Failure | None
    exact_failure: Failure | None
    decomposition: Decomposition | None = field(default=None, repr=False)

    @property
    def integral(self) -> bool:
        return self.integral_failure is None

    @property
    def exact(self) -> bool:
        return self.exact_failure is None

    def __str__(self) -> str:
        lines = [f"integral: {'yes' if self.integral else f'no, {self.integral_failure}'}"]
        lines.append(f"exact: {'yes' if self.exact else f'no, {self.exact_failure}'}")
        if self.decomposition is not None:
            d = self.decomposition
            lines.append(f"Lip(T) = {d.lip:.6g}, Lip(T') = {d.lip_slope:.6g} on [{self.lo:g}, {self.hi:g}]")
        return "\n".join(lines)
