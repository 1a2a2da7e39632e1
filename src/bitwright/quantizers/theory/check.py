"""check_pair: does a (forward, backward) pair come from a monotone P and a smooth T, as F = T o P and B = T' o P?

If so, training with the pair is ProxConnect with P on loss(T(.)), and its guarantees hold for that loss, for a fixed T.
Source: Lu et al. 2023 (PC++), arXiv:2402.17710, for the question; the criterion's form here follows from the chain
rule, dF = B dP. Where F or B jumps that says nothing, so there are two verdicts: `integral` takes P(w) = integral of
dF / B at its word, `exact` lets P jump and asks only that T exist (any cubic through value and slope on both sides will
do).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ..pair import QuantizerPair
from .report import Decomposition, Failure, PairReport
from .segments import LEVEL, SAME, STEP, Function, Segment, runs, split


def functions_of(pair: QuantizerPair, values: Mapping[str, float]) -> tuple[Function, Function]:
    """F and B of a pair, which acts element by element, as NumPy functions of the prepared x, float64."""

    def forward(x: np.ndarray) -> np.ndarray:
        return pair.forward(torch.from_numpy(np.asarray(x, np.float64)), **values).detach().numpy()

    def backward(x: np.ndarray) -> np.ndarray:
        wide = torch.from_numpy(np.asarray(x, np.float64))
        return pair.backward(wide, torch.ones_like(wide), **values).detach().numpy()

    return forward, backward


def numeric(name: str, function: Callable[[Any], Any], x: np.ndarray) -> Function:
    """`function` as one of float64 arrays of any shape, tried on x; one of torch tensors, or a constant, will do.

    name: for the ValueError that it raises unless every number is treated by itself.
    """

    def of_tensors(x: np.ndarray) -> Any:
        return function(torch.from_numpy(np.ascontiguousarray(x, np.float64)))

    asked: Callable[[np.ndarray], Any] = function
    try:
        value = function(x)
    except Exception as error:
        try:
            asked, value = of_tensors, of_tensors(x)
        except Exception:
            raise ValueError(
                f"check_pair: {name} must take a float64 array or tensor and treat each number by itself, but raised "
                f"{type(error).__name__}: {error}; np.vectorize makes such a function of one of a single number"
            ) from error
    if np.shape(value) not in ((), x.shape):
        raise ValueError(f"check_pair: {name} makes {np.shape(value)} of {x.shape}, expected the same shape")
    return lambda x: np.broadcast_to(np.asarray(asked(x), np.float64), np.shape(x))


def check_pair(forward: Callable[[Any], Any] | QuantizerPair | str, backward: Callable[[Any], Any] | None = None, *,
               lo: float = -4.0, hi: float = 4.0, progress: float = 0.5) -> PairReport:  # fmt: skip
    """Both verdicts for F = forward and B = backward on [lo, hi], with P, T and their Lipschitz constants or the
    interval where and why it fails.

    forward, backward: float64 arrays (or torch tensors) of any shape -> the same shape or one number for all, acting
    element by element; or one QuantizerPair or name of QUANTIZERS, its schedules at `progress`, its `prepare` left out
    (the pair is a function of what that returns); of those that look at a whole filter, the mean size is 1.
    Numeric: 8192 cells; a jump smaller than 1e-4 of a function's range, a slope below 1e-9 and a change of B
    below 1e-6 of its largest value are not seen; Lipschitz constants are those of the grid, good to about 1e-3.
    Raises ValueError for an empty interval, or a function that is not finite on it or does not act on single numbers.
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"check_pair: progress is a share of the training in [0, 1], got {progress}")
    if isinstance(forward, str):
        from .table import scalar_pair

        forward = scalar_pair(forward)
    if isinstance(forward, QuantizerPair):
        forward, backward = functions_of(forward, forward.values_at(progress))
    if backward is None:
        raise ValueError("check_pair: backward is missing; give two functions, or one QuantizerPair")
    if not lo < hi:
        raise ValueError(f"check_pair: the interval [{lo}, {hi}] is empty; give lo < hi")
    x = np.linspace(lo, hi, 1001)
    forward, backward = numeric("forward", forward, x), numeric("backward", backward, x)
    for name, function in (("forward", forward), ("backward", backward)):
        if not np.isfinite(function(x)).all():
            raise ValueError(f"check_pair: {name} is not finite on [{lo}, {hi}]; choose another interval")
    segments = split(forward, backward, lo, hi)
    scale = max(max(float(np.abs(segment.backward).max()) for segment in segments), LEVEL)
    common = next((found for segment in segments if (found := _moving_failure(segment))), None)
    integral = common or _integral_failure(segments, backward, scale)
    exact = common or next((found for segment in segments if (found := _level_failure(segment, scale))), None)
    return PairReport(lo, hi, integral, exact, None if exact else _decompose(segments))


