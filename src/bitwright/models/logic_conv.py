"""A convolutional network of logic gates: trees of gates over windows, pooling by OR, dense gates, a vote.

Source: Petersen et al. 2024, arXiv:2411.04732 (LogicTreeNet): its MNIST net has k, 3k, 9k trees, 28 -> 12 -> 6 -> 3,
its CIFAR-10 net k, 4k, 16k, 32k trees over 3 x 3, all padded, 32 -> 16 -> 8 -> 4 -> 2.
"""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from torch import nn

from ..layers import GroupSum, LogicConv2d, LogicLinear, LogicStack, OrPool2d, Thermometer


def logic_conv(shape: Sequence[int] = (1, 28, 28), classes: int = 10, channels: Sequence[int] = (16, 48, 144),
               widths: Sequence[int] = (1280, 640, 320), thresholds: Sequence[float] = (127.5,), tau: float = 6.5,
               first_kernel: int = 5, first_padding: int = 0, depth: int = 3, channels_per_tree: int = 2,
               groups: int = 1, parametrization: str = "gates16", wiring: str = "balanced", residual: bool = True,
               sampling: str = "soft", temperature: float = 1.0, conv_wiring: str = "random",
               n_candidates: int = 8) -> LogicStack:  # fmt: skip
    """x: float (batch, C, H, W), raw pixels -> (batch, classes).

    channels: trees of each convolution: the first over first_kernel with first_padding, the others over 3 x 3 with
    padding 1; OrPool2d(2) behind each. widths: dense layers behind them, the last a multiple of classes.
    thresholds: marks that pixels are compared with. conv_wiring: "random" or "learned", of the trees' leaves; wiring:
    a name of WIRINGS or "learned", of the dense layers; n_candidates: of each learned connection. Raises ValueError for
    sizes that do not fit together.
    """
    if min(len(widths), len(thresholds)) < 1:
        raise ValueError(
            f"logic_conv: widths {tuple(widths)}, thresholds {tuple(thresholds)}; give at least one of each"
        )
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["encoder"] = Thermometer(np.tile(np.asarray(thresholds, np.float32), (shape[0], 1)), zero_one=True)
    width, height, across = shape[0] * len(thresholds), shape[1], shape[2]
    for i, out in enumerate(channels):
        kernel, padding = (first_kernel, first_padding) if i == 0 else (3, 1)
        layers[f"conv{i + 1}"] = LogicConv2d(
            width, out, kernel, depth, 1, padding, channels_per_tree=channels_per_tree, groups=groups if i else 1,
            parametrization=parametrization, residual=residual, sampling=sampling, temperature=temperature,
            wiring=conv_wiring, n_candidates=n_candidates,
        )  # fmt: skip
        layers[f"pool{i + 1}"] = OrPool2d(2)
        height, across = ((side - kernel + 1 + 2 * padding) // 2 for side in (height, across))
        if min(height, across) < 1:
            raise ValueError(
                f"logic_conv: nothing is left of {shape[1]} x {shape[2]} pixels behind convolution {i + 1} and its "
                f"pooling; give fewer channels than {tuple(channels)}, a smaller first_kernel, or larger images"
            )
        width = out
    layers["flatten"] = nn.Flatten()
    head = GroupSum(classes, tau)
    head.group_size(widths[-1])
    width *= height * across
    for i, out in enumerate(widths):
        layers[f"logic{i + 1}"] = LogicLinear(
            width, out, 2, parametrization, wiring, residual, sampling, temperature, n_candidates=n_candidates
        )
        width = out
    layers["head"] = head
    return LogicStack(layers)
