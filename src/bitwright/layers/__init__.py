"""One layer family a file. LAYERS maps a name to the module class; freeze and the tests run over it."""

from torch import nn

from .activations import RPReLU, RSign, Sign
from .binary import BinaryConv2d, BinaryLinear
from .scale import Scale

LAYERS: dict[str, type[nn.Module]] = {
    "BinaryLinear": BinaryLinear,
    "BinaryConv2d": BinaryConv2d,
    "Sign": Sign,
    "RSign": RSign,
    "RPReLU": RPReLU,
}

__all__ = ["LAYERS", "BinaryConv2d", "BinaryLinear", "RPReLU", "RSign", "Scale", "Sign"]
