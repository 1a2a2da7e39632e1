"""VGG-small for 32x32 images: six 3x3 convolutions, binary but for the first, and one linear layer.

Source: the VGG variant of Zhang et al. 2018 (LQ-Nets), arXiv:1807.10029, in which the later methods publish: widths
128, 256, 512, each twice, a max-pool after every second.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import nn

from ..layers import BinaryConv2d, Normalize, make_activation
from .resnet import MEAN, STD


def vgg_small(shape: Sequence[int] = (3, 32, 32), classes: int = 10, width: int = 128, quantizer: str = "approx_sign",
              weight_quantizer: str = "identity", scale: str = "tensor") -> nn.Sequential:  # fmt: skip
    """x: float (batch, 3, H, W), raw pixels -> (batch, classes). First and last layer stay real (8 bits when frozen).

    Sign after the norm, max-pool before it. Raises ValueError for an image that three pools do not divide.
    """
    if shape[1] % 8 or shape[2] % 8:
        raise ValueError(f"vgg_small: an image of {shape[1]}x{shape[2]}; height and width must be multiples of 8")
    conv: dict[str, Any] = {"padding": 1, "weight_quantizer": weight_quantizer, "scale": scale}
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    mean, std = (MEAN, STD) if shape[0] == 3 else ([0.5] * shape[0], [0.5] * shape[0])
    layers["normalize"] = Normalize([255 * m for m in mean], [255 * s for s in std])
    channels = shape[0]
    for i, out in enumerate((width, width, 2 * width, 2 * width, 4 * width, 4 * width), 1):
        layers[f"conv{i}"] = (nn.Conv2d(channels, out, 3, 1, 1, bias=False) if i == 1
                              else BinaryConv2d(channels, out, 3, **conv))  # fmt: skip
        if i % 2 == 0:
            layers[f"pool{i}"] = nn.MaxPool2d(2)
        layers[f"norm{i}"] = nn.BatchNorm2d(out)
        layers[f"sign{i}"] = make_activation(quantizer, out)
        channels = out
    layers["flatten"] = nn.Flatten()
    layers["head"] = nn.Linear(channels * (shape[1] // 8) * (shape[2] // 8), classes)
    return nn.Sequential(layers)
