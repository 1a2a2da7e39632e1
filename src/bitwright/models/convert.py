"""A float model made binary, layer by layer, with the names of its parts kept."""

import copy
import fnmatch
from collections.abc import Sequence

import torch
from torch import nn

from ..layers import BinaryConv2d, BinaryLinear, Sign


def _binary_linear(layer: nn.Linear) -> BinaryLinear:
    return BinaryLinear(layer.in_features, layer.out_features, weight_quantizer="identity")


def _binary_conv(layer: nn.Conv2d) -> BinaryConv2d:
    return BinaryConv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation,
        layer.groups, padding_mode=layer.padding_mode, weight_quantizer="identity",
    )  # fmt: skip


def _converted(name: str, layer: nn.Module) -> nn.Module | None:
    if isinstance(layer, BinaryLinear | BinaryConv2d):
        return None
    if isinstance(layer, nn.Linear | nn.Conv2d):
        if type(layer) not in (nn.Linear, nn.Conv2d):
            raise ValueError(f"convert: {name} is a {type(layer).__name__}, not plain torch; name it in keep=[...]")
        new = _binary_linear(layer) if isinstance(layer, nn.Linear) else _binary_conv(layer)
        with torch.no_grad():
            reach = layer.weight.abs().max().clamp_min(1e-12)
            new.weight.copy_(layer.weight / reach)  # latent weights live in [-1, 1]; only signs and order matter
        return new
    if isinstance(layer, nn.ReLU | nn.Hardtanh):
        return Sign()
    return None


def convert(model: nn.Module, keep: Sequence[str] = ()) -> nn.Module:
    """A copy of `model`: Linear -> BinaryLinear, Conv2d -> BinaryConv2d (both without bias), ReLU, Hardtanh -> Sign.

    keep: names as in named_modules(), or shell patterns ("head", "stem.*"), that stay as they are, with what is in
    them. Latent weights start from the float weights over their largest size; a bias is dropped, so a batch norm after
    the layer should shift; then train (or fine-tune) as usual. The copy has the mode and device of `model`.
    Raises ValueError for a name in `keep` that the model lacks, or a model in which nothing becomes binary.
    """
    names = [name for name, _ in model.named_modules() if name]
    for wanted in keep:
        if not fnmatch.filter(names, wanted):
            raise ValueError(f"convert: keep names {wanted!r}, which the model lacks; its modules: {', '.join(names)}")
    binary = copy.deepcopy(model)
    found = _walk(binary, "", keep)
    if not found:
        raise ValueError("convert: no Linear or Conv2d outside `keep`, so nothing would become binary")
    first = next(model.parameters())
    return binary.to(first.device).train(model.training)


def _walk(module: nn.Module, prefix: str, keep: Sequence[str]) -> int:
    found = 0
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        if any(fnmatch.fnmatch(path, wanted) for wanted in keep):
            continue
        new = _converted(path, child)
        if new is None:
            found += _walk(child, f"{path}.", keep)
        else:
            setattr(module, name, new)
            found += not isinstance(new, Sign)
    return found
