"""Cosine layers in a Program: both sides of every angle become codes of random signs.

codes of the weights: B[o, n] = sign(G[n] . w[o]), stored; code of an input or patch: sign(G[n] . (x + shift)), by
`project` with one threshold a row, ceil(-shift * sum of the row), exact for any real shift. Their agreement, an integer
in [-N, N], is N times an unbiased estimate of (2/pi) arcsin(cos) for Gaussian rows.
Source: EHD G-Net, NeurIPS 2025, arXiv:2511.21063. Each layer has its own stream of the generator, as independence asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bitwright.freeze.chain import Affine, Clamp, scaling
from bitwright.freeze.projection import PROJECTIONS, Projection
from bitwright.ir import ProgramError, Value
from bitwright.ir.windows import pair

Dimensions = int | Sequence[int] | Mapping[str, int]


@dataclass
class Embedding:
    """How the cosine layers of one model are embedded; counts them as they come.

    hyperdimensions: N for all layers, or one for each in order, or by the layer's name. activation_bits: width that
    RASU's integers are rounded down to before the next projection; far below the noise of a code. Raises ValueError for
    numbers that are no lengths, seeds beyond 64 bits, and unknown choices.
    """

    hyperdimensions: Dimensions
    projection: str = "hadamard"
    rounds: int = 2
    seed: int = 0
    activation_bits: int = 8
    n_layers: int = 0
    names: list[str] = field(default_factory=list, init=False)  # of the layers so far

    def __post_init__(self) -> None:
        self.hyperdimensions = checked_lengths(self.hyperdimensions)
        if not _is_whole(self.seed) or not 0 <= self.seed < 1 << 64:
            raise ValueError(f"freeze: seed is {self.seed!r}, expected a whole number from 0 to 2^64 - 1")
        if self.projection not in PROJECTIONS:
            raise ValueError(f"freeze: no projection {self.projection!r}; choose one of {', '.join(PROJECTIONS)}")
        if not 1 <= self.rounds <= 8:
            raise ValueError(f"freeze: rounds is {self.rounds}, expected 1 to 8")
        if not 2 <= self.activation_bits <= 16:
            raise ValueError(f"freeze: activation_bits is {self.activation_bits}, expected 2 to 16")

    def next_projection(self, name: str, p: int) -> Projection:
        """The projection of the next cosine layer, p numbers wide. Raises ProgramError where N is not given for it."""
        i, given = self.n_layers, self.hyperdimensions
        self.n_layers += 1
        self.names.append(name)
        try:
            n = given[name] if isinstance(given, Mapping) else given[i] if isinstance(given, Sequence) else given
        except (KeyError, IndexError):
            raise ProgramError(f"hyperdimensions {given} have no number for cosine layer {i}, {name!r}") from None
        rounds = self.rounds if self.projection == "hadamard" else 0
        return Projection(self.projection, int(n), p, self.seed, i, rounds)

    def check_all_used(self) -> None:
        """Raises ProgramError for a length that no cosine layer took."""
        given = self.hyperdimensions
        if isinstance(given, Mapping) and (unknown := [name for name in given if name not in self.names]):
            raise ProgramError(f"hyperdimensions name {unknown[0]!r}; cosine layers: {', '.join(self.names) or 'none'}")
        if isinstance(given, Sequence) and len(given) > self.n_layers:
            raise ProgramError(f"hyperdimensions give {len(given)} numbers, cosine layers: {self.n_layers}")

    def describe(self) -> dict[str, Any]:
        """For the Program's header."""
        given = self.hyperdimensions
        n = dict(given) if isinstance(given, Mapping) else list(given) if isinstance(given, Sequence) else given
        rounds = {"rounds": self.rounds} if self.projection == "hadamard" else {}
        return {"hyperdimensions": n, "projection": self.projection, **rounds, "seed": self.seed}


def checked_lengths(given: Any) -> Dimensions:
    """The same lengths as plain integers. Raises ValueError for what is no whole number from 1."""

    def length(n: Any) -> int:
        if not _is_whole(n) or n < 1:
            raise ValueError(
                f"freeze: hyperdimensions {given!r}: {n!r} is no length; give a whole number from 1, such as 2047, or "
                "one for each cosine layer, in order or by name"
            )
        return int(n)

    if isinstance(given, Mapping):
        return {str(name): length(n) for name, n in given.items()}
    if isinstance(given, Sequence | np.ndarray) and not isinstance(given, str | bytes) and np.ndim(given) == 1:
        return [length(n) for n in given]
    return length(given)


def _is_whole(n: Any) -> bool:
    return isinstance(n, Integral) and not isinstance(n, bool)


