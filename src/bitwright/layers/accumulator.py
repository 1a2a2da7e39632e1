"""Narrow accumulators: sums of signs that wrap around in 8 bits, as attribute of a layer, and how often they do.

Modular arithmetic is the same in any order, so a Program computes exactly what the layer does. "wrap8" keeps the sum
modulo 256 in -128..127; "wrap8_half" keeps floor(sum / 2) so, which reaches twice as far (a sum of n signs has n's
parity, except where masked padding leaves some out).
"""

import fnmatch
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

ACCUMULATORS = ("int32", "wrap8", "wrap8_half")
RANGES = {"int32": (-(1 << 31), (1 << 31) - 1), "wrap8": (-128, 127), "wrap8_half": (-256, 255)}  # of sums that fit


def wrap(total: Tensor, accumulator: str) -> Tensor:
    """What the accumulator makes of the sums, in the sums' own unit: float, any shape, gradient straight through."""
    if accumulator == "int32":
        return total
    sums = total.detach()
    if accumulator == "wrap8_half":
        kept = 2 * (torch.remainder(torch.floor(sums / 2) + 128, 256) - 128)
    else:
        kept = torch.remainder(sums + 128, 256) - 128
    return kept if not total.requires_grad else total + (kept - sums)


def outside(total: Tensor, accumulator: str) -> Tensor:
    """bool: where a sum does not fit and wraps."""
    low, high = RANGES[accumulator]
    return (total < low) | (total > high)


def excess(total: Tensor, accumulator: str) -> Tensor:
    """Mean square of what sums exceed their accumulator's range by, in units of its reach; a number, with gradient.

    The wrapped sum is a sawtooth, whose slope of 1 says nothing of the jump; as a penalty this keeps sums off it.
    """
    low, high = RANGES[accumulator]
    beyond = (total - high).clamp_min(0) + (low - total).clamp_min(0)
    return (beyond / high).square().mean()


@contextmanager
def excess_watched(model: nn.Module) -> Iterator[list[Tensor]]:
    """Inside, each forward pass in training adds every narrow layer's `excess` to the list; whoever reads clears it."""
    found: list[Tensor] = []
    layers = list(_binary_layers(model).values())
    for layer in layers:
        layer.excesses = found  # type: ignore[assignment]
    try:
        yield found
    finally:
        for layer in layers:
            layer.excesses = None  # type: ignore[assignment]


def _binary_layers(model: nn.Module) -> dict[str, nn.Module]:
    return {name: layer for name, layer in model.named_modules() if hasattr(layer, "set_accumulator")}


@torch.no_grad()
def set_accumulator(model: nn.Module, accumulator: str, x: Tensor, keep: Sequence[str] = ()) -> list[str]:
    """Gives every binary layer whose inputs are signs this accumulator; the names of those layers.

    x: samples as the model eats them, float; one eval pass shows which layers see signs. keep: names or shell patterns
    ("head") that stay int32. Raises ValueError for another accumulator.
    """
    if accumulator not in ACCUMULATORS:
        raise ValueError(f"accumulator: no {accumulator!r}; choose one of {', '.join(ACCUMULATORS)}")
    inputs = _watched(model, x, lambda layer, value, total: bool((value.abs() == 1).all()))
    chosen = [name for name, signs in inputs.items() if signs and not any(fnmatch.fnmatch(name, k) for k in keep)]
    for name in chosen:
        _binary_layers(model)[name].set_accumulator(accumulator)  # type: ignore[operator]
    return chosen


@torch.no_grad()
def overflow_rates(model: nn.Module, x: Tensor) -> dict[str, float]:
    """Share of each narrow layer's sums on x that wrap around, in eval, by layer name."""
    return _watched(
        model, x, lambda layer, value, total: float(outside(total, layer.accumulator).double().mean()),
        lambda layer: layer.accumulator != "int32",
    )  # fmt: skip


def _watched(model: nn.Module, x: Tensor, look, wanted=lambda layer: True) -> dict:
    """look(layer, its input, its sums before wrapping) of each binary layer in one eval pass; the mode is put back."""
    found, was_training = {}, model.training
    layers = {name: layer for name, layer in _binary_layers(model).items() if wanted(layer)}
    model.eval()
    try:
        for name, layer in layers.items():
            note = lambda value, total, name=name, layer=layer: found.update({name: look(layer, value, total)})  # noqa: E731
            layer.watch = note  # type: ignore[assignment]
        model(x)
    finally:
        for layer in layers.values():
            layer.watch = None  # type: ignore[assignment]
        model.train(was_training)
    return found
