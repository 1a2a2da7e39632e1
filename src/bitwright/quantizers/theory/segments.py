"""Where two functions of one variable jump, and what they do in between: constant, moving, or at a level.

Both functions are looked at on a fine grid; a change that stays when a cell is halved 45 times is a jump.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]  # float64, any shape -> the same shape

CELLS = 8192  # of the whole interval
JUMP = 1e-4  # of the function's own range: a smaller step at one point is not seen
STEP = 1e-6  # a difference of F from one segment to the next that counts as a jump
LEVEL = 1e-9  # slopes of F below this count as 0
SAME = 1e-6  # of the largest |B|: it counts as constant on an interval if it moves less, as 0 if it is less


@dataclass(frozen=True)
class Segment:
    """An open interval without jumps. x: places inside it, rising, ends included as limits from inside.

    forward, backward: F and B there. flat: for each cell between two places, whether F does not move.
    area: the integral of B over each cell (Simpson's rule).
    """

    x: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    flat: np.ndarray
    area: np.ndarray

    @property
    def ends(self) -> tuple[float, float]:
        return float(self.x[0]), float(self.x[-1])


def find_jumps(function: Function, lo: float, hi: float) -> np.ndarray:
    """Places in (lo, hi) where the function jumps, rising, to the last bits of a float64."""
    edges = np.linspace(lo, hi, CELLS + 1) + (hi - lo) * 1e-9 * np.sqrt(2)  # no edge on a round number
    left, right = edges[:-1].copy(), edges[1:].copy()
    at_left, at_right = function(left), function(right)
    scale = max(np.ptp(np.append(at_left, at_right)), LEVEL)
    for _ in range(45):
        open_ = np.abs(at_right - at_left) > JUMP * scale
        left, right, at_left, at_right = left[open_], right[open_], at_left[open_], at_right[open_]
        if not left.size:
            return left
        middle = (left + right) / 2
        at_middle = function(middle)
        lower = np.abs(at_middle - at_left) >= np.abs(at_right - at_middle)
        left, at_left = np.where(lower, left, middle), np.where(lower, at_left, at_middle)
        right, at_right = np.where(lower, middle, right), np.where(lower, at_middle, at_right)
    open_ = np.abs(at_right - at_left) > JUMP * scale
    return right[open_]


def split(forward: Function, backward: Function, lo: float, hi: float) -> list[Segment]:
    """The segments of [lo, hi] between the jumps of either function."""
    jumps = np.concatenate([find_jumps(forward, lo, hi), find_jumps(backward, lo, hi)])
    cuts = [lo]
    for place in np.sort(jumps):
        if place - cuts[-1] > 1e-7 * (hi - lo):
            cuts.append(float(place))
    cuts.append(hi)
    return [_segment(forward, backward, a, b, (b - a) / (hi - lo)) for a, b in zip(cuts, cuts[1:], strict=False)]


def _segment(forward: Function, backward: Function, a: float, b: float, share: float) -> Segment:
    inside = (b - a) * 1e-9
    x = np.linspace(a + inside, b - inside, max(int(share * CELLS), 64) + 1)
    f, slope, widths = forward(x), backward(x), np.diff(x)
    middle = backward((x[:-1] + x[1:]) / 2)
    area = (slope[:-1] + 4 * middle + slope[1:]) * widths / 6
    return Segment(x, f, slope, np.abs(np.diff(f)) <= LEVEL * widths, area)


def runs(mask: np.ndarray) -> list[tuple[int, int, bool]]:
    """(first, past the last, value) of each stretch of equal entries."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8))) + 1
    bounds = [0, *edges.tolist(), len(mask)]
    return [(i, j, bool(mask[i])) for i, j in zip(bounds, bounds[1:], strict=False) if j > i]
