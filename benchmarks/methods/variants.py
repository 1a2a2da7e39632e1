"""What FDA is made of, part by part, and pairs that a search proposes: more names for the same comparison."""

from functools import partial
from typing import Any

import numpy as np

SEARCHED = "pair:"
OMEGAS = (0.03, 0.05, 0.2, 0.4, 1.0)  # beside the default, 0.1
OURS = "pair:mean,0.5,10,0.7,0.02,-0.08"  # the best of the search that is not PARQ's


def _fda(weights: Any, activations: Any) -> dict[str, Any]:
    return {"weight_quantizer": weights, "quantizer": activations, "scale": "tensor"}


def _baseline() -> dict[str, Any]:
    return _fda("identity", "ste")


def _sine(start: int = 9, end: int = 18, omega: float = 0.1) -> dict[str, Any]:
    from bitwright.quantizers import fda

    return _fda(fda(start, end, omega), fda(start, end, omega))


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
    **{f"fda: sine only, omega = {omega:g}": partial(_sine, omega=omega) for omega in OMEGAS},
}


def searched_name(unit: str, parameters: list[float]) -> str:
    return f"{SEARCHED}{unit}," + ",".join(f"{value:g}" for value in parameters)


def searched_pair(name: str):
    """`clamp_poly` with the options in `name`: "pair:" and unit, reach, steepness, centre, cubic, quintic.

    P ends as the sign, so the projection costs nothing. Raises ValueError where `clamp_poly` does.
    """
    from bitwright.quantizers import clamp_poly
    from bitwright.quantizers.straight import UNITS

    unit, *numbers = name.removeprefix(SEARCHED).split(",")
    if unit not in UNITS or len(numbers) != 5:
        raise ValueError(f"pair: {name!r} is no pair of this search; write pair:mean,1,10,0.5,0,0 or pair:one,...")
    return clamp_poly(*(float(v) for v in numbers), unit=unit)


def proposals(n: int, seed: int = 0) -> list[str]:
    """Names of n pairs that `synthesize` accepts: PARQ's own, then drawn at random."""
    from bitwright.quantizers.straight import UNITS

    rng, names = np.random.default_rng(seed), [searched_name("mean", [1, 10, 0.5, 0, 0])]
    while len(names) < n:
        unit = str(rng.choice(UNITS))
        reach = rng.choice([0.5, 1.0, 2.0]) * (1.0 if unit == "mean" else 0.3)
        parameters = [reach, rng.choice([6.0, 10.0, 15.0]), rng.choice([0.3, 0.5, 0.7]),
                      round(rng.uniform(-0.4, 0.4), 2), round(rng.uniform(-0.2, 0.2), 2)]  # fmt: skip
        name = searched_name(unit, parameters)
        try:
            searched_pair(name)
        except ValueError:
            continue
        names.append(name)
    return names