def _moving_failure(segment: Segment) -> Failure | None:
    """Where F moves without a jump, dF = B dP: B must neither vanish nor point the other way."""
    step = np.diff(segment.forward)
    width = np.diff(segment.x)
    moving = ~segment.flat
    idle = moving & (np.abs(segment.area) <= LEVEL * width)
    against = moving & ~idle & (step * segment.area < 0)
    for mask, why in ((idle, "F moves while B is 0"), (against, "P would fall: F and B point apart")):
        for i, j, bad in runs(mask):
            if bad:
                return Failure((float(segment.x[i]), float(segment.x[j])), why)
    return None


def _stretches(segment: Segment) -> list[tuple[int, int]]:
    """Stretches of cells on which F is constant."""
    return [(i, j) for i, j, flat in runs(segment.flat) if flat]


def _level_failure(segment: Segment, scale: float) -> Failure | None:
    """Where F is constant and B takes a continuum of values, T' = 0 at almost all of them: no T."""
    for i, j in _stretches(segment):
        b, x = segment.backward[i : j + 1], segment.x[i : j + 1]
        if np.ptp(b) > SAME * scale:
            moves = np.flatnonzero(np.abs(np.diff(b)) > 1e-12 * scale)
            bounds = (float(x[moves[0]]), float(x[moves[-1] + 1]))
            return Failure(bounds, f"F is constant while B moves between {b.min():.4g} and {b.max():.4g}")
    return None


def _integral_failure(segments: list[Segment], backward: Function, scale: float) -> Failure | None:
    """The criterion at its word: where dF = 0 and B is not, P rests, so B must too, also from segment to segment."""
    resting: float | None = None  # B of the rest P is in
    since = float(segments[0].x[0])
    for k, segment in enumerate(segments):
        if k:
            jump, at = segment.forward[0] - segments[k - 1].forward[-1], float(segment.x[0])
            if abs(jump) > STEP:
                here = float(backward(np.array([at]))[0])
                if abs(here) <= SAME * scale:
                    return Failure((at, at), "F jumps where B is 0, so P has no finite value,")
                if jump * here < 0:
                    return Failure((at, at), "P would fall: F jumps against B")
                resting = None
        if failure := _level_failure(segment, scale):
            return failure
        for i, j, flat in runs(segment.flat):
            b = float(segment.backward[(i + j) // 2])
            if not flat or abs(b) <= SAME * scale:
                resting = None
            elif resting is None:
                resting, since = b, float(segment.x[i])
            elif abs(b - resting) > SAME * scale:
                why = f"P rests while B steps from {resting:.4g} to {b:.4g}"
                return Failure((since, float(segment.x[j])), why)
    return None


def _decompose(segments: list[Segment]) -> Decomposition:
    w, p, knots, values, slopes, gaps = [], [], [], [], [], []
    at = 0.0
    for k, segment in enumerate(segments):
        if k:
            width = _gap(values[-1], segment.forward[0], slopes[-1], segment.backward[0])
            gaps.append(len(knots) - 1)
            at += width
        area = np.where(segment.flat, 1.0, segment.area)
        steps = np.where(segment.flat, 0.0, np.diff(segment.forward) * np.diff(segment.x) / area)
        places = at + np.append(0.0, np.cumsum(steps))
        keep = np.append(True, steps > 0)
        w.append(segment.x)
        p.append(places)
        knots += places[keep].tolist()
        values += segment.forward[keep].tolist()
        slopes += segment.backward[keep].tolist()
        at = float(places[-1])
    table = [np.array(column) for column in (knots, values, slopes)]
    w, p = np.concatenate(w), np.concatenate(p)
    middle = float(np.interp(0.0, w, p)) if w[0] <= 0 <= w[-1] else 0.0
    lip, lip_slope = _lipschitz(table[0], table[1], table[2], gaps)
    return Decomposition(w, p - middle, table[0] - middle, table[1], table[2], lip, lip_slope)


def _gap(f0: float, f1: float, b0: float, b1: float) -> float:
    """A width for the jump of P such that a straight line meets both slopes where it can."""
    rise, mean = f1 - f0, (b0 + b1) / 2
    if abs(rise) > STEP and rise * mean > LEVEL:
        return abs(rise / mean)
    return max(abs(rise), 1.0)


def _lipschitz(knots: np.ndarray, values: np.ndarray, slopes: np.ndarray, gaps: list[int]) -> tuple[float, float]:
    """sup |T'| and sup |T''|: of the cubics at `gaps` (their left knots), of the difference quotients elsewhere."""
    lip = float(np.abs(slopes).max())
    if len(knots) < 2:
        return lip, 0.0
    width, rise = np.diff(knots), np.diff(values)
    bends = np.abs(np.diff(slopes)) / width
    for i in gaps:
        second = 2 * (3 * rise[i] - (2 * slopes[i] + slopes[i + 1]) * width[i]) / width[i] ** 2  # T'' at the left knot
        third = 6 * ((slopes[i] + slopes[i + 1]) * width[i] - 2 * rise[i]) / width[i] ** 3
        bends[i] = max(abs(second), abs(second + third * width[i]))
        s = -second / third if third else -1.0
        if 0 < s < width[i]:
            lip = max(lip, float(abs(slopes[i] + second * s + third * s * s / 2)))
    return lip, float(bends.max())
