"""Flips at an exact rate, votes of damaged copies, and how many copies of each bit fill a budget of bytes.

What the budget leaves after whole copies goes to the smallest constants first, as a third, fifth, ... copy: kernels and
heads have few bits, and each is used at many places or by every class.
"""

from collections.abc import Sequence

import numpy as np


def flip_exactly(bits: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """A copy of bits (n,) of 0 and 1 with exactly round(rate * n) of them flipped."""
    damaged = bits.copy()
    damaged[rng.choice(len(bits), round(rate * len(bits)), replace=False)] ^= 1
    return damaged


def flip_by_vote(bits: np.ndarray, rate: float, rng: np.random.Generator, copies: int | np.ndarray) -> np.ndarray:
    """What a majority vote makes of so many copies of bits, each copy with its own exact share flipped.

    copies: an odd number, or one for each bit (n,). Raises ValueError for others.
    """
    copies = np.broadcast_to(copies, bits.shape)
    if len(bad := copies[(copies < 1) | (copies % 2 == 0)]):
        raise ValueError(f"faults: copies is {bad[0]}; a vote needs an odd number of them, 1 or more")
    ones = np.zeros(len(bits), np.int32)
    for copy in range(int(copies.max(initial=0))):
        kept = copies > copy
        ones[kept] += flip_exactly(bits[kept], rate, rng)
    return (2 * ones > copies).astype(bits.dtype)


def copies_within(sizes: Sequence[int], budget: int) -> np.ndarray:
    """Odd numbers, int64 (sum of sizes,), in the order of the constants; they sum to the budget, or one bit less.

    sizes: bits of each constant. budget: bits in all. Raises ValueError for a budget below one copy.
    """
    whole = sum(sizes)
    if budget < whole or not whole:
        raise ValueError(f"copies: {whole:,} bits do not fit into {budget:,}; give the budget of one copy at least")
    base = (budget // whole - 1) // 2 * 2 + 1
    copies = np.full(whole, base, np.int64)
    pairs = (budget - base * whole) // 2
    starts = np.cumsum([0, *sizes])
    for i in np.argsort(sizes, kind="stable"):
        more = min(pairs, sizes[i])
        copies[starts[i] : starts[i] + more] += 2
        pairs -= more
    return copies


def crossings(rates: Sequence[float], ours: Sequence[float], theirs: Sequence[float]) -> list[tuple[float, bool]]:
    """(rate, whether ours is above from there on) wherever two curves cross, straight lines between their points.

    All three of one length, rates rising. Where curves only touch or lie on each other nothing is said.
    """
    apart = np.subtract(ours, theirs)
    found: list[tuple[float, bool]] = []
    last = equal = None  # the last point where they differed, the first since then where they did not
    for i, gap in enumerate(apart):
        if gap == 0:
            equal = i if equal is None else equal
            continue
        if last is not None and (gap > 0) != (apart[last] > 0):
            share = apart[last] / (apart[last] - gap)
            met = rates[last] + share * (rates[i] - rates[last]) if equal is None else rates[equal]
            found.append((float(met), bool(gap > 0)))
        last, equal = i, None
    return found
