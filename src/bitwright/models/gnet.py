"""G-Net: a network of cosine layers, to be embedded into codes of random signs, and two rivals of its topology.

Source: G-Net and EHD G-Net, NeurIPS 2025, arXiv:2511.21063: convolutions and one hidden layer, RASU or TASU behind
each. Here every class cosine goes through the arcsin too and a learned temperature makes logits of them.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from torch import nn

from ..layers import (
    RASU,
    TASU,
    BinaryConv2d,
    BinaryLinear,
    CosineConv2d,
    CosineLinear,
    EmbeddingNoise,
    Sign,
    Temperature,
)

ACTIVATIONS = {"rasu": RASU, "tasu": TASU}


def gnet(shape: Sequence[int] = (1, 28, 28), classes: int = 10, channels: Sequence[int] = (32, 64),
         kernels: Sequence[int] = (5, 5), hidden: Sequence[int] = (512,), activation: str = "rasu",
         dropout: float = 0.5, dropout2d: float = 0.0, train_dimensions: float | Sequence[float] = 0.0,
         train_dimensions_end: float | Sequence[float] = 0.0, sweep: bool = False,
         hyperdimensions: int | Sequence[int] = 2047, projection: str = "hadamard", rounds: int = 2,
         temperature: float = 16.0, span: float = 255.0) -> nn.Sequential:  # fmt: skip
    """x: float (batch, C, H, W), raw integers 0..span -> (batch, classes).

    Each stage is CosineConv2d that keeps the size (odd kernels), MaxPool2d(2), RASU or TASU; then linear stages, the
    class cosines and a temperature. train_dimensions, train_dimensions_end, sweep: as in EmbeddingNoise, the numbers
    for all cosine layers or one for each, input first. hyperdimensions, projection, rounds: how `freeze` embeds the
    network where it is not told otherwise. span: the input's largest value, whose middle the first layer learns its
    shift from. Raises ValueError for an unknown activation, an even kernel, lists of different lengths, or a span that
    is not positive.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"gnet: no activation {activation!r}; choose one of {', '.join(ACTIVATIONS)}")
    check_stages("gnet", channels, kernels)

    noise = layer_noises("gnet", len(channels) + len(hidden) + 1, train_dimensions, train_dimensions_end, sweep)
    signs = activation == "tasu"
    width, height, breadth = shape
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (out, kernel) in enumerate(zip(channels, kernels, strict=True), 1):
        first: dict = middle_of(span) if i == 1 else {"pad_value": -1.0 if signs else 0.0}
        layers[f"conv{i}"] = CosineConv2d(width, out, kernel, padding=kernel // 2, pool=2, noise=next(noise), **first)
        layers[f"act{i}"] = ACTIVATIONS[activation]()
        if dropout2d:
            layers[f"drop{i}"] = nn.Dropout2d(dropout2d)
        width, height, breadth = out, height // 2, breadth // 2
    layers["flatten"] = nn.Flatten()
    linear_stages(layers, width * height * breadth, classes, hidden, len(channels), activation, dropout, noise, span)
    layers["temperature"] = Temperature(temperature)
    return embeddable(layers, hyperdimensions, projection, rounds)


def linear_stages(layers: OrderedDict[str, nn.Module], width: int, classes: int, hidden: Sequence[int], done: int,
                  activation: str, dropout: float, noise: Iterator[EmbeddingNoise],
                  span: float = 255.0) -> None:  # fmt: skip
    """Appends the hidden stages and the class cosines, reading `width` values, to layers of which `done` are stages."""
    for i, out in enumerate(hidden, done + 1):
        if dropout:
            layers[f"drop{i}"] = nn.Dropout(dropout)
        first = middle_of(span) if i == 1 else {}
        layers[f"linear{i}"] = CosineLinear(width, out, noise=next(noise), **first)
        layers[f"act{i}"] = ACTIVATIONS[activation]()
        width = out
    layers["head"] = CosineLinear(width, classes, noise=next(noise))


def layer_noises(who: str, layers: int, start: float | Sequence[float], end: float | Sequence[float],
                 sweep: bool) -> Iterator[EmbeddingNoise]:  # fmt: skip
    """One for each of so many cosine layers. Raises ValueError for lists of another length."""
    lists = [list(n) if isinstance(n, Sequence) else [n] * layers for n in (start, end)]
    if any(len(n) != layers for n in lists):
        raise ValueError(
            f"{who}: train_dimensions={start}, train_dimensions_end={end}; expected one number, or one for each of "
            f"the {layers} cosine layers"
        )
    return iter([EmbeddingNoise(first, last, sweep) for first, last in zip(*lists, strict=True)])


def middle_of(span: float) -> dict[str, float]:
    """The first layer's shift for inputs 0..span."""
    return {"shift": -span / 2, "shift_unit": span / 2}


def embeddable(layers: OrderedDict[str, nn.Module], hyperdimensions: int | Sequence[int], projection: str,
               rounds: int) -> nn.Sequential:  # fmt: skip
    """The model, which knows how `freeze` embeds it where it is not told otherwise."""
    model = nn.Sequential(layers)
    model.embedding = {  # type: ignore[assignment]
        "hyperdimensions": hyperdimensions, "projection": projection, "rounds": rounds,
    }  # fmt: skip
    return model


def gnet_cnn(shape: Sequence[int] = (1, 28, 28), classes: int = 10, channels: Sequence[int] = (32, 64),
             kernels: Sequence[int] = (5, 5), hidden: Sequence[int] = (512,),
             dropout: float = 0.5) -> nn.Sequential:  # fmt: skip
    """The plain rival: convolutions with biases, ReLU, the same pools and dropout. x: raw integers 0..255.

    A fixed batch norm without parameters stands first, so that the pixels are normalised. Raises ValueError as `gnet`.
    """
    check_stages("gnet_cnn", channels, kernels)
    width, height, breadth = shape
    layers: OrderedDict[str, nn.Module] = OrderedDict(norm=nn.BatchNorm2d(width, affine=False))
    for i, (out, kernel) in enumerate(zip(channels, kernels, strict=True), 1):
        layers[f"conv{i}"] = nn.Conv2d(width, out, kernel, padding=kernel // 2)
        layers[f"pool{i}"], layers[f"act{i}"] = nn.MaxPool2d(2), nn.ReLU()
        width, height, breadth = out, height // 2, breadth // 2
    layers["flatten"] = nn.Flatten()
    width *= height * breadth
    for i, out in enumerate(hidden, len(channels) + 1):
        layers[f"drop{i}"], layers[f"linear{i}"] = nn.Dropout(dropout), nn.Linear(width, out)
        layers[f"act{i}"] = nn.ReLU()
        width = out
    layers["head"] = nn.Linear(width, classes)
    return nn.Sequential(layers)


def gnet_sign(shape: Sequence[int] = (1, 28, 28), classes: int = 10, channels: Sequence[int] = (32, 64),
              kernels: Sequence[int] = (5, 5), hidden: Sequence[int] = (512,), quantizer: str = "ste",
              temperature: float = 4.0) -> nn.Sequential:  # fmt: skip
    """The binary rival: one-bit weights and activations, batch norms, the same pools. x: raw integers 0..255.

    Raises ValueError as `gnet`.
    """
    check_stages("gnet_sign", channels, kernels)
    width, height, breadth = shape
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (out, kernel) in enumerate(zip(channels, kernels, strict=True), 1):
        pad = 0.0 if i == 1 else -1.0
        layers[f"conv{i}"] = BinaryConv2d(width, out, kernel, padding=kernel // 2, pad_value=pad)
        layers[f"pool{i}"], layers[f"norm{i}"] = nn.MaxPool2d(2), nn.BatchNorm2d(out)
        layers[f"act{i}"] = Sign(quantizer)
        width, height, breadth = out, height // 2, breadth // 2
    layers["flatten"] = nn.Flatten()
    width *= height * breadth
    for i, out in enumerate(hidden, len(channels) + 1):
        layers[f"linear{i}"], layers[f"norm{i}"] = BinaryLinear(width, out), nn.BatchNorm1d(out)
        layers[f"act{i}"] = Sign(quantizer)
        width = out
    layers["head"] = BinaryLinear(width, classes, scale=1 / (temperature * width**0.5))
    return nn.Sequential(layers)


def check_stages(who: str, channels: Sequence[int], kernels: Sequence[int]) -> None:
    """Raises ValueError for an even kernel, and for lists of different lengths."""
    if len(channels) != len(kernels) or any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"{who}: channels {list(channels)} need one odd kernel each, got {list(kernels)}")
