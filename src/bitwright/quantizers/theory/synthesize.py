"""synthesize: the pair (T o P, T' o P) from any monotone P and any smooth T. `plus`: a pair made consistent.

Source: Lu et al. 2023 (PC++), arXiv:2402.17710, the recipe; the tests of T at the levels are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..pair import QuantizerPair, Schedule, hard_sign

LEAST_SLOPE = 0.05  # of T at the levels: with less, a weight that has arrived stops learning; below 0 it ascends


@dataclass(frozen=True)
class SmoothMap:
    """T: value(p, **values) and slope(p, **values), any shape and float dtype. schedules: as of a QuantizerPair."""

    value: Callable[..., Tensor]
    slope: Callable[..., Tensor]
    schedules: Mapping[str, Schedule] | None = None


@dataclass(frozen=True)
class MonotoneMap:
    """P: value(w, **values), any shape and float dtype, falling nowhere."""

    value: Callable[..., Tensor]
    schedules: Mapping[str, Schedule] | None = None


def identity_map() -> MonotoneMap:
    """P(w) = w."""
    return MonotoneMap(lambda w: w)


def sign_map() -> MonotoneMap:
    """P(w) = +1 if w >= 0 else -1: the proximal map of the indicator of {-1, +1}."""
    return MonotoneMap(hard_sign)


def soft_threshold_map(prox_strength: Schedule) -> MonotoneMap:
    """P(w) = sign(w) (1 + s max(| |w| - 1 | - prox_strength, 0)), s = sign(|w| - 1): the proximal map of
    prox_strength * | |w| - 1 |.

    Source: Bai et al. 2019 (ProxQuant), arXiv:1810.00861. prox_strength 0 is the identity, 1 or more the sign for
    |w| <= 2.
    """

    def value(w: Tensor, prox_strength: float) -> Tensor:
        away = w.abs() - 1
        return hard_sign(w) * (1 + torch.sign(away) * (away.abs() - prox_strength).clamp_min(0))

    return MonotoneMap(value, {"prox_strength": prox_strength})


def piecewise_affine_map(inverse_slope: Schedule) -> MonotoneMap:
    """P(w) = clamp(w / inverse_slope, -1, 1), the sign for 0: PARQ's map with levels +-1."""
    from ..parq import clamp_map

    return MonotoneMap(lambda w, inverse_slope: clamp_map(w, inverse_slope), {"inverse_slope": inverse_slope})


def odd_polynomial(*coefficients: float) -> SmoothMap:
    """T(p) = c0 p + c1 p^3 + c2 p^5 + ...; with coefficients that sum to 1, T(+-1) = +-1."""

    def value(p: Tensor) -> Tensor:
        return sum((c * p ** (2 * i + 1) for i, c in enumerate(coefficients)), torch.zeros_like(p))

    def slope(p: Tensor) -> Tensor:
        return sum((c * (2 * i + 1) * p ** (2 * i) for i, c in enumerate(coefficients)), torch.zeros_like(p))

    return SmoothMap(value, slope)


def by_autograd(value: Callable[..., Tensor]) -> SmoothMap:
    """T from its value alone, the slope by autograd."""

    def slope(p: Tensor, **values: float) -> Tensor:
        with torch.enable_grad():
            x = p.detach().requires_grad_()
            return torch.autograd.grad(value(x, **values).sum(), x)[0]

    return SmoothMap(value, slope)


