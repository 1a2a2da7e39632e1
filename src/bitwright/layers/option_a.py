"""The shortcut without weights where a residual network changes its size.

Source: He et al. 2016, arXiv:1512.03385, option A of section 3.3.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import lower


class OptionA(nn.Module):
    """x (batch, channels, H, W) -> every stride-th pixel, between zero channels: (batch, out, H', W').

    Half of the channels that are new come before, the rest after. Raises ValueError if out is less than channels.
    """

    def __init__(self, channels: int, out: int, stride: int = 2):
        super().__init__()
        if out < channels:
            raise ValueError(f"OptionA: {channels} channels to {out}; it only adds channels")
        self.stride, self.before, self.after = stride, (out - channels) // 2, (out - channels + 1) // 2

    def forward(self, x: Tensor) -> Tensor:
        return self.pad(x[:, :, :: self.stride, :: self.stride])

    def pad(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, self.before, self.after))


@lower.register
def _(layer: OptionA, x):
    picked = x.max_pool2d((1, 1), (layer.stride, layer.stride), (0, 0)).on_grid("shortcut with new channels")
    emitter, value = picked.emitter, picked.value
    padded = emitter.builder.pad(value, (layer.before, layer.after))
    return replace(picked, value=emitter.emit(padded, [value], layer.pad))
