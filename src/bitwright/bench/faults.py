"""Bit flips at an exact rate: stored constants of a Program, or its values while it runs; and curves over rates.

Of `total` bits exactly round(rate * total) are flipped, drawn without replacement, so half of all bits leaves nothing
of a one-bit weight. Drawing with replacement would flip some places twice and reach 39 % where 50 % is said.
Targets that are stored (`weights`, `thresholds`, `bytes`) are damaged once a seed; values (`activations`,
`projections`, `accumulators`) anew for every sample. Every family has weights: matrices, kernels, tables of gates.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bitwright.bench.fault_pieces import pieces
from bitwright.bench.replicas import flip_by_vote, flip_exactly
from bitwright.bits import PackedBits, unpack_bits
from bitwright.data.progress import Progress
from bitwright.ir import Program, ProgramError
from bitwright.ir.blobs import from_blob, stored_dtype, to_blob
from bitwright.ir.checker import infer
from bitwright.ir.inputs import check_input
from bitwright.ir.interpreter import MEANINGS
from bitwright.ir.ops import OPS
from bitwright.ir.program import Op

WEIGHTS, THRESHOLDS = ("w", "table"), ("t", "flip", "mul", "pos", "neg", "add", "b", "offset", "invert")
STORED = {"weights": WEIGHTS, "thresholds": THRESHOLDS, "bytes": WEIGHTS + THRESHOLDS}
SUMS = ("xnor_linear", "xnor_conv2d", "int_linear", "int_conv2d", "count")
RUNNING = ("activations", "projections", "accumulators")
TARGETS = (*STORED, *RUNNING)
STORED_BATCH = 2048  # samples between two words on how far it is


@dataclass(frozen=True)
class FaultPoint:
    """One damaged Program on one set of samples. flipped of bits places; accuracy in percent."""

    target: str
    rate: float
    seed: int
    accuracy: float
    flipped: int
    bits: int


def stored_sizes(program: Program, target: str = "weights") -> list[int]:
    """Bits of each constant that `damage` flips, in its order. Raises ValueError for a target that is not stored."""
    _check(target, 0.0, STORED)
    return [len(_to_bits(program.ops[i], name)) for i, name in _places(program, target)]


def damage(
    program: Program, target: str, rate: float, seed: int, copies: int | np.ndarray = 1
) -> tuple[Program, int, int]:
    """(a Program with flipped constants, bits flipped, bits in all). target: "weights" (matrices, kernels, tables),
    "thresholds" (thresholds, factors, offsets) or "bytes" (both: everything stored but wiring, whose damage a loader
    finds). Integers are flipped as the file stores them. copies: each bit is the majority of so many, damaged alike;
    an array has a number for each bit, in the order of `stored_sizes`.

    Raises ValueError for another target, a rate outside [0, 1], an even number of copies, or nothing to flip;
    ProgramError if the damaged numbers make no valid Program.
    """
    _check(target, rate, STORED)
    places = _places(program, target)
    fields = [_to_bits(program.ops[i], name) for i, name in places]
    if not fields:
        raise ValueError(f"faults: this Program stores no {target}; targets: {', '.join(TARGETS)}")
    whole = np.concatenate(fields)
    damaged = flip_by_vote(whole, rate, np.random.default_rng([seed, 1]), copies)
    ops, at = list(program.ops), 0
    for (i, name), field in zip(places, fields):
        value = _from_bits(program.ops[i], name, damaged[at : at + len(field)])
        if program.ops[i].name == "digitize":  # counts the thresholds that are reached, whatever their order
            value = np.sort(value, axis=-1)
        ops[i] = replace(ops[i], consts={**ops[i].consts, name: value})
        at += len(field)
    return Program(tuple(ops), infer(ops), program.header), int((damaged != whole).sum()), len(whole)


def run_damaged(program: Program, x: np.ndarray, target: str, rate: float, seed: int) -> tuple[np.ndarray, int, int]:
    """(scores, bits flipped, bits in all) of a run whose values are flipped, the same share of every value of a sample.

    target: "activations" (every bit that an operation makes), "projections" (those of `project` alone), "accumulators"
    (sums, as two's complement of the width their range needs, cut to the range). In pieces between such values, or,
    where other values are read behind one, in the interpreter. Raises ValueError for another target, a rate outside
    [0, 1], or nothing to flip.
    """
    _check(target, rate, RUNNING)
    x = check_input(program, x)
    rng, flipped, bits = np.random.default_rng([seed, 2]), 0, 0
    cuts = tuple(i for i in range(1, len(program.ops) - 1) if _is_target(program.ops[i], program.types[i].kind, target))
    if not cuts and len(x):
        raise ValueError(f"faults: this Program makes no {target}; targets: {', '.join(TARGETS)}")
    if parts := pieces(program, cuts):
        value = x
        for cut, part in zip(cuts, parts, strict=False):
            made = program.types[cut]
            value = part.run(value).reshape(len(x), *made.shape).astype(np.uint8 if made.kind == "bits" else np.int64)
            value, n, total = _flip_value(value, made, rate, rng)
            flipped, bits = flipped + n, bits + total
        return parts[-1].run(value), flipped, bits
    live: list[np.ndarray | None] = [x if program.types[0].kind != "int" else x.astype(np.int64)]
    last_use = {i: number for number, op in enumerate(program.ops) for i in op.inputs}
    for number, op in enumerate(program.ops[1:], start=1):
        value = MEANINGS[op.name](op, *(live[i] for i in op.inputs))
        made = program.types[number]
        if _is_target(op, made.kind, target):
            value, n, total = _flip_value(value, made, rate, rng)
            flipped, bits = flipped + n, bits + total
        live.append(value)
        for i in set(op.inputs):
            if last_use[i] == number:
                live[i] = None
    scores = live[-1]
    assert scores is not None
    return scores, flipped, bits


def fault_curve(
    program: Program, x: np.ndarray, y: np.ndarray, target: str, rates: Sequence[float], seeds: Sequence[int],
    batch: int = 16, progress: Callable[[FaultPoint], Any] | None = None, copies: int | np.ndarray = 1,
) -> list[FaultPoint]:  # fmt: skip
    """Accuracy on (x, y) for every rate and seed. progress: called with each point as it is measured. copies: of what
    is stored, as in `damage`.

    Raises ValueError before anything is measured for a rate outside [0, 1], no rate or no seed, and copies of values
    that are not stored.
    """
    if not len(rates) or not len(seeds):
        raise ValueError(f"faults: {len(rates)} rates and {len(seeds)} seeds; give at least one of each")
    for rate in rates:
        _check(target, rate, TARGETS)
    if np.max(copies) > 1 and target not in STORED:
        raise ValueError(f"faults: {target} are not stored, so there are no copies; targets: {', '.join(STORED)}")
    points = []
    with Progress(f"faults: {target}, samples", len(rates) * len(seeds) * len(x)) as bar:
        for rate in rates:
            for seed in seeds:
                right, flipped, bits = 0, 0, 0
                stored = damage(program, target, rate, seed, copies) if target in STORED else None
                for i, block in _blocks(x, STORED_BATCH if stored else batch):
                    if stored:
                        predicted, (_, flipped, bits) = stored[0].predict(block), stored
                    else:
                        scores, n, total = run_damaged(program, block, target, rate, seed * 1_000_003 + i)
                        predicted, flipped, bits = scores.argmax(1), flipped + n, bits + total
                    right += int((predicted == y[i : i + len(block)]).sum())
                    bar.advance(len(block))
                points.append(FaultPoint(target, rate, seed, 100 * right / max(len(x), 1), flipped, bits))
                if progress is not None:
                    progress(points[-1])
    return points


def summarize_faults(points: Sequence[FaultPoint]) -> list[dict[str, Any]]:
    """One row a rate: mean and standard deviation of the accuracy over seeds, in order of the rates."""
    rows = []
    for rate in dict.fromkeys(point.rate for point in points):
        seen = [point.accuracy for point in points if point.rate == rate]
        sd = float(np.std(seen, ddof=1)) if len(seen) > 1 else 0.0
        rows.append({"rate": rate, "mean": float(np.mean(seen)), "sd": sd, "seeds": len(seen)})
    return rows


def as_json(points: Sequence[FaultPoint]) -> list[dict[str, Any]]:
    return [asdict(point) for point in points]


def _check(target: str, rate: float, allowed) -> None:
    if target not in allowed:
        raise ValueError(f"faults: no target {target!r} here; choose one of {', '.join(allowed)}")
    if not 0 <= rate <= 1:
        raise ValueError(f"faults: rate is {rate}, expected a share of the bits in [0, 1]")


def _places(program: Program, target: str) -> list[tuple[int, str]]:
    return [(i, name) for i, op in enumerate(program.ops) for name in STORED[target] if name in op.consts]


def _blocks(x: np.ndarray, batch: int) -> Iterator[tuple[int, np.ndarray]]:
    return ((i, x[i : i + batch]) for i in range(0, len(x), batch))


def _const(op: Op, name: str):
    return next(const for const in OPS[op.name].consts if const.name == name)


def _table_bits(op: Op) -> int:
    return 1 << op.attrs["k"]


def _to_bits(op: Op, name: str) -> np.ndarray:
    """The bits that hold the constant's numbers, padding left out, uint8 of 0 and 1."""
    value = op.consts[name]
    dtype = stored_dtype(op, _const(op, name))
    if dtype == "bit":
        return value.astype(np.uint8).reshape(-1)
    if name == "table":
        words = value.astype(np.uint64).reshape(-1, 1)
        return unpack_bits(PackedBits(words, 64))[:, : _table_bits(op)].reshape(-1)
    octets = np.frombuffer(to_blob(value, dtype), np.uint8)
    bits = np.unpackbits(octets, bitorder="little")
    if dtype == "i4":  # rows are padded
        rows = value.shape[0] if value.ndim > 1 else 1
        bits = bits.reshape(rows, -1)[:, : 4 * (value.size // rows)].reshape(-1)
    return bits


def _from_bits(op: Op, name: str, bits: np.ndarray) -> np.ndarray:
    value = op.consts[name]
    dtype = stored_dtype(op, _const(op, name))
    if dtype == "bit":
        return bits.reshape(value.shape)
    if name == "table":
        places = np.arange(_table_bits(op), dtype=np.uint64)
        return (bits.reshape(-1, _table_bits(op)).astype(np.uint64) << places).sum(1, dtype=np.uint64)
    if dtype == "i4":
        nibbles = (bits.reshape(-1, 4) << np.arange(4, dtype=np.uint8)).sum(1).astype(np.int8)
        return ((nibbles ^ 8) - 8).astype(np.int8).reshape(value.shape)
    damaged = from_blob(np.packbits(bits, bitorder="little").tobytes(), dtype, value.shape)
    if dtype == "f32":
        damaged = np.where(np.isnan(damaged), np.float32(np.inf), damaged)
    return damaged


def _is_target(op: Op, kind: str, target: str) -> bool:
    if target == "accumulators":
        return op.name in SUMS
    return kind == "bits" and (op.name == "project" if target == "projections" else op.name not in MOVING)


def _exactly(n: int, total: int, rng: np.random.Generator) -> np.ndarray:
    """uint8 (total,) with n ones, all sets of n places alike: independent draws, then those too many or too few."""
    mask = np.frombuffer(rng.bytes(total), np.uint8) < round(256 * n / max(total, 1))
    while extra := int(np.count_nonzero(mask)) - n:
        places = rng.integers(0, total, 3 * abs(extra) + 9)
        places = places[mask[places] == (extra > 0)]
        first = np.sort(np.unique(places, return_index=True)[1])  # each place once, in the order drawn
        mask[places[first[: abs(extra)]]] ^= True
    return mask.view(np.uint8)


MOVING = ("reshape", "gather", "concat", "pad", "patches")  # their bits are those of another value


def _flip_value(value: np.ndarray, made, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """The same number of flips in every sample."""
    flat = value.reshape(len(value), -1)
    width = 1 if made.kind == "bits" else max(int(made.hi).bit_length(), int(-made.lo - 1).bit_length()) + 1
    total = flat.shape[1] * width
    n = round(rate * total)
    mask = np.stack([_exactly(n, total, rng) for _ in flat]) if len(flat) else np.zeros((0, total), np.uint8)
    if made.kind == "bits":
        return (flat ^ mask).reshape(value.shape), n * len(flat), total * len(flat)
    xor = (mask.reshape(*flat.shape, width).astype(np.int64) << np.arange(width)).sum(-1)
    sign = np.int64(1) << (width - 1)
    folded = (flat ^ xor) & ((sign << 1) - 1)
    damaged = np.clip((folded ^ sign) - sign, made.lo, made.hi)
    return damaged.reshape(value.shape), n * len(flat), total * len(flat)


__all__ = [
    "TARGETS", "FaultPoint", "ProgramError", "as_json", "damage", "fault_curve", "flip_by_vote", "flip_exactly",
    "run_damaged", "stored_sizes", "summarize_faults",
]  # fmt: skip
