"""Drop-in linear and convolution layers whose weights are -1 or +1.

The layer keeps a real latent weight, the optimizer moves it, and the forward pass uses its quantizer's value. Eval
forward is the rounded integer sum (when the input is integral), then one multiplication by the scale, so that no
algorithm behind a convolution (Winograd, blocking) can leak a fraction into the sum.
Source: Courbariaux et al. 2015 (BinaryConnect), arXiv:1511.00363; Hubara et al. 2016, arXiv:1602.02830.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import ProgramError, lower
from ..quantizers import Quantizer, QuantizerPair, make_quantizer
from ..quantizers.numbers import read_number
from .accumulator import ACCUMULATORS, excess, wrap
from .scale import Scale

Size = int | tuple[int, ...]
QuantizerLike = str | Mapping[str, Any] | QuantizerPair | Quantizer
PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def exact_sum(total: Tensor, x: Tensor) -> Tensor:
    """total rounded to the integer it stands for, if every entry of x is an integer; else total as it is."""
    return total.round() if bool((x == x.round()).all()) else total


class _BinaryWeights:
    """What both layers share. `weight` is the latent weight, clipped to [-1, 1] by the training loop."""

    weight: nn.Parameter
    scale: Scale
    weight_quantizer: Quantizer | None
    excesses: list[Tensor] | None  # where a narrow layer says by how much sums left its range; accumulator.py
    watch: Callable[[Tensor, Tensor], None] | None  # sees inputs and sums before they wrap; see accumulator.py

    def _binary_setup(self, weight_quantizer: QuantizerLike | None, scale: str | float, input_quantizer) -> None:
        fan_in = self.weight[0].numel()
        if weight_quantizer is None or weight_quantizer == "real":
            self.weight_quantizer, scale = None, "none"
        else:
            self.weight_quantizer = make_quantizer(weight_quantizer, fan_in, axis=0)
        self.scale = Scale(scale, self.weight.shape[0])
        channels = self.weight.shape[1] * int(getattr(self, "groups", 1))
        self.input_quantizer = None if input_quantizer is None else make_quantizer(input_quantizer, channels, axis=1)
        self.watch = self.excesses = None

    def set_accumulator(self, accumulator: str) -> None:
        """How sums are kept: "int32", "wrap8" or "wrap8_half" (accumulator.py); the last two want signs as inputs.

        A narrow one is a buffer, saved with the weights. Raises ValueError for another name.
        """
        if accumulator not in ACCUMULATORS:
            raise ValueError(f"accumulator: no {accumulator!r}; choose one of {', '.join(ACCUMULATORS)}")
        code = torch.tensor(ACCUMULATORS.index(accumulator), dtype=torch.int8)
        if accumulator == "int32":
            self._buffers.pop("accumulator_code", None)  # type: ignore[attr-defined]
        else:
            self.register_buffer("accumulator_code", code)  # type: ignore[attr-defined]

    @property
    def accumulator(self) -> str:
        if self._buffers.get("accumulator_code") is None:  # type: ignore[attr-defined]
            return "int32"
        return ACCUMULATORS[read_number(self, "accumulator_code")]  # type: ignore[arg-type]

    def used_weight(self) -> Tensor:
        """The weight of the forward pass, before the scale: the quantizer's value, or the latent one without it."""
        if self.weight_quantizer is None:
            return self.weight
        used = self.weight_quantizer(self.weight)
        if self.scale.straight and used.requires_grad:
            factor = cast(Tensor, self.scale_factor())
            used.register_hook(lambda grad: grad / factor.reshape(-1, *[1] * (grad.dim() - 1)))
        return used

    def binary_weight(self) -> Tensor:
        """The weight that ships: -1 or +1, in the latent weight's shape and dtype, without gradient.

        Raises ProgramError for a layer without a weight quantizer.
        """
        if self.weight_quantizer is None:
            raise ProgramError("its weights are real (weight_quantizer=None, a first stage); train the second stage")
        return self.weight_quantizer.signs(self.weight)

    def scale_factor(self) -> Tensor | None:
        """The factor behind the sum: positive, a scalar or (out,); None means 1."""
        quantizer = self.weight_quantizer
        analytic = self.scale.mode in ("tensor", "channel", "power_of_two")
        return self.scale.factor(quantizer.prepared(self.weight.detach()) if analytic and quantizer else self.weight)

    def weight_offset(self) -> Tensor | None:
        """(out,): what is added to every scaled weight, with scale="two_level"; else None. Without gradient."""
        return self.weight.detach().flatten(1).mean(1) if self.scale.mode == "two_level" else None

    def _finish(self, total: Tensor, plain: Tensor | None, x: Tensor) -> Tensor:
        """total: sums of signed inputs. plain: sums of the inputs themselves, where there is an offset."""
        shape = (-1, *[1] * (total.dim() - 2)) if total.dim() == 4 else (-1,)
        quantizer = self.weight_quantizer
        if not self.training and quantizer is not None and not quantizer.soft:  # type: ignore[attr-defined]
            total = exact_sum(total, x)
            plain = None if plain is None else exact_sum(plain, x)
        if self.watch is not None:
            self.watch(x, total)
        accumulator = self.accumulator
        if accumulator != "int32":
            if self.excesses is not None and self.training:  # type: ignore[attr-defined]
                self.excesses.append(excess(total, accumulator))
            total = wrap(total, accumulator)
        factor, offset = self.scale_factor(), self.weight_offset()
        total = total if factor is None else total * factor.reshape(shape if factor.dim() else ())
        return total if plain is None or offset is None else total + plain * offset.reshape(shape)

    def _scale_in_weights(self, x: Tensor) -> bool:
        """Whether nobody asks for the sums themselves. In half precision they are left exact, and rounded last."""
        seen = self.watch is not None or self.accumulator != "int32"
        return self.training and not seen and not torch.is_autocast_enabled(x.device.type)  # type: ignore[attr-defined]

    def scaled_weight(self) -> Tensor:
        """The weight of the forward pass, times the scale, plus the offset: (out, ...)."""
        used, factor, offset = self.used_weight(), self.scale_factor(), self.weight_offset()
        shape = (-1, *[1] * (used.dim() - 1))
        used = used if factor is None else used * factor.reshape(shape if factor.dim() else ())
        return used if offset is None else used + offset.reshape(shape)

    def ones_weight(self) -> Tensor:
        """All ones in the latent weight's shape: for the sums of inputs an offset multiplies."""
        return torch.ones_like(self.weight, requires_grad=False)