def embed_cosines(stream: Any, layer: nn.Module, pad_value: float) -> Any:
    """The stream of agreements behind a CosineLinear or CosineConv2d, its chain the scaling by 1 / N."""
    emitter = stream.emitter
    if emitter.embedding is None:
        raise ProgramError("a cosine layer; say how long its codes are: freeze(model, hyperdimensions=2047)")
    weight: Tensor = layer.weight.detach().double().flatten(1)  # type: ignore[union-attr,operator]
    projection = emitter.embedding.next_projection(emitter.layer, weight.shape[1])
    x, unit = _integers(stream, emitter.embedding.activation_bits)
    shift = float(layer.input_shift().detach()) / unit  # type: ignore[operator]
    made = None if projection.kind == "hadamard" else projection.matrix()
    row_sums = projection.apply(torch.ones(projection.p, dtype=torch.float64), made)
    codes = projection.codes(weight, made).numpy()
    edges = None if shift == 0 else torch.ceil(-shift * row_sums).numpy().astype(np.int64)
    bits = _project(emitter, x, layer, pad_value / unit, projection, made, edges)
    total = _agreements(emitter, bits, codes)
    emitter.note(f"{projection.kind} projection to {projection.n_out} signs", "an embedded cosine layer")
    return replace(stream, value=total, chain=(scaling(1.0 / projection.n_out),), zero_one=False)


def _integers(stream: Any, activation_bits: int) -> tuple[Value, float]:
    """Bits as signs, or integers v that stand for unit * v; positive factors and a relu leave directions."""
    if stream.is_signs:
        return stream.value, 1.0
    x, unit, lowest = stream.as_int(), 1.0, None
    for step in x.chain:
        factor = step.scale if isinstance(step, Affine) else None
        if factor is not None:
            unit *= factor
        elif isinstance(step, Clamp) and step.lo == 0 and step.hi == float("inf"):
            lowest = 0
        else:
            x = x.on_grid("cosines of shifted or bent numbers")
            return x.value, 2.0**-x.emitter.fraction_bits
    value, emitter = x.value, x.emitter
    if lowest is None:
        return value, unit
    if value.type.lo < 0:
        value = emitter.clip(value, 0, max(value.type.hi, 0))
    down = 0
    while value.type.hi + (1 << down >> 1) >> down >= 1 << activation_bits:
        down += 1
    if down:
        ones, half = np.ones(value.shape[0], np.int64), np.full(value.shape[0], 1 << down >> 1)
        value = emitter.affine(value, ones, half, ones * down)
    return value, unit * 2.0**down


def _project(emitter, x: Value, layer, pad: float, projection: Projection, made, edges) -> Value:
    """Signs of G . (patch of x + shift), (N,) or (N, H', W')."""
    is_bits = x.type.kind == "bits"
    read = (lambda v: 2 * v - 1) if is_bits else (lambda v: v)
    if isinstance(layer, nn.Conv2d):
        if any(layer.padding) and (pad != round(pad) or (is_bits and abs(pad) != 1)):  # type: ignore[arg-type]
            raise ProgramError(f"pad_value is {pad} of the input's unit; use -1 or 1 on signs, 0 on other numbers")
        x = _patches(emitter, x, layer, (int(pad) + 1) // 2 if is_bits else int(pad))
    limit = 0 if edges is None else torch.from_numpy(edges).double()

    def twin(v: Tensor) -> Tensor:
        sums = projection.apply(read(v).movedim(1, -1), made)
        return (sums >= limit).double().movedim(-1, 1)

    if projection.kind == "orthogonal":
        assert made is not None
        stored = made.numpy().astype(np.int64)
        builder, flat = emitter.builder, len(x.shape) == 1
        sums = builder.int_linear(x, stored, "i16") if flat else builder.int_conv2d(x, stored[:, :, None, None], "i16")
        emitter.emit(sums, [x], lambda v: projection.apply(read(v).movedim(1, -1), made).movedim(-1, 1))
        marks = np.zeros(projection.n_out, np.int64) if edges is None else edges
        spread = marks.reshape(-1, *(1,) * (len(x.shape) - 1))
        return emitter.emit(builder.threshold(sums, marks), [sums], lambda v: (v >= torch.from_numpy(spread)).double())
    bits = emitter.builder.project(
        x, projection.n_out, projection.kind, projection.seed, projection.layer, projection.rounds, 0, edges
    )
    return emitter.emit(bits, [x], twin)


def _patches(emitter, x: Value, layer: nn.Conv2d, pad: int) -> Value:
    """Every window of x as a column."""
    kernel, stride, dilation = pair(layer.kernel_size), pair(layer.stride), pair(layer.dilation)  # type: ignore[arg-type]
    top, left = pair(layer.padding)  # type: ignore[arg-type]
    value = emitter.builder.patches(x, kernel, stride, (top, top, left, left), dilation, pad)
    height, width = value.shape[1:]

    def twin(v: Tensor) -> Tensor:
        padded = F.pad(v, (left, left, top, top), value=pad)
        return F.unfold(padded, kernel, dilation, 0, stride).unflatten(2, (height, width))

    return emitter.emit(value, [x], twin)


def _agreements(emitter, bits: Value, codes: np.ndarray) -> Value:
    """bits (N,) or (N, H, W), codes bool (O, N) -> places that agree minus places that differ, (O,) or (O, H, W)."""
    stored, signs = codes.astype(np.uint8), torch.from_numpy(2.0 * codes - 1)
    if len(bits.shape) == 1:
        value = emitter.builder.xnor_linear(bits, stored)
        return emitter.emit(value, [bits], lambda v: F.linear(2 * v - 1, signs))
    value = emitter.builder.xnor_conv2d(bits, stored[:, :, None, None])
    return emitter.emit(value, [bits], lambda v: F.conv2d(2 * v - 1, signs[:, :, None, None]))
