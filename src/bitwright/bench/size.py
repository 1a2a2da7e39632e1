"""How small a Program's file is, against a bit a weight and float32; and the bits of each kind of value."""

from dataclasses import dataclass

from bitwright.bench.faults import MOVING, SUMS
from bitwright.ir import Program


@dataclass(frozen=True)
class Sizes:
    """Bytes of a Program. weights: how many there are, of any width."""

    file_bytes: int
    weights: int

    @property
    def packed_bytes(self) -> float:
        """One bit a weight and nothing else: weights / 8."""
        return self.weights / 8

    @property
    def float_bytes(self) -> int:
        """The same weights as float32."""
        return 4 * self.weights

    @property
    def ratio(self) -> float:
        """File over one bit a weight; 1 is the least a network of 1-bit weights can have."""
        return self.file_bytes / self.packed_bytes if self.weights else float("inf")

    def __str__(self) -> str:
        smaller = self.float_bytes / self.file_bytes
        return (
            f"{self.file_bytes:,} bytes, {self.weights:,} weights: {self.ratio:.3f} x one bit a weight, "
            f"{smaller:.1f} x smaller than float32"
        )


def sizes(program: Program) -> Sizes:
    """Of the .bw file as `save` writes it, its header included."""
    return Sizes(len(program.to_bytes(short=True)), sum(op.consts["w"].size for op in program.ops if "w" in op.consts))


@dataclass(frozen=True)
class Widths:
    """Bits that a Program works with, each kind apart. weights: of each matrix and kernel, none in nets of tables.

    inputs: what comes in. activations: the widest value that weights, tables or projections read. projections: what is
    stored of random ones, "seed" or "none". sums: bits that the widest sum's range takes; the kernels hold 32 or 64.
    """

    inputs: int
    weights: tuple[int, ...]
    activations: int
    projections: str
    sums: int

    def __str__(self) -> str:
        weights = "+".join(map(str, self.weights)) or "tables"
        return f"{weights}/{self.activations}/{self.projections}/{self.sums}"


def widths(program: Program) -> Widths:
    """From the records alone. Rows of a stored projection count as weights."""
    readers = [op for op in program.ops if op.name == "project" or "w" in op.consts or "table" in op.consts]
    read = {i for op in readers for i in _sources(program, op.inputs[0])}
    sums = [_bits(t) for op, t in zip(program.ops, program.types, strict=True) if op.name in SUMS]
    return Widths(
        inputs=_bits(program.types[0]),
        weights=tuple(sorted({1 if op.weight_dtype == "bit" else int(op.weight_dtype[1:]) for op in program.ops
                              if "w" in op.consts})),
        activations=max((_bits(program.types[i]) for i in read if i), default=0),
        projections="seed" if any(op.name == "project" for op in program.ops) else "none",
        sums=max(sums, default=0),
    )  # fmt: skip


def _sources(program: Program, number: int) -> set[int]:
    """The values that this one holds, moved or not."""
    op = program.ops[number]
    if op.name not in MOVING:
        return {number}
    return {source for i in op.inputs for source in _sources(program, i)}


def _bits(made) -> int:
    """32 of a float; of an integer as many as its range takes, in two's complement where it goes below 0."""
    if made.kind != "int":
        return 1 if made.kind == "bits" else 32
    below = int(-made.lo - 1).bit_length() + 1 if made.lo < 0 else 0
    return max(below, int(made.hi).bit_length() + (made.lo < 0))