def _no_bias(bias: bool, who: str) -> None:
    if bias:
        raise ValueError(f"{who}: bias=True would leave the integers; put a BatchNorm after the layer instead")


class BinaryLinear(_BinaryWeights, nn.Linear):
    """x (*, in_features) float -> (*, out_features): the sum of +-x over the inputs, times the scale.

    weight_quantizer, input_quantizer: a name of QUANTIZERS, one with options ({"name": "fda", "omega": 0.3}), a
    QuantizerPair or None (inputs as they come; weights real, also written "real", without a scale: a first stage of
    training, which does not freeze).
    scale: "none" | "tensor" | "channel" | "learned" | "power_of_two" | "two_level" | a positive number, or as "tensor"
    and "channel" with another gradient, "tensor_straight" | "channel_straight".
    accumulator: of the sums of signs; see set_accumulator.
    bias: only torch's place in the signature; True raises ValueError.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = False, *,
                 weight_quantizer: QuantizerLike | None = "ste", scale: str | float = "none",
                 input_quantizer: QuantizerLike | None = None, accumulator: str = "int32", device=None,
                 dtype=None):  # fmt: skip
        _no_bias(bias, "BinaryLinear")
        super().__init__(in_features, out_features, bias=False, device=device, dtype=dtype)
        self._binary_setup(weight_quantizer, scale, input_quantizer)
        self.set_accumulator(accumulator)

    def forward(self, input: Tensor) -> Tensor:
        x = input if self.input_quantizer is None else self.input_quantizer(input)
        plain = None if self.weight_offset() is None else F.linear(x, self.ones_weight())
        return self._finish(F.linear(x, self.used_weight()), plain, x)


class BinaryConv2d(_BinaryWeights, nn.Conv2d):
    """x (batch, in, height, width) float -> (batch, out, height', width'): sums of +-x over windows, times the scale.

    Constructor as torch's (without a bias), and `pad_value`: what lies beyond the border when padding_mode is "zeros".
    On sign inputs 0 leaves the padded places out of the sum; +1 and -1 are the values a bit can hold.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: str | Size = 0, dilation: Size = 1, groups: int = 1, bias: bool = False,
                 padding_mode: str = "zeros", *, pad_value: float = 0.0,
                 weight_quantizer: QuantizerLike | None = "ste", scale: str | float = "none",
                 input_quantizer: QuantizerLike | None = None, accumulator: str = "int32", device=None,
                 dtype=None):  # fmt: skip
        _no_bias(bias, "BinaryConv2d")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, False,  # type: ignore
                         padding_mode, device=device, dtype=dtype)  # type: ignore  # fmt: skip
        self.pad_value = float(pad_value)
        self._binary_setup(weight_quantizer, scale, input_quantizer)
        self.set_accumulator(accumulator)

    def forward(self, input: Tensor) -> Tensor:
        x = input if self.input_quantizer is None else self.input_quantizer(input)
        if self._scale_in_weights(x):  # which are few beside sums, so this saves two passes over them
            return self._windows(x, self.scaled_weight())
        total = self._windows(x, self.used_weight())
        return self._finish(total, None if self.weight_offset() is None else self._windows(x, self.ones_weight()), x)

    def _windows(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.padding_mode == "zeros" and self.pad_value == 0:
            return F.conv2d(x, weight, None, self.stride, self.padding, self.dilation, self.groups)
        value = self.pad_value if self.padding_mode == "zeros" else None
        padded = F.pad(x, self._reversed_padding_repeated_twice, mode=PAD_MODES[self.padding_mode], value=value)
        return F.conv2d(padded, weight, None, self.stride, 0, self.dilation, self.groups)


def _scaled(layer: BinaryLinear | BinaryConv2d, x, sums):
    """sums(x, weights) times the scale, plus the plain sums times the offset where there is one."""
    x = x if layer.input_quantizer is None else x.sign()
    total = sums(x, layer.binary_weight().numpy()).scale(layer.scale_factor())
    offset = layer.weight_offset()
    if offset is None:
        return total
    numbers = offset.reshape(-1, 1, 1) if isinstance(layer, BinaryConv2d) else offset
    return total.plus(sums(x, layer.ones_weight().numpy()).affine(lambda v: v * numbers, offset))


@lower.register
def _(layer: BinaryLinear, x):
    return _scaled(layer, x, lambda v, weights: v.sums(weights, "bit", None, layer.accumulator))


@lower.register
def _(layer: BinaryConv2d, x):
    def sums(v, weights):
        return v.conv2d_sums(layer, weights, "bit", layer.pad_value, layer.accumulator)

    return _scaled(layer, x, sums)
