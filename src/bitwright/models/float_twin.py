"""The float twin: a binary model's architecture with real weights and Hardtanh or ReLU activations.

It is what accuracy and speed of a binary model are compared with.
"""

import copy
from collections.abc import Callable

import torch
from torch import nn

from ..layers import BinaryConv2d, BinaryLinear, RSign, Sign

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "hardtanh": nn.Hardtanh}


def _conv(layer: BinaryConv2d) -> nn.Conv2d:
    return nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation,  # type: ignore[arg-type]
        layer.groups, False, layer.padding_mode,
    )  # fmt: skip


def _twin_of(layer: nn.Module, activation: str) -> nn.Module | None:
    if isinstance(layer, BinaryLinear):
        return nn.Linear(layer.in_features, layer.out_features, bias=False)
    if isinstance(layer, BinaryConv2d):
        return _conv(layer)
    if isinstance(layer, Sign):
        return ACTIVATIONS[activation]()
    if isinstance(layer, RSign):
        return nn.Identity()
    return None


def _replace(module: nn.Module, activation: str) -> None:
    for name, child in module.named_children():
        twin = _twin_of(child, activation)
        if twin is None:
            _replace(child, activation)
        else:
            setattr(module, name, twin)


def float_twin(model: nn.Module, activation: str = "relu", seed: int | None = None) -> nn.Module:
    """A new model, same names and shapes, freshly initialised: BinaryLinear -> Linear, BinaryConv2d -> Conv2d, Sign ->
    the activation ("relu" or "hardtanh"), RSign -> Identity (its RPReLU stays the nonlinearity). Pads become zeros.

    `model` is left as it is. seed: of the initial weights; None takes torch's global generator. Raises ValueError for
    another activation.
    """
    if seed is not None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return float_twin(model, activation)
    if activation not in ACTIVATIONS:
        raise ValueError(f"float_twin: no activation {activation!r}; choose one of {', '.join(ACTIVATIONS)}")
    whole = _twin_of(model, activation)
    if whole is not None:
        return whole
    twin = copy.deepcopy(model)
    _replace(twin, activation)
    for module in twin.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_parameters()
    return twin
