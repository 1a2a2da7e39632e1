"""How well a binary network is: what flips, what is dead, how even its signs are, and how far its gradient can be
believed.

One look uses a batch in eval mode, so it moves nothing: no statistics, no random numbers, no schedules.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import BinaryConv2d, BinaryLinear
from ..quantizers import Quantizer

PROBES = 8  # weights of a layer that are flipped one at a time


def entropy(share: Tensor) -> Tensor:
    """Bits of a coin that falls on +1 with this probability: 1 for 1/2, 0 for 0 and 1."""
    p = share.double().clamp(1e-12, 1 - 1e-12)
    return -(p * p.log2() + (1 - p) * (1 - p).log2())


def _weight_layers(model: nn.Module) -> dict[str, BinaryLinear | BinaryConv2d]:
    found = {n: m for n, m in model.named_modules() if isinstance(m, BinaryLinear | BinaryConv2d)}
    return {name: layer for name, layer in found.items() if layer.weight_quantizer is not None}


def _activation_quantizers(model: nn.Module) -> dict[str, Quantizer]:
    """Quantizers that are not a weight's, named after the module around them."""
    of_weights = {id(layer.weight_quantizer) for layer in _weight_layers(model).values()}
    named = {n: m for n, m in model.named_modules() if isinstance(m, Quantizer) and id(m) not in of_weights}
    return {name.removesuffix(".quantizer"): module for name, module in named.items()}


class Health:
    """Looks at one model, epoch after epoch. x: float samples on the model's device; y: their labels."""

    def __init__(self, model: nn.Module, x: Tensor, y: Tensor):
        self.model, self.x, self.y = model, x, y
        self.signs: dict[str, Tensor] = {}

    def look(self) -> dict[str, dict[str, float | None]]:
        """Layer name -> what was seen of it; the model's mode and gradients are put back.

        Of weights: `flip_rate` since the last look (None at the first), `weight_entropy` (bits of the share of +1),
        `gradient_cosine` (see probe). Of activations, a unit being a channel: `dead` share of units with one sign on
        all of x, `saturated` share of units through which no gradient passes on all of x, `sign_entropy` the mean bits.
        """
        was_training = self.model.training
        self.model.eval()
        try:
            seen: dict[str, dict[str, float | None]] = {}
            for name, layer in _weight_layers(self.model).items():
                signs = layer.binary_weight() > 0
                before = self.signs.get(name)
                flips = None if before is None else float((signs != before).double().mean())
                bits = float(entropy(signs.double().mean()))
                seen[name] = {"flip_rate": flips, "weight_entropy": bits, "gradient_cosine": self.probe(layer)}
                self.signs[name] = signs.clone()
            return seen | self._activations()
        finally:
            self.model.train(was_training)

    @torch.no_grad()
    def _activations(self) -> dict[str, dict[str, float | None]]:
        seen, handles = {}, []
        for name, quantizer in _activation_quantizers(self.model).items():

            def note(module: Quantizer, args: tuple[Tensor, ...], out: Tensor, name: str = name) -> None:
                x = module.prepared(args[0])
                axes = [0, *range(2, x.dim())]
                share = (out > 0).double().mean(axes)
                passes = module.pair.backward(x, torch.ones_like(x), **module.values()) != 0
                dead, stuck = ((share == 0) | (share == 1)).double().mean(), (~passes.any(0)).double()
                stuck = stuck.flatten(1).amin(1) if stuck.dim() > 1 else stuck
                seen[name] = {"dead": float(dead), "saturated": float(stuck.mean()),
                              "sign_entropy": float(entropy(share).mean())}  # fmt: skip

            handles.append(quantizer.register_forward_hook(note))
        try:
            self.model(self.x)
        finally:
            for handle in handles:
                handle.remove()
        return seen

    def probe(self, layer: BinaryLinear | BinaryConv2d) -> float | None:
        """Cosine between what the surrogate gradient says of some flips and what the loss does when they are made.

        PROBES weights, evenly spread, are flipped one at a time in the network of signs (finite differences); the
        surrogate's word for flip i is -2 sign_i dL/dw_i. 1 is perfect, 0 no relation; None where either is all zero.
        """
        places = torch.linspace(0, layer.weight.numel() - 1, min(PROBES, layer.weight.numel())).long()
        signs = layer.binary_weight()
        with _gradients(self.model):
            gradient = torch.autograd.grad(self._loss(), layer.weight)[0]
        told = (-2 * signs * gradient).flatten()[places].double()
        with torch.no_grad():
            base, made = self._loss(), []
            for place in places.tolist():
                flipped = signs.clone()
                flipped[torch.unravel_index(torch.tensor(place), flipped.shape)] *= -1  # any memory format
                with _weights(layer, flipped):
                    made.append(float(self._loss() - base))
        done = torch.tensor(made, dtype=torch.float64, device=told.device)
        size = float(told.norm() * done.norm())
        return float(told @ done) / size if size > 0 else None

    def _loss(self) -> Tensor:
        return F.cross_entropy(self.model(self.x).double(), self.y)


@contextmanager
def _gradients(model: nn.Module) -> Iterator[None]:
    """Quantizers and binary layers as in training (they round and pass nothing else), everything else as in eval."""
    kinds = (Quantizer, BinaryLinear, BinaryConv2d)
    modules = [module for module in model.modules() if isinstance(module, kinds)]
    for module in modules:
        module.training = True
    try:
        with torch.enable_grad():
            yield
    finally:
        for module in modules:
            module.training = False


@contextmanager
def _weights(layer: BinaryLinear | BinaryConv2d, weight: Tensor) -> Iterator[None]:
    layer.used_weight = lambda: weight  # type: ignore[method-assign]
    try:
        yield
    finally:
        del layer.used_weight


def health_table(history: Sequence[Mapping[str, Any]]) -> str:
    """The looks of a run in a table: flip rates of the second and the last look, the rest of the last; then warnings.

    history: rows of `fit`, or of metrics.jsonl, made with recipe.health. Raises ValueError if none of them has a look.
    """
    looks = [row["health"] for row in history if row.get("health")]
    if not looks:
        raise ValueError("health_table: no look in this history; train with health = true in the recipe")
    second, last = looks[min(1, len(looks) - 1)], looks[-1]
    columns = ("weight_entropy", "gradient_cosine", "dead", "saturated", "sign_entropy")
    head = ("layer", "flips first", "flips last", *columns)
    lines, warnings = [], []
    for name, seen in last.items():
        flips = [second.get(name, {}).get("flip_rate"), seen.get("flip_rate")]
        cells = [*flips, *(seen.get(column) for column in columns)]
        lines.append((name, *("" if cell is None else f"{cell:.4f}" for cell in cells)))
        if (seen.get("dead") or 0) > 0.2:
            warnings.append(f"{name}: {100 * seen['dead']:.0f} % of its units never change their sign")
        if (seen.get("saturated") or 0) > 0.2:
            warnings.append(f"{name}: no gradient passes {100 * seen['saturated']:.0f} % of its units")
        if flips[1] is not None and flips[1] > 0.05:
            warnings.append(f"{name}: {100 * flips[1]:.1f} % of its weights still flip in an epoch at the end")
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    text = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in [head, *lines]]
    return "\n".join([*text, *warnings])
