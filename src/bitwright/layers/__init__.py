"""One layer family a file. LAYERS maps a name to the module class; freeze and the tests run over it."""

from torch import nn

from .activations import RPReLU, RSign, Sign
from .binary import BinaryConv2d, BinaryLinear
from .cosine import CosineConv1d, CosineConv2d, CosineLinear
from .cosine_activations import RASU, TASU, Temperature
from .cosine_noise import EmbeddingNoise
from .group_sum import GroupSum
from .learned_thermometer import LearnedThermometer
from .logic import LogicLinear
from .logic_conv import LogicConv2d, OrPool2d
from .logic_restarts import LogicRestarts
from .logic_stack import LogicStack
from .make import ACTIVATIONS, make_activation, method_parts
from .normalize import Normalize
from .option_a import OptionA
from .parametrizations import PARAMETRIZATIONS
from .prelu import PReLU
from .scale import Scale
from .shift import Shift
from .thermometer import Thermometer
from .two_level import TwoLevel
from .wiring import WIRINGS

LAYERS: dict[str, type[nn.Module]] = {
    "BinaryLinear": BinaryLinear,
    "BinaryConv2d": BinaryConv2d,
    "Sign": Sign,
    "RSign": RSign,
    "RPReLU": RPReLU,
    "TwoLevel": TwoLevel,
    "Normalize": Normalize,
    "OptionA": OptionA,
    "Shift": Shift,
    "CosineLinear": CosineLinear,
    "CosineConv1d": CosineConv1d,
    "CosineConv2d": CosineConv2d,
    "RASU": RASU,
    "TASU": TASU,
    "Temperature": Temperature,
    "LogicLinear": LogicLinear,
    "LogicConv2d": LogicConv2d,
    "OrPool2d": OrPool2d,
    "GroupSum": GroupSum,
    "Thermometer": Thermometer,
    "LearnedThermometer": LearnedThermometer,
}

__all__ = [
    "ACTIVATIONS", "BinaryConv2d", "BinaryLinear", "CosineConv1d", "CosineConv2d", "CosineLinear", "EmbeddingNoise",
    "GroupSum", "LAYERS", "LearnedThermometer", "LogicConv2d", "LogicLinear", "LogicRestarts", "LogicStack",
    "Normalize", "OptionA", "OrPool2d", "PARAMETRIZATIONS", "PReLU", "RASU", "RPReLU", "RSign", "Scale", "Shift",
    "Sign", "TASU", "Temperature", "Thermometer", "TwoLevel", "WIRINGS", "make_activation", "method_parts",
]  # fmt: skip
