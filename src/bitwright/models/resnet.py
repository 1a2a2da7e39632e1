"""ResNet-20 and ResNet-18 for small images, with binary weights alone or with binary activations too.

Three forms of block, as published: `standard`, the block of He et al. 2016, arXiv:1512.03385 (weights of one bit);
`single`, one shortcut around two binary convolutions, convolution, PReLU, norm, as in FDA-BNN, arXiv:2103.00841;
`double`, a shortcut around each, as in Bi-Real net, arXiv:1808.00278, and IR-Net, arXiv:1909.10788. Where the size
changes the shortcut takes every other pixel and fills up with zero channels (option A of He et al.), without weights.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ..layers import BinaryConv2d, BinaryLinear, Normalize, OptionA, PReLU, Shift, make_activation

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of pixels in 0..1, as float networks that are around


def _shortcut(channels: int, out: int, stride: int) -> nn.Module:
    return nn.Identity() if out == channels and stride == 1 else OptionA(channels, out, stride)


class StandardBlock(nn.Module):
    """act(norm(conv(act(norm(conv(x))))) + shortcut(x)): activations stay wider than a bit."""

    def __init__(self, channels: int, out: int, stride: int, quantizer: str, conv: dict[str, Any]):
        super().__init__()
        self.conv1 = BinaryConv2d(channels, out, 3, stride, 1, **conv)
        self.bn1, self.act1 = nn.BatchNorm2d(out), make_activation(quantizer, out)
        self.conv2 = BinaryConv2d(out, out, 3, 1, 1, **conv)
        self.bn2, self.act2 = nn.BatchNorm2d(out), make_activation(quantizer, out)
        self.shortcut = _shortcut(channels, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        return self.act2(inner + self.shortcut(x))


class SingleBlock(nn.Module):
    """norm(prelu(conv(sign( norm(prelu(conv(sign(x)))) )))) + shortcut(x)."""

    def __init__(self, channels: int, out: int, stride: int, quantizer: str, conv: dict[str, Any]):
        super().__init__()
        self.sign1, self.conv1 = make_activation(quantizer, channels), BinaryConv2d(channels, out, 3, stride, 1, **conv)
        self.act1, self.bn1 = PReLU(), nn.BatchNorm2d(out)
        self.sign2, self.conv2 = make_activation(quantizer, out), BinaryConv2d(out, out, 3, 1, 1, **conv)
        self.act2, self.bn2 = PReLU(), nn.BatchNorm2d(out)
        self.shortcut = _shortcut(channels, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn1(self.act1(self.conv1(self.sign1(x))))
        return self.bn2(self.act2(self.conv2(self.sign2(inner)))) + self.shortcut(x)


class DoubleBlock(nn.Module):
    """Twice y = hardtanh(norm(conv(sign(x))) + shortcut(x))."""

    def __init__(self, channels: int, out: int, stride: int, quantizer: str, conv: dict[str, Any]):
        super().__init__()
        self.sign1, self.conv1 = make_activation(quantizer, channels), BinaryConv2d(channels, out, 3, stride, 1, **conv)
        self.bn1, self.act1 = nn.BatchNorm2d(out), nn.Hardtanh()
        self.sign2, self.conv2 = make_activation(quantizer, out), BinaryConv2d(out, out, 3, 1, 1, **conv)
        self.bn2, self.act2 = nn.BatchNorm2d(out), nn.Hardtanh()
        self.shortcut = _shortcut(channels, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv1(self.sign1(x))) + self.shortcut(x))
        return self.act2(self.bn2(self.conv2(self.sign2(x))) + x)


BLOCKS: dict[str, type[nn.Module]] = {"standard": StandardBlock, "single": SingleBlock, "double": DoubleBlock}


class ResNet(nn.Module):
    """x: float (batch, 3, H, W), raw pixels -> (batch, classes). Names of the modules are those of the float networks
    that are around, so that their weights load as they are.
    """

    def __init__(self, shape: Sequence[int], classes: int, form: str, width: int, blocks: Sequence[int], quantizer: str,
                 weight_quantizer: str, scale: str, binary_ends: bool):  # fmt: skip
        super().__init__()
        if form not in BLOCKS:
            raise ValueError(f"resnet: form is {form!r}, expected one of {', '.join(BLOCKS)}")
        conv: dict[str, Any] = {"weight_quantizer": weight_quantizer, "scale": scale}
        mean, std = (MEAN, STD) if shape[0] == 3 else ([0.5] * shape[0], [0.5] * shape[0])
        self.normalize = Normalize([255 * m for m in mean], [255 * s for s in std])
        self.conv1 = (BinaryConv2d(shape[0], width, 3, 1, 1, **conv) if binary_ends
                      else nn.Conv2d(shape[0], width, 3, 1, 1, bias=False))  # fmt: skip
        self.bn1 = nn.BatchNorm2d(width)
        self.act1 = nn.ReLU() if form == "standard" else nn.Identity()
        channels = width
        for stage, count in enumerate(blocks, 1):
            parts = []
            for i in range(count):
                out, stride = width << (stage - 1), 2 if stage > 1 and i == 0 else 1
                parts.append(BLOCKS[form](channels, out, stride, quantizer, conv))
                channels = out
            setattr(self, f"layer{stage}", nn.Sequential(*parts))
        self.n_stages = len(blocks)
        self.last = nn.Identity() if form == "standard" else nn.ReLU()
        self.pool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.linear = BinaryLinear(channels, classes, **conv) if binary_ends else nn.Linear(channels, classes)
        self.shift = Shift(classes) if binary_ends else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv1(self.normalize(x))))
        for stage in range(1, self.n_stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        return self.shift(self.linear(self.flatten(self.pool(self.last(x)))))


def resnet20(shape: Sequence[int] = (3, 32, 32), classes: int = 10, form: str = "single", width: int = 16,
             blocks: Sequence[int] = (3, 3, 3), quantizer: str = "approx_sign", weight_quantizer: str = "identity",
             scale: str = "tensor", binary_ends: bool = False) -> ResNet:  # fmt: skip
    """form: "single", "double" (binary activations) or "standard" (quantizer: "relu" then). binary_ends: first and last
    layer binary too. Freezing keeps a real first and last layer at 8 bits.
    """
    return ResNet(shape, classes, form, width, blocks, quantizer, weight_quantizer, scale, binary_ends)


def resnet18(shape: Sequence[int] = (3, 32, 32), classes: int = 10, form: str = "double", width: int = 64,
             blocks: Sequence[int] = (2, 2, 2, 2), quantizer: str = "approx_sign", weight_quantizer: str = "identity",
             scale: str = "tensor", binary_ends: bool = False) -> ResNet:  # fmt: skip
    """As resnet20, for 32x32 images: a stem of stride 1 and no max-pool."""
    return ResNet(shape, classes, form, width, blocks, quantizer, weight_quantizer, scale, binary_ends)
