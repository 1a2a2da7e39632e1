"""An activation by its name: a sign with one of QUANTIZERS, a layer of this room, or a real-valued one."""

from collections.abc import Callable

from torch import nn

from ..quantizers import METHODS, Quantizer, QuantizerPair
from .activations import RSign, Sign
from .two_level import TwoLevel

# Name -> a function of the number of channels; every other name is a quantizer's.
ACTIVATIONS: dict[str, Callable[[int], nn.Module]] = {
    "rsign": lambda channels: RSign(channels),
    "two_level": lambda channels: TwoLevel(),
    "relu": lambda channels: nn.ReLU(),
    "hardtanh": lambda channels: nn.Hardtanh(),
}


def make_activation(name: str | QuantizerPair | Quantizer, channels: int) -> nn.Module:
    """ACTIVATIONS[name], or Sign with that quantizer, for x (batch, channels, ...)."""
    if isinstance(name, str) and name in ACTIVATIONS:
        return ACTIVATIONS[name](channels)
    return Sign(name, channels)


def method_parts(name: str, activations: str = "") -> dict[str, str]:
    """The options weight_quantizer, quantizer and scale of a method of METHODS, as models take them.

    activations: another activation than the method's, such as "relu" for weights of one bit alone. Raises ValueError
    for an unknown method.
    """
    if name not in METHODS:
        raise ValueError(f"method: no {name!r}; choose one of {', '.join(METHODS)}")
    method = METHODS[name]
    return {"weight_quantizer": method.weights, "quantizer": activations or method.activations, "scale": method.scale}
