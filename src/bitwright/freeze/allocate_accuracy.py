"""The cheapest lengths that reach an accuracy: shared out by `allocate_dimensions`, measured on Programs, halved.

What a length costs in accuracy is not computed but tried: offsets that all windows share are no part of the noise that
sensitivities are measured with. Accuracy rises with the cost but for the luck of a draw, so a bisection finds it.
"""

import math

import numpy as np
from torch import nn

from bitwright.data.progress import Progress
from bitwright.freeze.allocate import allocate_dimensions, sensitivities
from bitwright.freeze.freeze import freeze

STEPS = 8  # of the bisection; the cost is then known to some percent
MEASURED = 256  # samples for the sensitivities


def dimensions_for_accuracy(
    model: nn.Module, x: np.ndarray, y: np.ndarray, accuracy: float, longest: int = 4095, draws: int = 2,
    projection: str | None = None, rounds: int | None = None,
) -> list[int]:  # fmt: skip
    """Odd lengths, one for each cosine layer in order, whose Programs classify `accuracy` percent of (x, y) rightly.

    x, y: samples as the model eats them, best of the validation split. longest: no layer gets more. draws: seeds of the
    projection, 0 on, over which the mean is taken. projection, rounds: as for `freeze`. Raises ValueError for an
    accuracy that codes of `longest` do not reach, naming what they do, and without samples.
    """
    if not len(x) or len(x) != len(y) or draws < 1 or not 0 < accuracy <= 100:
        raise ValueError(
            f"dimensions_for_accuracy: {len(x)} samples, {len(y)} labels, {draws} draws, accuracy {accuracy}; expected "
            "as many labels as samples, at least one of each, and percent"
        )
    measured = sensitivities(model, x[:MEASURED])

    def reached(lengths: list[int]) -> float:
        right = 0
        for seed in range(draws):
            program = freeze(model, x[:1], hyperdimensions=lengths, projection=projection, rounds=rounds, seed=seed)
            right += int((program.predict(x) == y).sum())
            bar.advance()
        return 100 * right / (draws * len(x))

    with Progress("lengths for an accuracy", (STEPS + 1) * draws) as bar:
        best = [longest - (longest % 2 == 0)] * len(measured)
        if (most := reached(best)) < accuracy:
            raise ValueError(
                f"dimensions_for_accuracy: codes of {best[0]} signs reach {most:.2f} %, {accuracy} is asked for; "
                "give a larger `longest`, or a lower accuracy"
            )
        low, high = (math.log2(sum(layer.cost for layer in measured) * n) for n in (1, best[0]))
        for _ in range(STEPS):
            middle = (low + high) / 2
            lengths = allocate_dimensions(measured, cost=2**middle, longest=longest)
            if reached(lengths) >= accuracy:
                best, high = lengths, middle
            else:
                low = middle
    return best
