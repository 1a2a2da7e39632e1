"""Gradients kept in the memory layout of the images they belong to.

Channels come last in memory while training. Behind a global average, a flattening or zero channels PyTorch lays the
gradient out with channels first, and every layer before it would mix both layouts, which is slow.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, channels_last, nn

from ..layers import OptionA

FORGETFUL = (nn.AdaptiveAvgPool2d, nn.Flatten, OptionA)  # layers behind which it would get lost


@contextmanager
def layout_kept(model: nn.Module) -> Iterator[None]:
    """Within it gradients leave the layers of FORGETFUL in the layout of those layers' inputs, the same values."""
    hooks = [layer.register_forward_pre_hook(_watch) for layer in model.modules() if isinstance(layer, FORGETFUL)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _watch(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    x = inputs[0]
    if x.dim() == 4 and x.requires_grad and x.is_contiguous(memory_format=channels_last):
        x.register_hook(lambda grad: grad.contiguous(memory_format=channels_last))
