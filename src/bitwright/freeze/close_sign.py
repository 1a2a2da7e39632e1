"""`sign` closes a chain exactly: thresholds from the model's own float32 evaluation over the value's whole range.

Where every step is monotone, so is its rounded evaluation, and bisection finds the one switch of each channel.
Otherwise the whole range is evaluated: no switch is a constant bit, one a threshold, two a pair of thresholds and a
table; more is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bitwright.freeze.chain import Step, evaluate
from bitwright.ir.types import ProgramError, ValueType

WHOLE_RANGE = 1 << 16


@dataclass(frozen=True)
class SignRule:
    """bit c of the sign. t: (C, J) int64 thresholds; flip: (C, J); with J = 2, bit = table[c] of the two bits, else
    bit 0.
    """

    t: np.ndarray
    flip: np.ndarray
    table: np.ndarray | None = None


def sign_rule(chain: Sequence[Step], type_: ValueType) -> SignRule:
    """Thresholds such that the bit is 1 exactly where the chain's evaluation is >= 0. Raises ProgramError as said
    above.
    """
    if all(step.monotone for step in chain):
        rule = _bisect(chain, type_)
    elif type_.hi - type_.lo < WHOLE_RANGE:
        rule = _scan(chain, type_)
    else:
        raise ProgramError(
            f"sign after a function that turns back, on the range {type_.lo}..{type_.hi}: wider than 2^16 values; "
            "clip the value first or keep the slopes of one sign"
        )
    if rule.table is None:
        _check_layouts(chain, type_, rule)
    return rule


def _bits(chain: Sequence[Step], values: np.ndarray, type_: ValueType, whole: bool = False) -> np.ndarray:
    """Bits (rows, C) of the chain at values (rows, C), evaluated in the layout of the model: (rows, C[, H, W])."""
    size = type_.shape[1:] if whole else (1,) * len(type_.shape[1:])
    x = torch.from_numpy(values.astype(np.float32)).reshape(*values.shape, *(1,) * len(size))
    y = evaluate(chain, x.expand(*values.shape, *size).contiguous()) >= 0
    flat = y.reshape(*values.shape, -1)
    if whole and bool((flat != flat[..., :1]).any()):
        raise ProgramError(
            "the model's own evaluation differs from place to place of one channel; use another torch build"
        )
    return flat[..., 0].numpy()


def _bisect(chain: Sequence[Step], type_: ValueType) -> SignRule:
    n_channels = type_.shape[0]
    low, high = np.full((1, n_channels), type_.lo, np.int64), np.full((1, n_channels), type_.hi, np.int64)
    at_low, at_high = _bits(chain, low, type_)[0], _bits(chain, high, type_)[0]
    rising = ~at_low & at_high
    constant = at_low == at_high
    below, above = low[0].copy(), high[0].copy()  # invariant: bit(below) = at_low, bit(above) = at_high
    while True:
        open_ = ~constant & (above - below > 1)
        if not open_.any():
            break
        middle = (below + above) // 2
        same_as_low = _bits(chain, middle[None], type_)[0] == at_low
        below = np.where(open_ & same_as_low, middle, below)
        above = np.where(open_ & ~same_as_low, middle, above)
    t = np.where(constant, type_.lo, above)  # x >= lo is always met
    flip = np.where(constant, ~at_low, ~rising)
    return SignRule(t[:, None], flip[:, None].astype(np.uint8))


def _scan(chain: Sequence[Step], type_: ValueType, rows: int = 4096) -> SignRule:
    n_channels = type_.shape[0]
    columns = []
    for start in range(type_.lo, type_.hi + 1, rows):
        values = np.arange(start, min(start + rows, type_.hi + 1))
        columns.append(_bits(chain, np.repeat(values[:, None], n_channels, 1), type_))
    bits = np.concatenate(columns)
    switches = bits[1:] != bits[:-1]
    n_switches = switches.sum(0)
    if n_switches.max(initial=0) > 2:
        worst = int(n_switches.argmax())
        raise ProgramError(f"sign of channel {worst} switches {n_switches[worst]} times over its range; 2 are possible")
    t = np.full((n_channels, 2), type_.hi + 1, np.int64)
    for c in range(n_channels):
        places = np.flatnonzero(switches[:, c]) + type_.lo + 1
        t[c, : len(places)] = places
    first = bits[0].astype(np.int64)
    # Address (x >= t0, x >= t1): 00 before the first switch, 10 between them, 11 after both; 01 cannot be.
    table = np.where(first == 1, 0b1001, 0b0100)
    return SignRule(t, np.zeros((n_channels, 2), np.uint8), table)


def _check_layouts(chain: Sequence[Step], type_: ValueType, rule: SignRule) -> None:
    """The same bits on both sides of each threshold when whole images go through (vector and remainder loops alike)."""
    t = rule.t[:, 0]
    for values in (np.clip(t - 1, type_.lo, type_.hi), np.clip(t, type_.lo, type_.hi)):
        expected = (values >= t) ^ rule.flip[:, 0].astype(bool)
        for batch in (1, 3):
            found = _bits(chain, np.repeat(values[None], batch, 0), type_, whole=True)
            if (found != expected).any():
                raise ProgramError("the model's own evaluation depends on the batch; its bits cannot be frozen exactly")
