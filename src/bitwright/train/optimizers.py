"""The recipe's optimizer: Adam, AdamW or SGD; Bop for the signs beside Adam; a ProxConnect update around any of them.

`[bop]` and `[prox]` are tables of a recipe. Layers whose weights an update moves carry the quantizer "latent", whose
forward is the weight as it stands; what ships is its sign, as everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..layers import BinaryConv2d, BinaryLinear
from ..quantizers import QuantizerPair, hard_sign
from ..quantizers.latent import as_it_is
from ..quantizers.parq import mirrored_sigmoid
from ..quantizers.schedules import geometric, linear
from ..quantizers.swish_sign import swish_sign_slope, swish_sign_value
from ..quantizers.theory import (
    MonotoneMap,
    SmoothMap,
    identity_map,
    piecewise_affine_map,
    sign_map,
    soft_threshold_map,
)
from .bop import Bop, Together
from .proximal import ProxConnect
from .recipe import Recipe


def relax_map(mixture: Callable[[float], float]) -> MonotoneMap:
    """P(w) = (1 - mixture) w + mixture sign(w): Yin et al. 2018 (BinaryRelax), arXiv:1801.06313."""
    return MonotoneMap(lambda w, mixture: w * (1 - mixture) + hard_sign(w) * mixture, {"mixture": mixture})


# [prox] map = NAME: P, each with the schedule of its quantizer in QUANTIZERS; all but "identity" end as the sign.
MAPS: dict[str, Callable[[], MonotoneMap]] = {
    "sign": sign_map,
    "identity": identity_map,
    "soft_threshold": lambda: soft_threshold_map(linear(0.0, 1.0)),
    "piecewise_affine": lambda: piecewise_affine_map(mirrored_sigmoid()),
    "relax": lambda: relax_map(linear(0.0, 1.0)),
}
# [prox] smooth = NAME: T of the update pc++.
SMOOTH: dict[str, Callable[[], SmoothMap | None]] = {
    "none": lambda: None,
    "swish_sign": lambda: SmoothMap(swish_sign_value, swish_sign_slope, {"sharpness": linear(5.0, 30.0)}),
}


# Which pairs may stand where a quantizer is asked for by name.
FITS: dict[str, Callable[[QuantizerPair], bool]] = {
    "latent": lambda pair: pair.forward is as_it_is,
    "identity": lambda pair: pair.forward is hard_sign and pair.prepare is None and not pair.schedules,
}


@dataclass(frozen=True)
class _Split:
    """signs: latent weights of binary layers. others: all other parameters."""

    signs: list[nn.Parameter]
    others: list[nn.Parameter]


def make_optimizer(model: nn.Module, recipe: Recipe) -> Any:
    """What `fit` steps. Raises ValueError where Bop or an update finds no weights of its kind."""
    if recipe.optimizer == "bop":
        split = _split(model, "identity", "optimizer = 'bop'")
        if recipe.prox.update:
            raise ValueError("recipe: optimizer = 'bop' has no latent weights that a [prox] update could move")
        flips = geometric(recipe.bop.gamma, recipe.bop.gamma_end)
        bop = Bop(split.signs, recipe.bop.gamma, recipe.bop.threshold, schedule=flips)
        return Together(bop, _plain(split.others, recipe)) if split.others else bop
    plain = _plain(list(model.parameters()), recipe)
    if not recipe.prox.update:
        return plain
    prox = recipe.prox
    weights = _split(model, "latent", f"[prox] update = {prox.update!r}").signs
    P, T = _named("map", prox.map, MAPS)(), _named("smooth", prox.smooth, SMOOTH)()
    return ProxConnect(plain, weights, prox.update, P, T, accumulate=prox.accumulate, clip=recipe.clip_latent)


def _named(field: str, name: str, table: dict[str, Callable[[], Any]]) -> Callable[[], Any]:
    if name not in table:
        raise ValueError(f"recipe: prox.{field} is {name!r}, expected one of {', '.join(table)}")
    return table[name]


def _split(model: nn.Module, quantizer: str, who: str) -> _Split:
    layers = [m for m in model.modules() if isinstance(m, BinaryLinear | BinaryConv2d)]
    layers = [m for m in layers if m.weight_quantizer is not None]
    if not layers or not all(FITS[quantizer](m.weight_quantizer.pair) for m in layers):  # type: ignore[union-attr]
        raise ValueError(f"recipe: {who} wants binary layers with model_options.weight_quantizer = {quantizer!r}")
    signs = [m.weight for m in layers]
    mine = {id(p) for p in signs}
    return _Split(signs, [p for p in model.parameters() if id(p) not in mine])


def _plain(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Weight decay touches matrices and kernels only: never batch norm, shifts, slopes or scales."""
    matrices = [p for p in parameters if p.dim() > 1]
    vectors = [p for p in parameters if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    fused = all(p.device.type in ("cpu", "cuda") for p in parameters)
    return kind(groups, lr=recipe.lr, fused=fused)