def synthesize(P: MonotoneMap | Callable[[Tensor], Tensor], T: SmoothMap | Callable[[Tensor], Tensor]) -> QuantizerPair:
    """forward(w) = T(P(w)), backward(w, g) = g T'(P(w)); the hard sign in eval.

    P, T: maps with or without schedules, or plain functions of a tensor (T's slope is autograd's then).
    Tested at progress 0, 1/4, 1/2, 3/4 and 1, with a tolerance of 1e-6: P falls nowhere on [-4, 4]; T(+-1) = +-1;
    T'(+-1) at least 0.05. Raises ValueError naming the test that fails. SwishSign at sharpness 5 fails: T'(1) < 0.
    """
    monotone = P if isinstance(P, MonotoneMap) else MonotoneMap(P)
    smooth = T if isinstance(T, SmoothMap) else by_autograd(T)
    of_p, of_t = dict(monotone.schedules or {}), dict(smooth.schedules or {})
    if both := of_p.keys() & of_t.keys():
        raise ValueError(f"synthesize: P and T both have a schedule named {both.pop()!r}; rename one")
    for progress in (0.0, 0.25, 0.5, 0.75, 1.0):
        _check_monotone(monotone, {k: s(progress) for k, s in of_p.items()})
        _check_levels(smooth, {k: s(progress) for k, s in of_t.items()})

    def parts(values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
        return {k: values[k] for k in of_p}, {k: values[k] for k in of_t}

    def forward(w: Tensor, **values: float) -> Tensor:
        p_values, t_values = parts(values)
        return smooth.value(monotone.value(w, **p_values), **t_values)

    def backward(w: Tensor, grad: Tensor, **values: float) -> Tensor:
        p_values, t_values = parts(values)
        return grad * smooth.slope(monotone.value(w, **p_values), **t_values)

    return QuantizerPair(forward, backward, {**of_p, **of_t})


def _check_monotone(P: MonotoneMap, values: dict[str, float]) -> None:
    w = torch.linspace(-4, 4, 8001, dtype=torch.float64)
    p = P.value(w, **values)
    fall = p.diff() < -1e-6
    if not torch.isfinite(p).all() or bool(fall.any()):
        at = float(w[int(fall.int().argmax())])
        raise ValueError(f"synthesize: P falls near {at:.3g} ({values}); a proximal map falls nowhere")


def _check_levels(T: SmoothMap, values: dict[str, float]) -> None:
    levels = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    value, slope = T.value(levels, **values), T.slope(levels, **values)
    for at, v, s in zip((-1, 1), value.tolist(), slope.tolist(), strict=True):
        if not s >= LEAST_SLOPE:
            raise ValueError(
                f"synthesize: T'({at}) is {s:.4g} ({values}), must be at least {LEAST_SLOPE}: at the level {at} "
                f"training would {'ascend' if s < 0 else 'stand still'}; choose a T that rises through its levels"
            )
        if not abs(v - at) <= 1e-6:
            raise ValueError(
                f"synthesize: T({at}) is {v:.6g} ({values}), must be {at}, a level where P ends; divide T by T(1)"
            )


def plus(pair: QuantizerPair, reach: float = 4.0, cells: int = 4096) -> QuantizerPair:
    """The pair repaired: the same backward, its antiderivative from 0 as the forward, by Simpson's rule on a table.

    Consistent by construction, with P(w) = w. reach: the table spans [-reach, reach]; beyond it the forward rests.
    poly_plus, ede_plus and fda_plus are this in closed form.
    """
    nodes = torch.linspace(-reach, reach, cells + 1, dtype=torch.float64)
    step = 2 * reach / cells

    def forward(x: Tensor, **values: float) -> Tensor:
        places = nodes.to(x.device)
        ends = pair.backward(places, torch.ones_like(places), **values)
        middles = pair.backward(places[:-1] + step / 2, torch.ones_like(places[:-1]), **values)
        table = torch.cat([places[:1] * 0, ((ends[:-1] + 4 * middles + ends[1:]) * (step / 6)).cumsum(0)])
        table = table - table[cells // 2]
        wide = x.detach().double().clamp(-reach, reach)
        i = ((wide + reach) / step).long().clamp(0, cells - 1)
        s = (wide - places[i]) / step
        a, b, u, v = table[i], table[i + 1], ends[i] * step, ends[i + 1] * step
        return (a + s * (u + s * (3 * (b - a) - 2 * u - v + s * (u + v - 2 * (b - a))))).to(x.dtype)

    def backward(x: Tensor, grad: Tensor, **values: float) -> Tensor:
        return torch.where(x.abs() <= reach, pair.backward(x, grad, **values), torch.zeros_like(grad))

    return QuantizerPair(forward, backward, pair.schedules, pair.prepare)
