"""Operations that one sample costs, by kind, and the bits of what is stored; of any Program with projections."""

import math
from dataclasses import dataclass
from typing import Any

from bitwright.ir import Program

SUMS = ("xnor_linear", "xnor_conv2d")


@dataclass(frozen=True)
class Cost:
    """Adds: of projections, as stated by their rows (not by the tricks of an engine). generated: words of the generator
    that make the rows, once for each sample. bit_operations: products of two bits. Bits stored: weight_bits; of codes
    they stand for real_weights numbers (the rows of a projection's input that were embedded)."""

    projection_adds: int
    projection_products: int
    generated: int
    bit_operations: int
    weight_bits: int
    real_weights: int

    @property
    def total(self) -> int:
        """Everything counted alike, one each."""
        return self.projection_adds + self.projection_products + self.generated + self.bit_operations

    def to_json(self) -> dict[str, Any]:
        return {
            "projection_adds": self.projection_adds, "projection_products": self.projection_products,
            "generated_words": self.generated, "bit_operations": self.bit_operations, "weight_bits": self.weight_bits,
            "real_weights": self.real_weights, "total": self.total,
        }  # fmt: skip


def cost_of(program: Program) -> Cost:
    """Rademacher rows: p adds each; Gaussian, orthogonal: p products; Hadamard: rounds * Q * log2(Q) adds a block."""
    adds = products = words = bit_operations = weight_bits = weights = 0
    for number, op in enumerate(program.ops):
        made = program.types[number]
        places = math.prod(made.shape[1:])
        if op.name == "project":
            p, n = program.types[op.inputs[0]].shape[0], made.shape[0]
            kind = ("rademacher", "gaussian", "hadamard")[op.attrs["kind"]]
            if kind == "hadamard":
                size = 1 << (p - 1).bit_length()
                blocks, rounds = -(-n // size), op.attrs["rounds"]
                adds += places * blocks * rounds * size * (size.bit_length() - 1)
                words += blocks * rounds * -(-size // 64)
            elif kind == "rademacher":
                adds += places * n * p
                words += n * -(-p // 64)
            else:
                products += places * n * p
                words += 2 * n * p
        elif op.name in ("int_linear", "int_conv2d"):
            products += places * op.consts["w"].size
            weights += op.consts["w"].size
            weight_bits += op.consts["w"].size * {"bit": 1, "i4": 4, "i8": 8, "i16": 16}[op.weight_dtype]
        elif op.name in SUMS:
            bit_operations += places * op.consts["w"].size
            weight_bits += op.consts["w"].size
            source = program.ops[op.inputs[0]]
            embedded = source.name == "project"
            weights += (
                len(op.consts["w"]) * program.types[source.inputs[0]].shape[0] if embedded else op.consts["w"].size
            )
    return Cost(adds, products, words, bit_operations, weight_bits, weights)
