"""How often the narrow accumulators of a Program wrap around, op by op."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bitwright.ir.interpreter import MEANINGS, execute
from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Program

REACH = {"wrap8": (-128, 127), "wrap8_half": (-256, 255)}  # sums that fit


def wrapped_sums(program: Program, values: Sequence[np.ndarray]) -> dict[int, tuple[int, int]]:
    """(sums that do not fit, sums) by the number of the op, for ops with a narrow accumulator.

    values: of every op, as `execute(program, x, keep=True)` gives them.
    """
    found = {}
    for number, op in enumerate(program.ops):
        name = CHOICES["accumulator"][op.attrs.get("accumulator", 0)]
        if name != "int32":
            low, high = REACH[name]
            wide = replace(op, attrs={**op.attrs, "accumulator": 0})
            sums = MEANINGS[op.name](wide, *(values[i] for i in op.inputs))
            found[number] = int(((sums < low) | (sums > high)).sum()), sums.size
    return found


def overflow_rates(program: Program, x: np.ndarray) -> dict[int, float]:
    """Share of the sums on x that do not fit, by the number of the op; only ops with a narrow accumulator.

    x: samples as for `run`.
    """
    counted = wrapped_sums(program, execute(program, x, keep=True))
    return {number: wrapped / max(total, 1) for number, (wrapped, total) in counted.items()}
