"""The window of a convolution, read off torch's layer."""

from dataclasses import dataclass

from torch import nn

from bitwright.ir import ProgramError
from bitwright.ir.windows import four, pair


@dataclass(frozen=True)
class Window:
    """Pairs are (h, w); padding is (top, bottom, left, right); pad_value is a real number, in the input's unit."""

    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]
    groups: int
    pad_value: float


def window_of(layer: nn.Conv2d, pad_value: float) -> Window:
    """The window of a convolution. Raises ProgramError for a padding mode that a Program cannot say."""
    if layer.padding_mode != "zeros":
        raise ProgramError(
            f"padding_mode {layer.padding_mode!r}; a Program pads with one number, use 'zeros' and pad_value"
        )
    dilation = pair(layer.dilation)  # type: ignore[arg-type]
    if layer.padding == "same":
        sides = [
            (d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(layer.kernel_size, dilation, strict=True)
        ]
        padding = (*sides[0], *sides[1])
    else:
        padding = four(0 if layer.padding == "valid" else pair(layer.padding))  # type: ignore[arg-type]
    return Window(pair(layer.stride), padding, dilation, layer.groups, pad_value)  # type: ignore[arg-type]
