"""A stream: a value of the Program under construction together with its pending chain. Layers' rules speak to it.

A rule takes streams and returns a stream; it appends elementwise steps, asks for sums, pools or moves, or closes with
`sign`. Whatever would not be exact on the integer is closed on the fixed-point grid first, and noted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bitwright.freeze import logic
from bitwright.freeze.chain import (
    Affine,
    Clamp,
    Evaluate,
    Numbers,
    Step,
    TwoSlopes,
    alike_everywhere,
    coefficients,
    evaluate,
    increasing,
    scaling,
    uniform_scale,
)
from bitwright.freeze.close_grid import close_on_grid
from bitwright.freeze.close_sign import sign_rule
from bitwright.freeze.embedding import embed_cosines
from bitwright.freeze.emitter import Emitter
from bitwright.freeze.limit import Limit, limit_cosines
from bitwright.freeze.sums import emit_conv, emit_linear, padding_integer
from bitwright.freeze.window import Window, window_of
from bitwright.ir import ProgramError, Value
from bitwright.ir.windows import four, pair

SCORE_BITS = 32  # nothing reads scores as a stream, and cut off they would tie


@dataclass(frozen=True)
class Stream:
    """value: bits or an int; chain: what the model still does to it, in order.

    zero_one: bits stand for 0 and 1 (logic gates) instead of -1 and +1.
    """

    emitter: Emitter
    value: Value
    chain: tuple[Step, ...] = ()
    zero_one: bool = False

    @property
    def is_bits(self) -> bool:
        return self.value.type.kind == "bits"

    @property
    def is_signs(self) -> bool:
        return self.is_bits and not self.zero_one

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def append(self, step: Step) -> "Stream":
        """The stream with one more elementwise step pending."""
        x = self.as_int()
        return replace(x, chain=(*x.chain, step))

    def affine(self, evaluate: Evaluate, a: Numbers = 1.0, b: Numbers = 0.0) -> "Stream":
        """a[c] * x + b[c]: scalars or (C,). evaluate: the model's own float32 form, channels on axis 1."""
        return self.append(Affine(evaluate, coefficients(a), coefficients(b)))

    def scale(self, factor: Tensor | float | None) -> "Stream":
        """x * factor, a positive scalar or (C,); None leaves x."""
        if factor is None:
            return self
        numbers = factor if isinstance(factor, Tensor) else torch.tensor(factor)
        numbers = numbers.detach()
        return self.affine(lambda v: v * (numbers if numbers.dim() == 0 else _per_channel(numbers, v)), numbers)

    def shift(self, offset: Tensor | float) -> "Stream":
        """x + offset, a scalar or (C,)."""
        numbers = offset.detach() if isinstance(offset, Tensor) else torch.tensor(offset)
        return self.affine(lambda v: v + (numbers if numbers.dim() == 0 else _per_channel(numbers, v)), 1.0, numbers)

    def two_slopes(self, evaluate: Evaluate, pos: Numbers, neg: Numbers) -> "Stream":
        """pos[c] * x where x >= 0, else neg[c] * x."""
        return self.append(TwoSlopes(evaluate, coefficients(pos), coefficients(neg)))

    def clamp(self, lo: float, hi: float) -> "Stream":
        """min(max(x, lo), hi)."""
        return self.append(Clamp(lambda v: v.clamp(lo, hi), lo, hi))

    def as_int(self) -> "Stream":
        """Bits as the integers they stand for; real features as codes on their own scale; an int as it is."""
        if self.value.type.kind == "float":
            return self.emitter.encode(self)
        if not self.is_bits:
            return self
        value = self.emitter.to_bits(self.value) if self.zero_one else self.emitter.to_signs(self.value)
        return replace(self, value=value, zero_one=False)

    def as_zero_one(self, who: str) -> "Stream":
        """Bits that stand for 0 and 1; integers of a range within 0..1 become such bits."""
        if self.is_bits and self.zero_one:
            return self
        if self.value.type.kind == "int" and not self.chain and 0 <= self.value.type.lo <= self.value.type.hi <= 1:
            return self.thermometer(torch.ones(self.shape[0], 1), zero_one=True)
        found = "signs, -1 and +1" if self.is_bits else str(self.value.type)
        raise ProgramError(
            f"{who} reads bits of 0 and 1, its input is {found}; put Thermometer(..., zero_one=True) first"
        )

    def luts(self, wiring: np.ndarray, tables: np.ndarray) -> "Stream":
        """Logic gates. wiring: (G, k), first input the most significant; tables: 0 and 1, (G, 2^k)."""
        x = self.as_zero_one("a layer of logic gates")
        return replace(x, value=logic.luts(x.emitter, x.value, wiring, tables))

    def lut_conv2d(self, taps, wiring, tables, outputs, kernel, stride, padding, pad_value: int) -> "Stream":
        """Trees of logic gates over every window: arguments as in `logic.Trees`, window numbers as torch's."""
        x = self.as_zero_one("a convolution of logic gates")
        trees = logic.Trees(taps, wiring, tables, outputs, pair(kernel))
        window = Window(pair(stride), four(padding), (1, 1), 1, pad_value)
        return replace(x, value=logic.lut_conv2d(x.emitter, x.value, trees, window))

    def count(self, groups: np.ndarray) -> "Stream":
        """Ones in each group of bits; groups: (G, size) signal numbers."""
        x = self.as_zero_one("a sum over groups")
        return Stream(x.emitter, logic.count(x.emitter, x.value, groups))

    def thermometer(self, thresholds: Tensor, zero_one: bool = False) -> "Stream":
        """Bit c * J + j is x[c] >= thresholds[c, j], float32 (C, J): on real features or plain integers."""
        if self.is_bits or self.chain:
            raise ProgramError("a thermometer behind other layers; it belongs first")
        marks = thresholds.detach().double()
        table = thresholds.detach().numpy()
        if self.value.type.kind == "int":  # x >= t on integers is x >= ceil(t)
            table = np.clip(np.ceil(table), self.value.type.lo, self.value.type.hi + 1).astype(np.int64)
        bits = self.emitter.builder.threshold(self.value, table)

        def twin(v: Tensor) -> Tensor:
            met = v.unsqueeze(2) >= marks.reshape(1, *marks.shape, *(1,) * (v.dim() - 2))
            return met.flatten(1, 2).double()

        return Stream(self.emitter, self.emitter.emit(bits, [self.value], twin), zero_one=zero_one)

    def sign(self) -> "Stream":
        """Close with sign: bits. Exact (close_sign.py)."""
        if self.is_signs:
            return self
        if self.value.type.kind == "float" or self.is_bits:
            return self.as_int().sign()
        emitter, x, chain = self.emitter, self.value, self.chain
        rule = sign_rule(chain, x.type)
        bits = emitter.builder.threshold(x, rule.t, rule.flip)
        inputs = [x]
        if rule.table is not None:
            wiring = np.arange(2 * x.shape[0]).reshape(-1, 2)
            bits = emitter.builder.lut(bits, wiring, rule.table)
        emitter.emit(bits, inputs, lambda v: (evaluate(chain, v.float()) >= 0).double())
        return Stream(emitter, bits)

    def on_grid(self, why: str, bits: int = 0) -> "Stream":
        """Close on the fixed-point grid: an int standing for multiples of 2^-fraction_bits. Exact streams of that form
        stay. bits: its width; 0 is that of streams.
        """
        emitter, x = self.emitter, self.as_int()
        unit = 2.0**-emitter.fraction_bits
        if len(x.chain) == 1 and uniform_scale(x.chain) == unit:
            return x
        bits = bits or emitter.stream_bits
        emitter.note(f"{bits}-bit stream", why)
        value = close_on_grid(emitter, x.value, x.chain, emitter.fraction_bits, bits)
        emitter.grid_closings.add(emitter.layer)
        return Stream(emitter, value, (scaling(unit),))

    def before_sums(self, why: str) -> tuple["Stream", float]:
        """A stream whose chain is one positive scale, which passes through sums, and that scale."""
        x = self if self.is_signs else self.as_int()
        scale = uniform_scale(x.chain)
        if scale is not None:
            return x, scale
        x = x.on_grid(why)
        return x, 2.0**-x.emitter.fraction_bits

    def sums(self, weights: np.ndarray, weight_dtype: str, window: Window | None = None,
             accumulator: str = "int32") -> "Stream":  # fmt: skip
        """Sums of products with integer weights (N, K) or (O, C/groups, kh, kw); "bit" weights are -1 and +1 here.

        The chain becomes the input's scale (none for signs and raw integers). accumulator: of ops.CHOICES; a narrow one
        wants signs and one-bit weights, and "wrap8_half", which holds half of the sum, puts the 2 into the chain.
        """
        x, scale = self.before_sums("sums over real numbers")
        emitter, value = x.emitter, x.value
        if not x.is_bits:
            if not -(1 << 31) <= value.type.lo <= value.type.hi < 1 << 31:
                raise ProgramError(f"inputs reach {value.type}, beyond 32 bits; clip them first")
            emitter.note(f"inputs {value.type.lo}..{value.type.hi}, {weight_dtype} weights", "its inputs are not signs")
        if accumulator != "int32" and not (x.is_bits and weight_dtype == "bit"):
            raise ProgramError(f"accumulator {accumulator!r} wants signs and one-bit weights; use int32 here")
        stored = (weights > 0).astype(np.uint8) if weight_dtype == "bit" else weights
        if window is None:
            total = emit_linear(x, stored, weights, weight_dtype, accumulator)
        else:
            pad = padding_integer(window, x, scale)
            total = emit_conv(x, stored, weights, weight_dtype, window, pad, accumulator)
        chain = (scaling(2.0),) if accumulator == "wrap8_half" else ()
        return Stream(emitter, total, chain if scale == 1.0 else _for_any_channel(x.chain))

    def conv2d_sums(self, layer: torch.nn.Conv2d, weights: np.ndarray, weight_dtype: str, pad_value: float,
                    accumulator: str = "int32") -> "Stream":  # fmt: skip
        """`sums` with the window of a torch convolution."""
        return self.sums(weights, weight_dtype, window_of(layer, pad_value), accumulator)

    def cosines(self, layer: torch.nn.Module, pad_value: float) -> "Stream":
        """A layer of cosines as codes of random signs. Exact but for what the codes' length leaves open."""
        limit = isinstance(self.emitter.embedding, Limit)
        return limit_cosines(self, layer, pad_value) if limit else embed_cosines(self, layer, pad_value)

    def max_pool2d(self, kernel, stride, padding) -> "Stream":
        """A maximum passes an increasing chain; otherwise the chain is closed on the grid first."""
        x = self if self.is_bits or increasing(self.chain) else self.on_grid("max-pool behind a step that turns round")
        return replace(x, value=x.emitter.max_pool2d(x.value, kernel, stride, padding))

    def avg_pool2d(self, kernel: tuple[int, int], stride, padding) -> "Stream":
        """A mean is a sum; its divisor joins the chain."""
        x, _ = self.as_int().before_sums("average over real numbers")
        n_places = kernel[0] * kernel[1]
        total = replace(x, value=x.emitter.sum_pool2d(x.value, kernel, stride, padding))
        return total.affine(lambda v: v / n_places, 1 / n_places)

    def reshape(self, shape: tuple[int, ...]) -> "Stream":
        """A new shape without the batch axis. A per-channel chain is closed on the grid first if channels move."""
        if shape == self.shape:
            return self
        keeps_channels = shape[0] == self.shape[0]
        plain = uniform_scale(self.chain) is not None or all(map(alike_everywhere, self.chain))
        x = self if plain or keeps_channels else self.on_grid("flattened behind per-channel arithmetic")
        chain = _of_rank(x.chain, len(x.shape)) if keeps_channels else _for_any_channel(x.chain)
        return replace(x, value=x.emitter.reshape(x.value, shape), chain=chain)

    def plus(self, other: "Stream") -> "Stream":
        """Both on the grid, then added (and clipped to the stream's width)."""
        a, b = self.on_grid("shortcut addition"), other.on_grid("shortcut addition")
        emitter = self.emitter
        value = emitter.add(a.value, b.value)
        limit = 1 << (emitter.stream_bits - 1)
        if value.type.lo < -limit or value.type.hi >= limit:
            value = emitter.clip(value, -limit, limit - 1)
        return Stream(emitter, value, a.chain)

    def scores(self) -> tuple[Value, float]:
        """Integer scores and the positive number that turns them into the model's (float) scores."""
        scale = uniform_scale(self.chain)
        x = self.as_int() if scale is not None else self.on_grid("scores with a scale or shift a class", SCORE_BITS)
        return x.value, scale if scale is not None else 2.0**-self.emitter.fraction_bits


