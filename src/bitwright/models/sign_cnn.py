"""A small convolutional network of signs, bits and integer sums throughout: no shortcut, no real-valued layer.

Source: the VGG-like binarized network of Hubara et al. 2016, arXiv:1602.02830, made small; max-pool sits before the
batch norm and the sign, since a maximum of signs loses what the sums still knew.
"""

from collections import OrderedDict
from collections.abc import Sequence
from math import sqrt
from typing import Any

from torch import nn

from ..layers import BinaryConv2d, BinaryLinear, make_activation


def sign_cnn(shape: Sequence[int] = (1, 28, 28), classes: int = 10,
             channels: Sequence[int] = (32, 64, 128, 128), pool: Sequence[bool] = (True, False, True, True),
             hidden: Sequence[int] = (512,), quantizer: str = "ste", weight_quantizer: str = "ste", scale: str = "none",
             pad_value: float = -1.0, temperature: float = 4.0) -> nn.Sequential:  # fmt: skip
    """x: float (batch, C, H, W), raw integers -> (batch, classes).

    Each stage is a 3x3 BinaryConv2d with padding 1 (0 on the raw input, pad_value on signs), MaxPool2d(2) where
    `pool` says so, BatchNorm2d, Sign; then linear stages as in sign_mlp, and a head of integer sums times one fixed
    positive number. quantizer: a quantizer's name or one of layers.ACTIVATIONS, such as "relu" for one-bit weights on
    real activations. Raises ValueError if channels and pool differ in length or the image is pooled away.
    """
    if len(channels) != len(pool):
        raise ValueError(f"sign_cnn: {len(channels)} channels but {len(pool)} pool flags; give one flag a stage")
    width, height, breadth = shape
    options: dict[str, Any] = {"weight_quantizer": weight_quantizer, "scale": scale}
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (out, pooled) in enumerate(zip(channels, pool, strict=True), 1):
        pad = 0.0 if i == 1 else pad_value
        layers[f"conv{i}"] = BinaryConv2d(width, out, 3, padding=1, pad_value=pad, **options)
        if pooled:
            layers[f"pool{i}"] = nn.MaxPool2d(2)
            height, breadth = height // 2, breadth // 2
        layers[f"norm{i}"] = nn.BatchNorm2d(out)
        layers[f"sign{i}"] = make_activation(quantizer, out)
        width = out
    if height < 1 or breadth < 1:
        raise ValueError(f"sign_cnn: an image of {shape[1]}x{shape[2]} is pooled away; use fewer pools")
    layers["flatten"] = nn.Flatten()
    width *= height * breadth
    for i, out in enumerate(hidden, len(channels) + 1):
        layers[f"linear{i}"] = BinaryLinear(width, out, **options)
        layers[f"norm{i}"] = nn.BatchNorm1d(out)
        layers[f"sign{i}"] = make_activation(quantizer, out)
        width = out
    head_scale = 1 / (temperature * sqrt(width))
    layers["head"] = BinaryLinear(width, classes, weight_quantizer=weight_quantizer, scale=head_scale)
    return nn.Sequential(layers)
