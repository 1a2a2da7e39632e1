"""Which inputs each logic gate reads. WIRINGS maps a name to (in_features, out_features, k) -> int32 (k, out_features).

Random choices come from torch's global generator, so a model's seed decides them; layers save the result as a buffer.
Source: Petersen et al. 2022, arXiv:2210.08277, and its official implementation (`unique`, `random`).
"""

from collections.abc import Callable
from itertools import count

import torch
from torch import Tensor

Wiring = Callable[[int, int, int], Tensor]
ROUNDS = 200  # attempts of `balanced` to mend gates that read an input twice


def unique_wiring(in_features: int, out_features: int, k: int = 2) -> Tensor:
    """Neighbours first: (0, 1), (2, 3), ..., then (1, 2), (3, 4), ..., then all pairs two apart, three apart, ...

    No two gates read the same inputs. Only the order of the gates is shuffled, so gates read nearby features (pixels of
    one row). k > 2 takes runs of k features alike. Raises ValueError if there are fewer such sets than gates.
    """
    _check("unique", in_features, out_features, k)
    starts, steps, found = [], [], 0
    for step in count(1):
        last = in_features - (k - 1) * step  # number of possible starts
        if last <= 0:
            raise ValueError(
                f"wiring 'unique': {in_features} inputs have {found} sets of {k} evenly spaced features, fewer than "
                f"{out_features} gates; use 'balanced' or a narrower layer"
            )
        parts = [torch.arange(first, last, k) for first in range(k)] if step == 1 else [torch.arange(last)]
        starts += parts
        steps += [torch.full_like(part, step) for part in parts]
        found += last
        if found >= out_features:
            break
    first, step = torch.cat(starts)[:out_features], torch.cat(steps)[:out_features]
    order = torch.randperm(out_features)
    return torch.stack([(first + j * step)[order] for j in range(k)]).int()


def random_wiring(in_features: int, out_features: int, k: int = 2) -> Tensor:
    """Every input is read equally often (give or take one), but a gate may read one input twice.

    With fewer than in_features / k gates some inputs are not read.
    """
    _check("random", in_features, out_features, k)
    slots = torch.randperm(k * out_features) % in_features
    return torch.randperm(in_features)[slots].reshape(k, out_features).int()


def resampled_wiring(in_features: int, out_features: int, k: int = 2) -> Tensor:
    """Every connection drawn on its own, uniformly and with replacement: fan-out varies, some inputs are not read."""
    _check("resampled", in_features, out_features, k)
    return torch.randint(in_features, (k, out_features)).int()


def balanced_wiring(in_features: int, out_features: int, k: int = 2) -> Tensor:
    """Equal fan-out (give or take one), and every gate reads k distinct inputs; no two gates the same set, if it can.

    Gates that break the rule trade inputs with random others until none does. Raises ValueError for k > in_features.
    """
    _check("balanced", in_features, out_features, k)
    if in_features < k:
        raise ValueError(f"wiring 'balanced': {in_features} inputs, but a gate reads {k} distinct ones; use 'random'")
    wiring = random_wiring(in_features, out_features, k).long()
    for attempt in range(ROUNDS):
        bad = _repeats(wiring) if attempt >= ROUNDS // 2 else _repeats(wiring) | _duplicates(wiring)
        n_bad = int(bad.sum())
        if not n_bad:
            break
        others = torch.randperm(out_features)[: n_bad + k]
        gates = torch.unique(torch.cat([bad.nonzero()[:, 0], others]))
        mixed = wiring[:, gates].reshape(-1)
        wiring[:, gates] = mixed[torch.randperm(len(mixed))].reshape(k, -1)
    for gate in _repeats(wiring).nonzero()[:, 0].tolist():  # tiny layers only: give up the balance there
        wiring[:, gate] = torch.randperm(in_features)[:k]
    return wiring.int()


def _repeats(wiring: Tensor) -> Tensor:
    ordered = wiring.sort(0).values
    return (ordered[1:] == ordered[:-1]).any(0)


def _duplicates(wiring: Tensor) -> Tensor:
    """Gates that read the same set as an earlier one."""
    key = torch.zeros(wiring.shape[1], dtype=torch.int64)
    for row in wiring.sort(0).values:  # wraps around for many inputs: at worst a gate trades without need
        key = key * 1_000_003 + row
    _, group = torch.unique(key, return_inverse=True)
    order = torch.argsort(group, stable=True)
    later = torch.zeros(len(group), dtype=torch.bool)
    later[order[1:]] = group[order[1:]] == group[order[:-1]]
    return later


def _check(name: str, in_features: int, out_features: int, k: int) -> None:
    if in_features < 1 or out_features < 1 or not 1 <= k <= 6:
        raise ValueError(
            f"wiring {name!r}: in_features {in_features}, out_features {out_features}, k {k}; expected at least one "
            "input and one gate, and k in 1..6"
        )


def out_of_range(wiring: Tensor, in_features: int) -> str:
    """What is wrong with a wiring of so many inputs, "" if nothing."""
    low, high = (int(wiring.min()), int(wiring.max())) if wiring.numel() else (0, 0)
    if low < 0 or high >= in_features:
        return f"wiring: reads inputs {low}..{high}, but there are {in_features}: 0..{in_features - 1}"
    return ""


def check_wiring(wiring: Tensor, in_features: int, out_features: int, k: int) -> Tensor:
    """A wiring of one's own as int32 (k, out_features). Raises ValueError for another shape or kind, or a wrong
    index."""
    wiring = torch.as_tensor(wiring)
    if wiring.is_floating_point() or wiring.is_complex() or wiring.dtype == torch.bool:
        raise ValueError(f"wiring: {wiring.dtype}, expected integers, the numbers of the inputs")
    if tuple(wiring.shape) != (k, out_features):
        raise ValueError(f"wiring: shape {tuple(wiring.shape)}, expected (k, out_features) = ({k}, {out_features})")
    if problem := out_of_range(wiring, in_features):
        raise ValueError(problem)
    return wiring.int()


WIRINGS: dict[str, Wiring] = {
    "unique": unique_wiring,
    "random": random_wiring,
    "balanced": balanced_wiring,
    "resampled": resampled_wiring,
}
