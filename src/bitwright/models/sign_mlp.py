"""A multilayer perceptron of signs: every weight and every hidden activation is one bit.

Source: Hubara et al. 2016, arXiv:1602.02830 (binarized MLP on MNIST); the 784-1024-1024-1024-10 shape is that of
Umuroglu et al. 2017 (FINN, LFC), arXiv:1612.07119, here on 8-bit pixels and with integer sums as the head.
"""

from collections import OrderedDict
from collections.abc import Sequence
from math import prod, sqrt

from torch import nn

from ..layers import BinaryLinear, make_activation


def sign_mlp(shape: Sequence[int] = (1, 28, 28), classes: int = 10,
             hidden: Sequence[int] = (1024, 1024, 1024), quantizer: str = "ste",
             weight_quantizer: str = "ste", scale: str = "none",
             temperature: float = 4.0) -> nn.Sequential:  # fmt: skip
    """x: float (batch, *shape), raw integers (no division: the first batch norm normalises) -> (batch, classes).

    Each hidden layer is BinaryLinear, BatchNorm1d, Sign. The head's integer sums are multiplied by the fixed positive
    number 1 / (temperature * sqrt(inputs)), so scores keep the sums' order. temperature: softness of the logits.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    width = prod(shape)
    for i, out in enumerate(hidden, 1):
        layers[f"linear{i}"] = BinaryLinear(width, out, weight_quantizer=weight_quantizer, scale=scale)
        layers[f"norm{i}"] = nn.BatchNorm1d(out)
        layers[f"sign{i}"] = make_activation(quantizer, out)
        width = out
    head_scale = 1 / (temperature * sqrt(width))
    layers["head"] = BinaryLinear(width, classes, weight_quantizer=weight_quantizer, scale=head_scale)
    return nn.Sequential(layers)
