"""A small residual network with binary convolutions beside a real-valued stream.

Source: Liu et al. 2018 (Bi-Real net), arXiv:1808.00278, a shortcut around every binary convolution; Liu et al. 2020
(ReActNet), arXiv:2003.03488, RSign before and RPReLU after. Where the size changes, the shortcut is an average pool
and the channels are repeated by concatenation, so no real-valued convolution is needed there.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..layers import BinaryConv2d, BinaryLinear, RPReLU, RSign


class ResidualBlock(nn.Module):
    """y = RPReLU(norm(conv(RSign(x))) + shortcut(x)) on x (batch, channels, height, width).

    stride 2 halves height and width (even sizes) and doubles the channels.
    """

    def __init__(self, channels: int, stride: int = 1, scale: str | float = "channel", quantizer: str = "approx_sign",
                 weight_quantizer: str = "identity"):  # fmt: skip
        super().__init__()
        out = channels * stride
        self.stride = stride
        self.sign = RSign(channels, quantizer)
        self.conv = BinaryConv2d(channels, out, 3, stride, 1, scale=scale, weight_quantizer=weight_quantizer)
        self.norm = nn.BatchNorm2d(out)
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.act = RPReLU(out)

    def forward(self, x: Tensor) -> Tensor:
        short = self.pool(x)
        if self.stride == 2:
            short = torch.cat([short, short], 1)
        return self.act(self.norm(self.conv(self.sign(x))) + short)


class SignResNet(nn.Module):
    """x: float (batch, C, H, W), raw integers -> (batch, classes).

    The stem is a convolution of 1-bit weights on the raw integers with stride 2 and a batch norm; then residual
    blocks, the first of every stage but the first with stride 2; then a global average pool and a binary head on real
    numbers. The stream between the blocks, batch norms and RPReLUs stay wider than a bit.
    """

    def __init__(self, shape: Sequence[int] = (1, 28, 28), classes: int = 10, width: int = 32,
                 blocks: Sequence[int] = (2, 2), quantizer: str = "approx_sign",
                 weight_quantizer: str = "identity"):  # fmt: skip
        super().__init__()
        self.stem = BinaryConv2d(shape[0], width, 5, stride=2, padding=2, weight_quantizer="identity")
        self.norm = nn.BatchNorm2d(width)
        height, breadth = (shape[1] + 1) // 2, (shape[2] + 1) // 2
        stages: list[nn.Module] = []
        for stage, count in enumerate(blocks):
            for i in range(count):
                stride = 2 if stage and i == 0 else 1
                if stride == 2 and (height % 2 or breadth % 2):
                    size = f"{height}x{breadth}"
                    raise ValueError(f"sign_resnet: stage {stage + 1} halves {size}, which is odd; use fewer stages")
                stages.append(ResidualBlock(width, stride, quantizer=quantizer, weight_quantizer=weight_quantizer))
                width, height, breadth = width * stride, height // stride, breadth // stride
        self.blocks = nn.Sequential(*stages)
        self.pool = nn.AvgPool2d((height, breadth))
        self.flatten = nn.Flatten()
        self.head = BinaryLinear(width, classes, scale="learned", weight_quantizer="identity")

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.norm(self.stem(x)))
        return self.head(self.flatten(self.pool(x)))


def sign_resnet(shape: Sequence[int] = (1, 28, 28), classes: int = 10, width: int = 32,
                blocks: Sequence[int] = (2, 2), quantizer: str = "approx_sign",
                weight_quantizer: str = "identity") -> SignResNet:  # fmt: skip
    """SignResNet as a function, like every entry of MODELS. weight_quantizer: of the blocks; "real" is the first of
    ReActNet's two stages (signs between real weights), from which a recipe with `start` goes on.
    """
    return SignResNet(shape, classes, width, blocks, quantizer, weight_quantizer)
