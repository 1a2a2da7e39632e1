"""A length for every layer: from how much each layer's noise moves the scores, and what each row costs.

The mean square error of the scores is nearly sum of s_l / N_l (each layer's estimates have variance (1 - z^2) / N_l,
and small errors add), and the cost is sum of c_l N_l. The least error for a cost is at N_l proportional to
sqrt(s_l / c_l), by Lagrange. s_l is measured: noise of that variance in layer l alone, all else in real numbers.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from bitwright.ir.windows import pair
from bitwright.layers import CosineConv2d, CosineLinear, EmbeddingNoise

PROBE = 512.0  # N at which a layer's noise is measured


@dataclass(frozen=True)
class Sensitivity:
    """One cosine layer. error: mean square error of the scores times N. cost: operations of one row for a sample."""

    name: str
    error: float
    cost: float


def sensitivities(model: nn.Module, x: np.ndarray, repeats: int = 4, seed: int = 0) -> list[Sensitivity]:
    """Of every cosine layer, in order, on samples x (as the model eats them); scores centred over the classes.

    The cost of a row is the one of Hadamard rounds, log2 of the inputs and one an output, at every place.
    Raises ValueError for a model without cosine layers, and without samples.
    """
    layers = [(n, m) for n, m in model.named_modules() if isinstance(m, CosineLinear | CosineConv2d)]
    if not layers:
        raise ValueError("sensitivities: the model has no cosine layer")
    if not len(x):
        raise ValueError("sensitivities: no samples; a few hundred of the validation split do")
    inputs = torch.from_numpy(np.ascontiguousarray(x)).float()
    was_training, places = model.training, {}

    def record(name: str):
        def hook(module: nn.Module, args: object, out: torch.Tensor) -> None:
            pool = pair(getattr(module, "pool", 0) or 1)
            places[name] = math.prod(out.shape[2:]) * math.prod(pool)

        return hook

    hooks = [layer.register_forward_hook(record(name)) for name, layer in layers]
    found = []
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        plain = _centred(model.eval()(inputs))
        for name, layer in layers:
            own, probe = layer.noise, EmbeddingNoise(PROBE).train()
            layer.noise = probe
            errors = [float((_centred(model(inputs)) - plain).square().mean()) for _ in range(repeats)]
            layer.noise = own
            p = layer.weight[0].numel()
            cost = places[name] * (2 * math.ceil(math.log2(max(p, 2))) + layer.weight.shape[0] / 64)
            found.append(Sensitivity(name, PROBE * float(np.mean(errors)), cost))
    for each in hooks:
        each.remove()
    model.train(was_training)
    return found


def allocate_dimensions(
    measured: list[Sensitivity], *, cost: float | None = None, error: float | None = None, longest: int = 0
) -> list[int]:
    """Odd lengths, one a layer: of least error within a cost, or of least cost within a mean square error of scores.

    cost: operations a sample. longest: no layer gets more (0: no limit); what it leaves goes to the others.
    Raises ValueError unless exactly one of cost and error is given, positive, and for an error that no lengths up to
    `longest` have. `dimensions_for_accuracy` takes an accuracy instead.
    """
    if (cost is None) == (error is None) or not (cost or error or 0) > 0:
        raise ValueError(f"allocate_dimensions: cost={cost}, error={error}; give exactly one of them, positive")
    if longest < 0:
        raise ValueError(f"allocate_dimensions: longest is {longest}, expected a length, or 0 for no limit")
    least = sum(layer.error for layer in measured) / longest if longest else 0.0
    if error is not None and error < least:
        raise ValueError(
            f"allocate_dimensions: error is {error:g}; with no layer above {longest} it is {least:g} at least; give a "
            "larger `longest`, or 0"
        )
    free, lengths = list(range(len(measured))), [0.0] * len(measured)
    while free:
        weights = [math.sqrt(measured[i].error / measured[i].cost) for i in free]
        fixed = [i for i in range(len(measured)) if i not in free]
        if cost is not None:
            left = cost - sum(lengths[i] * measured[i].cost for i in fixed)
            scale = left / sum(w * measured[i].cost for w, i in zip(weights, free))
        else:
            assert error is not None
            left = error - sum(measured[i].error / lengths[i] for i in fixed)
            scale = sum(measured[i].error / w for w, i in zip(weights, free)) / max(left, 1e-30)
        for w, i in zip(weights, free):
            lengths[i] = scale * w
        over = [i for i in free if longest and lengths[i] > longest]
        for i in over:
            lengths[i] = float(longest)
        if not over:
            break
        free = [i for i in free if i not in over]
    return [max(1, int(n) - (int(n) % 2 == 0)) for n in lengths]


def _centred(scores: torch.Tensor) -> torch.Tensor:
    return scores - scores.mean(1, keepdim=True)