def concat(streams: Sequence[Stream]) -> Stream:
    """Bits with bits; otherwise everything on the grid."""
    emitter = streams[0].emitter
    same_scale = len({uniform_scale(s.chain) for s in streams}) == 1 and uniform_scale(streams[0].chain) is not None
    alike = len({s.zero_one for s in streams}) == 1
    if not ((alike and all(s.is_bits for s in streams)) or (same_scale and not any(s.is_bits for s in streams))):
        streams = [s.on_grid("concatenation") for s in streams]
    whole = emitter.concat([s.value for s in streams])
    return replace(streams[0], value=whole, chain=_for_any_channel(streams[0].chain))


def _for_any_channel(chain: tuple[Step, ...]) -> tuple[Step, ...]:
    """A chain whose values move between channels: of one scale, without numbers a channel."""
    scale = uniform_scale(chain)
    if scale is None or all(map(alike_everywhere, chain)):
        return chain
    return () if scale == 1.0 else (scaling(scale),)


def _of_rank(chain: tuple[Step, ...], rank: int) -> tuple[Step, ...]:
    """A chain whose functions still see values of that many axes, as the model gives them, where a reshape keeps the
    channels and so leaves one value each.
    """

    def seen(function: Evaluate) -> Evaluate:
        return lambda v: function(v.reshape(*v.shape[:2], *(1,) * (rank - 1))).reshape(v.shape)

    return tuple(replace(step, evaluate=seen(step.evaluate)) for step in chain)


def _per_channel(numbers: Tensor, x: Tensor) -> Tensor:
    return numbers.reshape(-1, *(1,) * (x.dim() - 2))
