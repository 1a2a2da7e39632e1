"""G-Net on signals: cosine convolutions along time, then linear stages and class cosines.

Source: G-Net and EHD G-Net, NeurIPS 2025, arXiv:2511.21063: two convolutions for movement data of three axes. A signal
is an image of height 1, as in a Program.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from ..layers import CosineConv1d, Temperature
from .gnet import ACTIVATIONS, check_stages, embeddable, layer_noises, linear_stages, middle_of


def gnet_1d(shape: Sequence[int] = (3, 1, 206), classes: int = 4, channels: Sequence[int] = (64, 48),
            kernels: Sequence[int] = (11, 7), hidden: Sequence[int] = (), pool: int = 2, activation: str = "rasu",
            dropout: float = 0.0, train_dimensions: float | Sequence[float] = 0.0,
            train_dimensions_end: float | Sequence[float] = 0.0, sweep: bool = False,
            hyperdimensions: int | Sequence[int] = 2047, projection: str = "hadamard", rounds: int = 2,
            temperature: float = 16.0, span: float = 255.0) -> nn.Sequential:  # fmt: skip
    """x: float (batch, C, 1, length), raw integers 0..span -> (batch, classes).

    Each stage is CosineConv1d that keeps the length (odd kernels), a max-pool over `pool` places (0 for none), RASU or
    TASU; the rest, and the options, as in `gnet`. Raises ValueError for an unknown activation, a shape that is no
    signal, an even kernel, or lists of different lengths.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"gnet_1d: no activation {activation!r}; choose one of {', '.join(ACTIVATIONS)}")
    if len(shape) != 3 or shape[1] != 1:
        raise ValueError(f"gnet_1d: shape is {tuple(shape)}, expected (channels, 1, length); images are for `gnet`")
    check_stages("gnet_1d", channels, kernels)

    noise = layer_noises("gnet_1d", len(channels) + len(hidden) + 1, train_dimensions, train_dimensions_end, sweep)
    signs = activation == "tasu"
    width, length = shape[0], shape[2]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (out, kernel) in enumerate(zip(channels, kernels, strict=True), 1):
        first: dict = middle_of(span) if i == 1 else {"pad_value": -1.0 if signs else 0.0}
        first |= {"pad_value": float((span + 1) // 2)} if i == 1 else {}  # a signal's rest
        first |= {"padding": kernel // 2, "pool": pool, "noise": next(noise)}
        layers[f"conv{i}"] = CosineConv1d(width, out, kernel, **first)
        layers[f"act{i}"] = ACTIVATIONS[activation]()
        if dropout:
            layers[f"drop{i}"] = nn.Dropout(dropout)
        width, length = out, length // (pool or 1)
    layers["flatten"] = nn.Flatten()
    linear_stages(layers, width * length, classes, hidden, len(channels), activation, dropout, noise, span)
    layers["temperature"] = Temperature(temperature)
    return embeddable(layers, hyperdimensions, projection, rounds)
