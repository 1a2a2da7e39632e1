"""How often the narrow accumulators of a Program wrap around, op by op."""

from dataclasses import replace

import numpy as np

from bitwright.ir.interpreter import MEANINGS, execute
from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Program

REACH = {"wrap8": (-128, 127), "wrap8_half": (-256, 255)}  # sums that fit


def overflow_rates(program: Program, x: np.ndarray) -> dict[int, float]:
    """Share of the sums on x that do not fit, by the number of the op; only ops with a narrow accumulator.

    x: samples as for `run`.
    """
    values = execute(program, x, keep=True)
    rates = {}
    for number, op in enumerate(program.ops):
        name = CHOICES["accumulator"][op.attrs.get("accumulator", 0)]
        if name != "int32":
            low, high = REACH[name]
            wide = replace(op, attrs={**op.attrs, "accumulator": 0})
            sums = MEANINGS[op.name](wide, *(values[i] for i in op.inputs))
            rates[number] = float(((sums < low) | (sums > high)).mean())
    return rates
