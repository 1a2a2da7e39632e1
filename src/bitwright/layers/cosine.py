"""Cosine layers: the angle between every weight row and the input (or each of its patches), as a number in [-1, 1].

z = (2/pi) arcsin(cos) is exactly the mean agreement of the signs of random projections of the two vectors, so a trained
layer can be replaced by codes of random signs, without training. Only directions matter: any positive factor on the
input or on a weight row changes nothing.
Source: the identity (Grothendieck's), E[sign(g.u) sign(g.v)] = (2/pi) arcsin(cos(u, v)) for g ~ N(0, I); G-Net and its
embedding: NeurIPS 2025, arXiv:2511.21063, Lemma 3.1. No epsilon enters a norm here, so that float layer and embedding
have one limit.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import lower
from ..ir.windows import Pair, pair
from . import native_cosine
from .angles import arcsine, inverse_length
from .binary import Size
from .cosine_noise import EmbeddingNoise


class _Cosine:
    """What the layers share: `weight`, whose rows only count by direction, and the learned input shift."""

    weight: nn.Parameter
    shift: nn.Parameter
    shift_unit: float
    noise: EmbeddingNoise

    def _cosine_setup(self, fan_in: int, shift: float, shift_unit: float, noise: EmbeddingNoise | None) -> None:
        if not 0 < shift_unit < float("inf"):
            raise ValueError(f"{type(self).__name__}: shift_unit must be positive and finite, got {shift_unit}")
        self.shift = nn.Parameter(torch.tensor(shift / shift_unit))
        self.shift_unit = float(shift_unit)
        self.noise = EmbeddingNoise() if noise is None else noise
        nn.init.normal_(self.weight, std=fan_in**-0.5)

    def input_shift(self) -> Tensor:
        """The number added to every place of every (padded) patch, a scalar."""
        return self.shift * self.shift_unit

    def directions(self) -> Tensor:
        """The weight with rows of length 1, in its shape."""
        return F.normalize(self.weight.flatten(1), dim=1, eps=1e-15).view_as(self.weight)

    def shifted(self, sums: Tensor, squares: Tensor) -> Tensor:
        """Squared lengths of what has these sums and sums of squares, after the shift."""
        shift = self.input_shift()
        return squares + shift * (2 * sums + shift * self.weight[0].numel())


class CosineLinear(_Cosine, nn.Linear):
    """x (*, in_features) -> (*, out_features), z = (2/pi) arcsin(cos(weight row, x + shift)).

    shift: initial value of the learned shift, which the optimizer sees in units of shift_unit. noise: EmbeddingNoise
    added while training. An input of zeros has cosine 0 with everything. Raises ValueError for a shift_unit that is not
    positive.
    """

    def __init__(self, in_features: int, out_features: int, *, shift: float = 0.0, shift_unit: float = 1.0,
                 noise: EmbeddingNoise | None = None):  # fmt: skip
        super().__init__(in_features, out_features, bias=False)
        self._cosine_setup(in_features, shift, shift_unit, noise)

    def cosines(self, x: Tensor) -> Tensor:
        """The cosines themselves, (*, out_features), not clamped."""
        shift, rows = self.input_shift(), self.directions()
        squares = self.shifted(x.sum(-1, keepdim=True), x.square().sum(-1, keepdim=True))
        return (F.linear(x, rows) + shift * rows.sum(1)) * inverse_length(squares)

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() == 2 and native_cosine.takes(self, input):
            return native_cosine.linear(self, input)
        return self.noise(arcsine(self.cosines(input)))


class CosineConv2d(_Cosine, nn.Conv2d):
    """x (batch, in, height, width) -> (batch, out, height', width'), z of each kernel with each padded patch + shift.

    Window numbers as torch's; what lies outside the image is pad_value, and is shifted like every other place. pool: of
    a max-pool right behind (a number, or height and width), 0 for none; it stands before the arcsin where no noise
    comes between, which is the same and cheaper. Other arguments as CosineLinear's. Raises ValueError for padding by
    name.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Size = 0, dilation: Size = 1, *, pad_value: float = 0.0, pool: Pair = 0, shift: float = 0.0,
                 shift_unit: float = 1.0, noise: EmbeddingNoise | None = None):  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=False)  # type: ignore
        if isinstance(self.padding, str):
            raise ValueError(f"CosineConv2d: padding is {padding!r}; give numbers, for 'same' (kernel - 1) / 2")
        self.pad_value, self.pool = float(pad_value), pool
        self._cosine_setup(self.weight[0].numel(), shift, shift_unit, noise)

    def cosines(self, x: Tensor) -> Tensor:
        """The cosines themselves, (batch, out, height', width'), neither pooled nor clamped."""
        shift, rows = self.input_shift(), self.directions()
        if any(self.padding):
            x = F.pad(x, self._reversed_padding_repeated_twice, value=self.pad_value)
        sums, squares = self._windows(x.sum(1, keepdim=True)), self._windows(x.square().sum(1, keepdim=True))
        total = F.conv2d(x, rows, shift * rows.flatten(1).sum(1), self.stride, 0, self.dilation)
        return total * inverse_length(self.shifted(sums, squares))

    def _windows(self, x: Tensor) -> Tensor:
        """Sums of each window of x (batch, 1, height, width)."""
        if set(self.dilation) == {1}:
            return F.avg_pool2d(x, self.kernel_size, self.stride, divisor_override=1)  # type: ignore[arg-type]
        return F.conv2d(x, x.new_ones(1, 1, *self.kernel_size), None, self.stride, 0, self.dilation)

    def forward(self, input: Tensor) -> Tensor:
        if native_cosine.takes(self, input):
            return native_cosine.convolution(self, input)
        cos = self.cosines(input)
        if not self.pool:
            return self.noise(arcsine(cos))
        if self.noise.active:
            return F.max_pool2d(self.noise(arcsine(cos)), self.pool)
        return arcsine(F.max_pool2d(cos, self.pool))


class CosineConv1d(CosineConv2d):
    """CosineConv2d over signals: x (batch, in, 1, length) -> (batch, out, 1, length'); window arguments are integers.

    A Program holds signals as images of height 1, so the layer does too.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0,
                 dilation: int = 1, *, pad_value: float = 0.0, pool: int = 0, shift: float = 0.0,
                 shift_unit: float = 1.0, noise: EmbeddingNoise | None = None):  # fmt: skip
        super().__init__(in_channels, out_channels, (1, kernel_size), (1, stride), (0, padding), (1, dilation),
                         pad_value=pad_value, pool=(1, pool) if pool else 0, shift=shift, shift_unit=shift_unit,
                         noise=noise)  # fmt: skip


@lower.register
def _(layer: CosineLinear, x):
    return x.cosines(layer, 0.0)


@lower.register
def _(layer: CosineConv2d, x):
    codes = x.cosines(layer, layer.pad_value)
    return codes.max_pool2d(pair(layer.pool), pair(layer.pool), (0, 0)) if layer.pool else codes
