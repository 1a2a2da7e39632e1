"""Vision transformers for small images, with binary weights alone or with binary activations too.

Source: Dosovitskiy et al. 2021 (ViT), arXiv:2010.11929; Touvron et al. 2021 (DeiT), arXiv:2012.12877, for the widths of
DeiT-Tiny. As in the binary transformers that were published, the linear layers of the blocks are binary; patches,
positions, norms and the head stay real.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import ProgramError, lower
from ..layers import BinaryLinear, Normalize, make_activation
from .resnet import MEAN, STD

REAL = "real"


class Attention(nn.Module):
    """Self-attention on x (batch, tokens, width): the four projections are binary, products and softmax real."""

    def __init__(self, width: int, heads: int, quantizer: str, linear: dict[str, Any]):
        super().__init__()
        if width % heads:
            raise ValueError(f"vit: width {width} is not a multiple of {heads} heads")
        self.heads = heads
        self.before, self.after = _signs(quantizer, width), _signs(quantizer, width)
        self.query, self.key, self.value, self.out = (BinaryLinear(width, width, **linear) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        n, tokens, width = x.shape
        split = (n, tokens, self.heads, width // self.heads)
        q, k, v = (part(x).reshape(split).transpose(1, 2) for part in (self.query, self.key, self.value))
        seen = F.scaled_dot_product_attention(q, k, v)
        return self.out(self.after(seen.transpose(1, 2).reshape(n, tokens, width)))


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); batch (n, tokens, width)."""

    def __init__(self, width: int, heads: int, quantizer: str, linear: dict[str, Any]):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads, quantizer, linear)
        self.norm2 = nn.LayerNorm(width)
        self.before, self.grow = _signs(quantizer, width), BinaryLinear(width, 4 * width, **linear)
        self.act = nn.GELU() if quantizer == REAL else make_activation(quantizer, 4 * width)
        self.shrink = BinaryLinear(4 * width, width, **linear)
        self.offset = nn.Parameter(torch.zeros(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        grown = self.grow(self.before(self.norm2(x))) + self.offset
        if isinstance(self.act, nn.GELU):
            return x + self.shrink(self.act(grown))
        n, tokens, width = grown.shape
        return x + self.shrink(self.act(grown.reshape(-1, width)).reshape(n, tokens, width))


class _Signs(nn.Module):
    """A sign activation on (batch, tokens, width), whose channels are the last axis."""

    def __init__(self, quantizer: str, width: int):
        super().__init__()
        self.sign = make_activation(quantizer, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.sign(x.reshape(-1, x.shape[-1])).reshape(x.shape)


def _signs(quantizer: str, width: int) -> nn.Module:
    return nn.Identity() if quantizer == REAL else _Signs(quantizer, width)


class Tokens(nn.Module):
    """x (batch, C, H, W) -> (batch, tokens, width): a real linear map of every patch, plus its place's vector."""

    def __init__(self, shape: Sequence[int], patch: int, width: int):
        super().__init__()
        if shape[1] % patch or shape[2] % patch:
            raise ValueError(f"vit: an image of {shape[1]}x{shape[2]} does not divide into patches of {patch}")
        self.patches = nn.Conv2d(shape[0], width, patch, patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, (shape[1] // patch) * (shape[2] // patch), width))

    def forward(self, x: Tensor) -> Tensor:
        return self.patches(x).flatten(2).transpose(1, 2) + self.positions


class ViT(nn.Module):
    """x: float (batch, C, H, W), raw pixels -> (batch, classes). Classes are read from the mean of all tokens."""

    def __init__(self, shape: Sequence[int], classes: int, patch: int, width: int, depth: int, heads: int,
                 quantizer: str, weight_quantizer: str, scale: str):  # fmt: skip
        super().__init__()
        mean, std = (MEAN, STD) if shape[0] == 3 else ([0.5] * shape[0], [0.5] * shape[0])
        self.normalize = Normalize([255 * m for m in mean], [255 * s for s in std])
        self.tokens = Tokens(shape, patch, width)
        linear: dict[str, Any] = {"weight_quantizer": weight_quantizer, "scale": scale}
        self.blocks = nn.Sequential(*(Block(width, heads, quantizer, linear) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.tokens(self.normalize(x)))).mean(1))


@lower.register
def _(layer: Tokens, x):
    raise ProgramError(
        "a transformer does not freeze: products of two values (attention), softmax, LayerNorm and GELU have no "
        "operation in a Program; it trains and evaluates in PyTorch, and its blocks' linear layers are one bit a weight"
    )


def vit(shape: Sequence[int] = (3, 32, 32), classes: int = 10, patch: int = 4, width: int = 192, depth: int = 6,
        heads: int = 3, quantizer: str = REAL, weight_quantizer: str = "identity",
        scale: str = "channel") -> ViT:  # fmt: skip
    """A small ViT; depth 12 is DeiT-Tiny's form. quantizer: "real" for binary weights alone, else a sign's name;
    weight_quantizer "real" with scale "none" gives the float network. Raises ValueError for sizes that do not divide.
    """
    return ViT(shape, classes, patch, width, depth, heads, quantizer, weight_quantizer, scale)
