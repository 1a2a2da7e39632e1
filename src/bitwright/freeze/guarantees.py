"""How long codes must be: bounds that hold with a stated probability, for a layer and for a whole RASU network.

One layer. N independent rows make N independent signs whose mean is z, so by Hoeffding's inequality and a union over
O outputs and M inputs all errors are at most eps with probability 1 - delta if N >= (2 / eps^2) ln(2 O M / delta).
A network. If a layer's values are off by at most e, the next layer's input of p values and length |y| turns by at most
arcsin(sqrt(p) e / |y|), and z, which is linear in the angle, moves by 2/pi of that. Rows are drawn anew in every layer.
Rademacher rows have another mean than z, whatever N: the difference is measured, with a confidence, and joins eps.
Source: Hoeffding 1963, JASA 58; the rest is worked out here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bitwright.bits.generator import rademacher_rows
from bitwright.data.progress import Progress
from bitwright.freeze.embedding import Dimensions, checked_lengths
from bitwright.layers import RASU, TASU, CosineConv2d, CosineLinear

MEASURED_ROWS = 1 << 16  # rows that a mean of Rademacher signs is measured with
MEASURED_PAIRS = 4096
CosineLayer = CosineLinear | CosineConv2d
Layers = list[tuple[str, CosineLayer, Tensor, float]]  # name, layer, its inputs (M, p), alpha of the RASU before


@dataclass(frozen=True)
class LayerBound:
    """One cosine layer. eps: bound on |estimate - z| of its own codes; error: with what the layers before bring.

    n_outputs, n_inputs: O and M of the union. bias: part of eps that no length removes. shortest: smallest input |y|.
    """

    name: str
    hyperdimensions: int
    eps: float
    error: float
    n_outputs: int
    n_inputs: int
    bias: float
    shortest: float


def hoeffding(eps: float, delta: float, n_estimates: int) -> int:
    """Smallest N with all n_estimates means of N signs within eps with probability 1 - delta, after Hoeffding."""
    return math.ceil(2 / eps**2 * math.log(2 * n_estimates / delta))


def hoeffding_error(n: int, delta: float, n_estimates: int) -> float:
    """The eps that N = n signs reach."""
    return math.sqrt(2 / n * math.log(2 * n_estimates / delta))


def required_hyperdimensions(
    model: nn.Module, data: np.ndarray, eps: float, delta: float, projection: str = "gaussian", scope: str = "layer"
) -> list[LayerBound]:
    """A length for each cosine layer, in order, that holds on `data` with probability 1 - delta over the rows.

    scope "layer": every layer, given its own input, is within eps of its z everywhere. "network": the last layer's z
    are within eps of the float model's, all errors before it included; activations must not be rounded, so freeze with
    activation_bits=16 (exact up to 65,535). data: samples as the model eats them.
    projection: "gaussian", or "rademacher", whose measured bias joins in. Raises ValueError for others (their rows
    depend on each other), for an eps the bias does not leave room for, and for a network with other activations than
    RASU (a sign has no bound of this kind: scope="layer"), or with an input of zeros before a later layer (it has no
    direction, so a small error may turn it anyhow); TypeError for data that is no array.
    """
    if not 0 < eps < 2:
        raise ValueError(f"required_hyperdimensions: eps is {eps}, expected a number in (0, 2)")
    seen = _layers_of("required_hyperdimensions", model, data, delta, projection, scope)
    share, biases = _shares(seen, delta, projection)
    own, error = [0.0] * len(seen), [0.0] * len(seen)
    wanted = eps
    for i in reversed(range(len(seen))):
        error[i] = wanted if scope == "network" else eps
        own[i] = wanted / 2 if scope == "network" and i else error[i]
        if i and scope == "network":
            _, _, rows, factor = seen[i]
            shortest, p = _shortest(rows), rows.shape[1]
            if not shortest:
                raise ValueError(
                    f"required_hyperdimensions: {seen[i][0]} reads nothing but zeros at some place, which have no "
                    "direction, so no length bounds the network; use scope='layer', or leave such samples out"
                )
            wanted = math.sin(math.pi / 2 * min(wanted / 2, 1.0)) * shortest / (factor * math.sqrt(p))
    bounds = []
    for i, (name, layer, rows, _) in enumerate(seen):
        room = own[i] - biases[i]
        if room <= 0:
            raise ValueError(
                f"required_hyperdimensions: {name}: the bias of Rademacher rows may be {biases[i]:.3g}, no length "
                f"brings the error below it; eps is {own[i]:.3g}; use projection='gaussian' or a larger eps"
            )
        outputs = layer.weight.shape[0]
        n = hoeffding(room, share, outputs * len(rows))
        bounds.append(LayerBound(name, n, own[i], error[i], outputs, len(rows), biases[i], _shortest(rows)))
    return bounds


def guaranteed_errors(
    model: nn.Module, data: np.ndarray, hyperdimensions: Dimensions, delta: float, projection: str = "gaussian",
    scope: str = "layer",
) -> list[LayerBound]:  # fmt: skip
    """The other way round: what codes of these lengths promise on `data` with probability 1 - delta, layer by layer.

    hyperdimensions: one for all cosine layers, one for each in order, or by name. An error of 2 is no promise: z and
    its estimate lie within -1 and 1. Of a network that is the rule at practical lengths, for each layer may turn all of
    its error into the direction that hurts the next one most. The rest as in `required_hyperdimensions`, errors too.
    """
    seen = _layers_of("guaranteed_errors", model, data, delta, projection, scope)
    lengths = _lengths_for([name for name, *_ in seen], hyperdimensions)
    share, biases = _shares(seen, delta, projection)
    bounds: list[LayerBound] = []
    for i, (name, layer, rows, factor) in enumerate(seen):
        n, outputs, shortest = lengths[i], layer.weight.shape[0], _shortest(rows)
        own = error = min(2.0, hoeffding_error(n, share, outputs * len(rows)) + biases[i])
        if scope == "network" and bounds:
            off = factor * math.sqrt(rows.shape[1]) * bounds[-1].error  # length of what is added to the input
            error = min(2.0, own + 2 / math.pi * math.asin(off / shortest)) if off < shortest else 2.0
        bounds.append(LayerBound(name, n, own, error, outputs, len(rows), biases[i], shortest))
    return bounds


def _lengths_for(names: Sequence[str], hyperdimensions: Dimensions) -> list[int]:
    """One for each of the layers, in order."""
    given = checked_lengths(hyperdimensions)
    if isinstance(given, int):
        return [given] * len(names)
    if set(given) != set(names) if isinstance(given, Mapping) else len(given) != len(names):
        raise ValueError(
            f"guaranteed_errors: hyperdimensions {given} do not fit the cosine layers {', '.join(names)}; give one "
            "number, one for each in order, or one for each by name"
        )
    return [given[name] for name in names] if isinstance(given, Mapping) else list(given)


def _layers_of(who: str, model: nn.Module, data: np.ndarray, delta: float, projection: str, scope: str) -> Layers:
    if projection not in ("gaussian", "rademacher"):
        raise ValueError(f"{who}: rows of {projection!r} are not independent; bound 'gaussian' ones")
    if scope not in ("layer", "network") or not 0 < delta < 1:
        raise ValueError(
            f"{who}: scope={scope!r}, delta={delta}; scope is 'layer' or 'network', delta a number in (0, 1)"
        )
    seen = _inputs_of(model, _checked(who, model, data))
    if not seen:
        raise ValueError(f"{who}: the model has no cosine layer")
    if scope == "network" and any(isinstance(m, TASU) for m in model.modules()):
        raise ValueError(f"{who}: TASU's sign has no bound over a network; use scope='layer'")
    return seen


def _shares(seen: Layers, delta: float, projection: str) -> tuple[float, list[float]]:
    """(probability that a layer's codes may fail with, the layers' biases, measured with as much again)."""
    share = delta / len(seen)
    if projection != "rademacher":
        return share, [0.0] * len(seen)
    return share / 2, [measured_bias(layer, rows, share / 2) for _, layer, rows, _ in seen]


def _checked(who: str, model: nn.Module, data: np.ndarray) -> np.ndarray:
    if not isinstance(data, np.ndarray):
        raise TypeError(f"{who}: data is {type(data).__name__}, expected an array of samples such as x_val[:200]")
    shape = tuple(getattr(model, "input_shape", data.shape[1:]))
    if not len(data) or data.shape[1:] != shape:
        raise ValueError(f"{who}: data is {data.shape}, expected (samples, {str(shape)[1:-1]})")
    return data


def measured_bias(layer: CosineLayer, rows: Tensor, delta: float, seed: int = 0) -> float:
    """Largest |mean of Rademacher agreements - z| among pairs of the layer's weights and `rows` (M, p), as measured on
    MEASURED_ROWS rows, plus what the measurement may be off by with probability delta.

    At most MEASURED_PAIRS inputs are taken, those with the fewest large entries, where the bias is.
    """
    weight = layer.weight.detach().double().flatten(1)
    spread = rows.abs().amax(1) / rows.norm(dim=1).clamp_min(1e-30)
    chosen = rows[spread.argsort(descending=True)[: max(1, MEASURED_PAIRS // len(weight))]].double()
    z = 2 / math.pi * torch.asin((F.normalize(chosen) @ F.normalize(weight).T).clamp(-1, 1))
    total, step = torch.zeros_like(z), 4096
    with Progress("bias of Rademacher rows", MEASURED_ROWS) as bar:
        for first in range(0, MEASURED_ROWS, step):
            signs = torch.from_numpy(rademacher_rows(seed, 0x6269, step, rows.shape[1], first_row=first)).double()
            total += _signs(chosen @ signs.T) @ _signs(weight @ signs.T).T
            bar.advance(step)
    worst = float((total / MEASURED_ROWS - z).abs().max())
    return worst + hoeffding_error(MEASURED_ROWS, delta, z.numel())


def _signs(x: Tensor) -> Tensor:
    return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)


def _shortest(rows: Tensor) -> float:
    return float(rows.norm(dim=1).min())


def _inputs_of(model: nn.Module, data: np.ndarray) -> Layers:
    """Of every cosine layer; inputs or patches with their shift."""
    found: Layers = []
    state = {"alpha": 1.0}

    def hook(name: str):
        def record(module: nn.Module, args: Sequence[Tensor]) -> None:
            if isinstance(module, RASU):
                state["alpha"] = float(module.log_alpha.exp())
                return
            assert isinstance(module, CosineLinear | CosineConv2d)
            found.append((name, module, _vectors(module, args[0]), state["alpha"]))
            state["alpha"] = 1.0

        return record

    kinds = (CosineLinear, CosineConv2d, RASU)
    hooks = [m.register_forward_pre_hook(hook(n)) for n, m in model.named_modules() if isinstance(m, kinds)]
    was_training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.from_numpy(np.ascontiguousarray(data)).float())
    finally:
        model.train(was_training)
        for each in hooks:
            each.remove()
    return found


def _vectors(layer: CosineLayer, x: Tensor) -> Tensor:
    if isinstance(layer, CosineConv2d):
        padded = F.pad(x, layer._reversed_padding_repeated_twice, value=layer.pad_value)
        x = F.unfold(padded, layer.kernel_size, layer.dilation, 0, layer.stride).transpose(1, 2).flatten(0, 1)  # type: ignore[arg-type]
    return x.flatten(0, -2) + layer.input_shift()
