"""One (forward, backward) pair a file. QUANTIZERS maps a name to the function that builds the pair."""

from collections.abc import Callable

from .approx_sign import approx_sign
from .pair import Quantizer, QuantizerPair, hard_sign, quantize, set_progress
from .ste import identity_ste, sign_ste
from .swish_sign import bnn_plus_plus, swish_sign

QUANTIZERS: dict[str, Callable[..., QuantizerPair]] = {
    "identity": identity_ste,
    "ste": sign_ste,
    "approx_sign": approx_sign,
    "swish_sign": swish_sign,
    "bnn++": bnn_plus_plus,
}


def make_quantizer(quantizer: "str | QuantizerPair | Quantizer") -> Quantizer:
    """The module for a name of QUANTIZERS or for a pair of one's own. Raises ValueError for an unknown name."""
    if isinstance(quantizer, Quantizer):
        return quantizer
    if isinstance(quantizer, QuantizerPair):
        return Quantizer(quantizer)
    if quantizer not in QUANTIZERS:
        raise ValueError(f"quantizer: no {quantizer!r}; choose one of {', '.join(QUANTIZERS)}, or pass a QuantizerPair")
    return Quantizer(QUANTIZERS[quantizer]())


__all__ = [
    "QUANTIZERS", "Quantizer", "QuantizerPair", "approx_sign", "bnn_plus_plus", "hard_sign", "identity_ste",
    "make_quantizer", "quantize", "set_progress", "sign_ste", "swish_sign",
]  # fmt: skip
