"""Drop-in linear and convolution layers whose weights are -1 or +1.

The layer keeps a real latent weight, the optimizer moves it, and the forward pass uses its quantizer's value. Eval
forward is the rounded integer sum (when the input is integral), then one multiplication by the scale, so that no
algorithm behind a convolution (Winograd, blocking) can leak a fraction into the sum.
Source: Courbariaux et al. 2015 (BinaryConnect), arXiv:1511.00363; Hubara et al. 2016, arXiv:1602.02830.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import lower
from ..quantizers import Quantizer, QuantizerPair, hard_sign, make_quantizer
from .scale import Scale

Size = int | tuple[int, ...]
QuantizerLike = str | QuantizerPair | Quantizer
PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def exact_sum(total: Tensor, x: Tensor) -> Tensor:
    """total rounded to the integer it stands for, if every entry of x is an integer; else total as it is."""
    return total.round() if bool((x == x.round()).all()) else total


class _BinaryWeights:
    """What both layers share. `weight` is the latent weight, clipped to [-1, 1] by the training loop."""

    weight: nn.Parameter
    scale: Scale

    def _binary_setup(self, weight_quantizer: QuantizerLike, scale: str | float, input_quantizer) -> None:
        self.weight_quantizer = make_quantizer(weight_quantizer)
        self.scale = Scale(scale, self.weight.shape[0])
        self.input_quantizer = None if input_quantizer is None else make_quantizer(input_quantizer)

    def binary_weight(self) -> Tensor:
        """The weight that ships: -1 or +1, in the latent weight's shape and dtype, without gradient."""
        return hard_sign(self.weight.detach())

    def scale_factor(self) -> Tensor | None:
        """The factor behind the sum: positive, a scalar or (out,); None means 1."""
        return self.scale.factor(self.weight)


def _no_bias(bias: bool, who: str) -> None:
    if bias:
        raise ValueError(f"{who}: bias=True would leave the integers; put a BatchNorm after the layer instead")


class BinaryLinear(_BinaryWeights, nn.Linear):
    """x (*, in_features) float -> (*, out_features): the sum of +-x over the inputs, times the scale.

    weight_quantizer, input_quantizer: a name of QUANTIZERS, a QuantizerPair or None (inputs as they come).
    scale: "none" | "tensor" | "channel" | "learned" | a positive number.
    bias: only torch's place in the signature; True raises ValueError.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = False, *,
                 weight_quantizer: QuantizerLike = "ste", scale: str | float = "none",
                 input_quantizer: QuantizerLike | None = None, device=None, dtype=None):  # fmt: skip
        _no_bias(bias, "BinaryLinear")
        super().__init__(in_features, out_features, bias=False, device=device, dtype=dtype)
        self._binary_setup(weight_quantizer, scale, input_quantizer)

    def forward(self, input: Tensor) -> Tensor:
        x = input if self.input_quantizer is None else self.input_quantizer(input)
        total = F.linear(x, self.weight_quantizer(self.weight))
        if not self.training:
            total = exact_sum(total, x)
        factor = self.scale_factor()
        return total if factor is None else total * factor


class BinaryConv2d(_BinaryWeights, nn.Conv2d):
    """x (batch, in, height, width) float -> (batch, out, height', width'): sums of +-x over windows, times the scale.

    Constructor as torch's (without a bias), and `pad_value`: what lies beyond the border when padding_mode is "zeros".
    On sign inputs 0 leaves the padded places out of the sum; +1 and -1 are the values a bit can hold.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: str | Size = 0, dilation: Size = 1, groups: int = 1, bias: bool = False,
                 padding_mode: str = "zeros", *, pad_value: float = 0.0,
                 weight_quantizer: QuantizerLike = "ste", scale: str | float = "none",
                 input_quantizer: QuantizerLike | None = None, device=None, dtype=None):  # fmt: skip
        _no_bias(bias, "BinaryConv2d")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, False,  # type: ignore
                         padding_mode, device=device, dtype=dtype)  # type: ignore  # fmt: skip
        self.pad_value = float(pad_value)
        self._binary_setup(weight_quantizer, scale, input_quantizer)

    def forward(self, input: Tensor) -> Tensor:
        x = input if self.input_quantizer is None else self.input_quantizer(input)
        weight = self.weight_quantizer(self.weight)
        if self.padding_mode == "zeros" and self.pad_value == 0:
            total = F.conv2d(x, weight, None, self.stride, self.padding, self.dilation, self.groups)
        else:
            value = self.pad_value if self.padding_mode == "zeros" else None
            sides = self._reversed_padding_repeated_twice
            padded = F.pad(x, sides, mode=PAD_MODES[self.padding_mode], value=value)
            total = F.conv2d(padded, weight, None, self.stride, 0, self.dilation, self.groups)
        if not self.training:
            total = exact_sum(total, x)
        factor = self.scale_factor()
        return total if factor is None else total * factor.reshape(-1, 1, 1)


@lower.register
def _(layer: BinaryLinear, x):
    x = x if layer.input_quantizer is None else x.sign()
    return x.sums(layer.binary_weight().numpy(), "bit").scale(layer.scale_factor())


@lower.register
def _(layer: BinaryConv2d, x):
    x = x if layer.input_quantizer is None else x.sign()
    return x.conv2d_sums(layer, layer.binary_weight().numpy(), "bit", layer.pad_value).scale(layer.scale_factor())
