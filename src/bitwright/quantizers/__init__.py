"""One (forward, backward) pair a file. QUANTIZERS maps a name to the function that builds the pair.

METHODS says which of them, on weights and on activations, make a published method. `theory` has check_pair and
synthesize.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from .approx_sign import approx_sign
from .biper import biper_weights
from .clamp_poly import clamp_poly
from .dsq import DSQ
from .ede import ede, ede_plus, irnet_weights
from .fourier import fda, fda_plus
from .latent import latent
from .methods import METHODS, Method
from .noise import NoiseAdaptation, NoisyFourier, fda_noise
from .pair import Quantizer, QuantizerPair, hard_sign, quantize, set_progress
from .parq import parq
from .poly_plus import poly_plus
from .progressive import progressive_sign
from .rbnn import rbnn, rbnn_activation
from .recu import recu_activation, recu_weights
from .relax import binary_relax, soft_threshold
from .reste import reste
from .rotation import Rotated, rbnn_rotated
from .siman import siman_weights
from .standardized import adabin_weights
from .ste import identity_ste, sign_ste
from .straight import reactnet_weights
from .swish_sign import bnn_plus_plus, bnn_plus_plus_mean, swish_sign

QUANTIZERS: dict[str, Callable[..., QuantizerPair | Quantizer]] = {
    "latent": latent,
    "identity": identity_ste,
    "ste": sign_ste,
    "approx_sign": approx_sign,
    "swish_sign": swish_sign,
    "bnn++": bnn_plus_plus,
    "bnn++_mean": bnn_plus_plus_mean,
    "poly+": poly_plus,
    "reactnet": reactnet_weights,
    "ede": ede,
    "irnet": irnet_weights,
    "ede+": ede_plus,
    "rbnn": rbnn,
    "rbnn_activation": rbnn_activation,
    "rbnn_rotated": rbnn_rotated,
    "siman": siman_weights,
    "recu": recu_weights,
    "recu_activation": recu_activation,
    "adabin": adabin_weights,
    "reste": reste,
    "dsq": DSQ,
    "biper": biper_weights,
    "parq": parq,
    "clamp_poly": clamp_poly,
    "progressive": progressive_sign,
    "binary_relax": binary_relax,
    "soft_threshold": soft_threshold,
    "fda": fda,
    "fda+": fda_plus,
    "fda_noise": fda_noise,
}
# They look at a filter.
ON_WEIGHTS_ONLY = frozenset(
    {"bnn++_mean", "reactnet", "irnet", "adabin", "siman", "recu", "biper", "parq", "clamp_poly", "rbnn_rotated"}
)
ON_ACTIVATIONS_ONLY = frozenset({"rbnn_activation", "recu_activation"})


QuantizerMaker = Callable[..., QuantizerPair | Quantizer]


def make_quantizer(quantizer: "str | Mapping[str, Any] | QuantizerPair | Quantizer | QuantizerMaker",
                   features: int | None = None, axis: int | None = None) -> Quantizer:  # fmt: skip
    """The module for a name of QUANTIZERS, a pair of one's own, or a function that builds one, called as those are.

    A name with options is a mapping, as a recipe's table has it: {"name": "fda", "omega": 0.3}; the options are the
    arguments of QUANTIZERS[name].
    features, axis: for a quantizer with weights of its own, how long a row of x is and where it lies: 0 for a weight
    (out, ...), whose filters are rows, 1 for an activation (batch, channels, ...), whose pixels are. None: a weight,
    unless the name is made for activations.
    Raises ValueError for an unknown name or option, one made for the other place, or features missing where they are
    needed.
    """
    if isinstance(quantizer, Quantizer):
        return quantizer
    if isinstance(quantizer, QuantizerPair):
        return Quantizer(quantizer)
    build = quantizer
    options: dict[str, Any] = {}
    if isinstance(build, Mapping):
        options = {key: value for key, value in build.items() if key != "name"}
        build = build.get("name", "")
    if isinstance(build, str):
        name, build = build, _by_name(build, axis)
        _check_options(name, build, options)
    if not callable(build):
        raise ValueError(f"quantizer: {quantizer!r} is neither a name, a QuantizerPair nor a function that makes one")
    if "features" in inspect.signature(build).parameters:
        if features is None:
            raise ValueError(f"quantizer: {quantizer!r} needs to know its width: Sign(..., channels=64)")
        options = {**options, "features": features, "axis": axis or 0}
    made = cast(QuantizerMaker, build)(**options)
    return made if isinstance(made, Quantizer) else Quantizer(made)


def _by_name(name: str, axis: int | None) -> QuantizerMaker:
    if name not in QUANTIZERS:
        known = ", ".join(QUANTIZERS)
        raise ValueError(f"quantizer: no {name!r}; choose one of {known}, or pass a QuantizerPair")
    if axis == 1 and name in ON_WEIGHTS_ONLY:
        raise ValueError(f"quantizer: {name!r} is made for weights; activations take another, such as 'ste'")
    if axis == 0 and name in ON_ACTIVATIONS_ONLY:
        raise ValueError(f"quantizer: {name!r} is made for activations; weights take another, such as 'identity'")
    return QUANTIZERS[name]


def _check_options(name: str, build: QuantizerMaker, options: Mapping[str, Any]) -> None:
    takes = dict(inspect.signature(build).parameters)
    if takes.pop("options", None) is not None:  # hands on to NoisyFourier, and that to fda
        takes |= {**inspect.signature(NoisyFourier).parameters, **inspect.signature(fda).parameters}
    known = [key for key in takes if key not in ("features", "axis", "series")]
    if unknown := next((key for key in options if key not in known), None):
        raise ValueError(f"quantizer: {name!r} has no option {unknown!r}; options: {', '.join(known) or 'none'}")


__all__ = [
    "DSQ", "METHODS", "ON_ACTIVATIONS_ONLY", "ON_WEIGHTS_ONLY", "QUANTIZERS", "Method", "NoiseAdaptation",
    "NoisyFourier", "Quantizer", "QuantizerPair", "Rotated", "adabin_weights", "approx_sign", "binary_relax",
    "biper_weights", "bnn_plus_plus", "bnn_plus_plus_mean", "clamp_poly", "ede", "ede_plus", "fda", "fda_noise",
    "fda_plus", "hard_sign", "identity_ste", "irnet_weights", "latent", "make_quantizer", "parq", "poly_plus",
    "progressive_sign", "quantize", "rbnn", "rbnn_activation", "rbnn_rotated", "reactnet_weights", "recu_activation",
    "recu_weights", "reste", "set_progress", "sign_ste", "siman_weights", "soft_threshold", "swish_sign",
]  # fmt: skip
