"""What FDA is made of, part by part, and pairs that a search proposes: more names for the same comparison."""

from functools import partial
from typing import Any

import numpy as np

SEARCHED = "pair:"
NAMES = ("reach", "steepness", "centre", "cubic", "quintic")  # of a searched pair, in this order


def _fda(weights: Any, activations: Any) -> dict[str, Any]:
    return {"weight_quantizer": weights, "quantizer": activations, "scale": "tensor"}


def _baseline() -> dict[str, Any]:
    return _fda("identity", "ste")


def _sine(start: int = 9, end: int = 18) -> dict[str, Any]:
    from bitwright.quantizers import fda

    return _fda(fda(start, end), fda(start, end))


def _module(shortcut: str = "sine") -> dict[str, Any]:
    from bitwright.quantizers import fda_noise, identity_ste, sign_ste

    return _fda(partial(fda_noise, shortcut=shortcut, pair=identity_ste()),
                partial(fda_noise, shortcut=shortcut, pair=sign_ste()))  # fmt: skip


def _both(shortcut: str = "sine", start: int = 9, end: int = 18) -> dict[str, Any]:
    from bitwright.quantizers import fda_noise

    whole = partial(fda_noise, shortcut=shortcut, start=start, end=end)
    return _fda(whole, whole)


VARIANTS = {
    "fda: baseline": _baseline,
    "fda: sine only": _sine,
    "fda: module only": _module,
    "fda: both": _both,
    "fda: both, shortcut none": partial(_both, "none"),
    "fda: both, shortcut a x": partial(_both, "linear"),
    "fda: both, n = 9": partial(_both, "sine", 9, 9),
    "fda: both, n = 18": partial(_both, "sine", 18, 18),
}


def searched_name(parameters: list[float]) -> str:
    return SEARCHED + ",".join(f"{value:g}" for value in parameters)


def searched_pair(name: str):
    """T o P with P = clamp(w / s, -1, 1), s from reach to 0 along a mirrored sigmoid, and
    T(p) = (1 - a - b) p + a p^3 + b p^5.

    name: "pair:" and the five numbers. P ends as the sign, so the projection costs nothing. Raises ValueError where
    `synthesize` does.
    """
    from bitwright.quantizers.parq import mirrored_sigmoid
    from bitwright.quantizers.theory import odd_polynomial, piecewise_affine_map, synthesize

    reach, steepness, centre, cubic, quintic = (float(v) for v in name.removeprefix(SEARCHED).split(","))
    falling = mirrored_sigmoid(steepness, centre)
    P = piecewise_affine_map(lambda progress: reach * falling(progress))
    return synthesize(P, odd_polynomial(1 - cubic - quintic, cubic, quintic))


def proposals(n: int, seed: int = 0) -> list[str]:
    """Names of n pairs, drawn at random, that `synthesize` accepts."""
    rng, names = np.random.default_rng(seed), []
    while len(names) < n:
        parameters = [rng.choice([0.1, 0.3, 1.0]), rng.choice([4.0, 8.0, 12.0]), rng.choice([0.3, 0.5, 0.7]),
                      round(rng.uniform(-0.4, 0.6), 2), round(rng.uniform(-0.3, 0.3), 2)]  # fmt: skip
        name = searched_name(parameters)
        try:
            searched_pair(name)
        except ValueError:
            continue
        names.append(name)
    return names
