"""A dense network of logic gates: thermometer bits, layers of learned gates, and a vote of the last layer's bits.

Source: Petersen et al. 2022, arXiv:2210.08277.
"""

from collections import OrderedDict
from collections.abc import Sequence
from math import prod

import numpy as np
from torch import nn

from ..layers import GroupSum, LearnedThermometer, LogicLinear, LogicRestarts, LogicStack, Thermometer


def logic_mlp(shape: Sequence[int] = (1, 28, 28), classes: int = 10, widths: Sequence[int] = (8000,) * 6,
              thresholds: Sequence[float] = (127.5,), tau: float = 10.0, k: int = 2,
              parametrization: str = "gates16", first_wiring: str = "unique", wiring: str = "balanced",
              residual: bool = True, sampling: str = "soft", temperature: float = 1.0, harden_from: float = 1.0,
              harden_all_at: float = 1.0, n_candidates: int = 8, n_restarts: int = 1,
              label_noise: float = 0.0, threshold_width: float = 0.0,
              resample_until: float = 0.0) -> LogicStack:  # fmt: skip
    """x: float (batch, *shape), raw numbers -> (batch, classes).

    thresholds: marks that every input value is compared with, in its own unit. widths: gates a layer; the last must be
    a multiple of classes. tau: the vote's temperature. first_wiring, wiring: names of WIRINGS or "learned", of the
    first and the other layers. harden_from: the share of the training at which the first layer turns hard; the others
    follow one by one until harden_all_at; 1.0 is never. n_candidates, resample_until: of learned wiring. n_restarts:
    more than 1 trains so many networks side by side, of which the one that is best on the training rows stays;
    label_noise: the share of labels believed to lie, which that choice respects. threshold_width: above 0 the
    thresholds are learned too, those given being the first ones; it is the width of LearnedThermometer. Raises
    ValueError for widths that do not fit.
    """
    if min(len(widths), len(thresholds)) < 1:
        raise ValueError(
            f"logic_mlp: widths {tuple(widths)}, thresholds {tuple(thresholds)}; give at least one of each"
        )
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    marks = np.tile(np.asarray(thresholds, np.float32), (shape[0], 1))
    layers["encoder"] = LearnedThermometer(marks, threshold_width) if threshold_width else Thermometer(marks, True)
    layers["flatten"] = nn.Flatten()
    if n_restarts > 1:
        if harden_from < 1 or n_candidates != 8:
            raise ValueError("logic_mlp: n_restarts goes with fixed wiring and without harden_from")
        layers["restarts"] = LogicRestarts(
            prod(shape) * len(thresholds), widths, classes, n_restarts, tau, first_wiring, wiring, k,
            label_noise, parametrization=parametrization, residual=residual, sampling=sampling, temperature=temperature,
        )  # fmt: skip
        return LogicStack(layers)
    head = GroupSum(classes, tau)
    head.group_size(widths[-1])
    width, n_layers = prod(shape) * len(thresholds), len(widths)
    for i, out in enumerate(widths):
        share = i / max(n_layers - 1, 1)
        layers[f"logic{i + 1}"] = LogicLinear(
            width, out, k, parametrization, first_wiring if i == 0 else wiring, residual, sampling, temperature,
            harden_from + share * (harden_all_at - harden_from) if harden_from < 1 else 1.0, n_candidates,
            resample_until,
        )  # fmt: skip
        width = out
    layers["head"] = head
    return LogicStack(layers)
