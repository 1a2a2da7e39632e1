"""Geometry of windows: output sizes, and the attributes that say them."""

from collections.abc import Mapping

from bitwright.ir.types import ProgramError

Pair = int | tuple[int, int]  # (h, w), or one number for both
Sides = int | tuple[int, ...]  # one number, (h, w), or (top, bottom, left, right)


def pair(value: Pair) -> tuple[int, int]:
    """(h, w) from one number or from a pair."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def four(value: Sides) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) from one number, from (h, w), or from all four."""
    if isinstance(value, int):
        return value, value, value, value
    if len(value) == 2:
        return int(value[0]), int(value[0]), int(value[1]), int(value[1])
    return int(value[0]), int(value[1]), int(value[2]), int(value[3])


def window_attrs(kernel: Pair, stride: Pair = 1, padding: Sides = 0, dilation: Pair | None = None) -> dict[str, int]:
    """Attributes of a window from torch-like arguments; dilation None leaves it out."""
    names = ["kernel_h", "kernel_w", "stride_h", "stride_w", "pad_top", "pad_bottom", "pad_left", "pad_right"]
    attrs = dict(zip(names, (*pair(kernel), *pair(stride), *four(padding)), strict=True))
    if dilation is not None:
        attrs |= dict(zip(("dilation_h", "dilation_w"), pair(dilation), strict=True))
    return attrs


def output_size(attrs: Mapping[str, int], height: int, width: int) -> tuple[int, int]:
    """(H', W') of a window over (H, W). Raises ProgramError for an impossible window."""
    sizes = []
    for size, axis, before, after in ((height, "h", "pad_top", "pad_bottom"), (width, "w", "pad_left", "pad_right")):
        kernel, stride = attrs[f"kernel_{axis}"], attrs[f"stride_{axis}"]
        dilation = attrs.get(f"dilation_{axis}", 1)
        if not (1 <= kernel <= 1 << 15 and 1 <= stride <= 1 << 15 and 1 <= dilation <= 1 << 15):
            raise ProgramError(f"kernel {kernel}, stride {stride}, dilation {dilation}: each must be in 1..32768")
        if not (0 <= attrs[before] <= 1 << 15 and 0 <= attrs[after] <= 1 << 15):
            raise ProgramError(f"padding {attrs[before]}, {attrs[after]}: each must be in 0..32768")
        reach = size + attrs[before] + attrs[after] - dilation * (kernel - 1) - 1
        if reach < 0:
            raise ProgramError(f"a window of {kernel} (dilation {dilation}) does not fit {size} + padding")
        sizes.append(reach // stride + 1)
    return sizes[0], sizes[1]
