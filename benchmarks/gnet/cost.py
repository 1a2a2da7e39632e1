"""Operations that one sample costs, by kind, and the bits of what is stored; of any Program, from its records alone."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from bitwright.ir import Program
from bitwright.ir.program import Op

SUMS = ("xnor_linear", "xnor_conv2d")
WIDTHS = {"bit": 1, "i4": 4, "i8": 8, "i16": 16}
# steps for each number made, of what is neither a product nor a projection
EACH = {"threshold": 1, "affine": 3, "clip": 2, "add": 1, "prelu": 2}


@dataclass(frozen=True)
class Cost:
    """Counted for one sample, as an operation's formula says, not as the tricks of an engine make it.

    projection_adds: of Rademacher rows and of Walsh-Hadamard transforms. projection_products: of Gaussian rows and
    stored ones, a product with its add as one. generated_words: of the generator that makes the rows, once a sample.
    bit_operations: products of two bits, and gates. weight_products: of integers with weights of more bits, or bits
    with integers. elementwise: comparisons, the steps of affine and clip, adds of pools and counts. weight_bits:
    stored; real_weights: the numbers they stand for (of a code, its row before it was embedded).
    """

    projection_adds: int = 0
    projection_products: int = 0
    generated_words: int = 0
    bit_operations: int = 0
    weight_products: int = 0
    elementwise: int = 0
    weight_bits: int = 0
    real_weights: int = 0

    @property
    def total(self) -> int:
        """Everything counted alike, one each; what is stored costs nothing."""
        return sum(asdict(self).values()) - self.weight_bits - self.real_weights

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "total": self.total}

    def __add__(self, other: "Cost") -> "Cost":
        theirs = asdict(other)
        return Cost(**{name: value + theirs[name] for name, value in asdict(self).items()})


def cost_of(program: Program) -> Cost:
    """The sum over all operations."""
    return sum((cost_of_operation(program, number, op) for number, op in enumerate(program.ops)), Cost())


def cost_of_operation(program: Program, number: int, op: Op) -> Cost:
    """Of one operation. Moving values (patches, gather, reshape, concat, pad, to_int) costs nothing."""
    shape = program.types[number].shape
    made, places = math.prod(shape), math.prod(shape[1:])
    if op.name == "project":
        return _projection(program, op, made, places)
    if op.name in ("int_linear", "int_conv2d"):
        w = op.consts["w"]
        products, bits = places * w.size, w.size * WIDTHS[op.weight_dtype]
        if _is_projection(program, number):
            return Cost(projection_products=products, weight_bits=bits)
        return Cost(weight_products=products, weight_bits=bits, real_weights=w.size)
    if op.name in SUMS:
        w, source = op.consts["w"], program.ops[op.inputs[0]]
        real = len(w) * program.types[source.inputs[0]].shape[0] if source.name == "project" else w.size
        return Cost(bit_operations=places * w.size, weight_bits=w.size, real_weights=real)
    if op.name in ("lut", "lut_conv2d"):
        return Cost(bit_operations=places * op.consts["table"].size)
    if op.name in ("max_pool2d", "sum_pool2d"):
        return Cost(elementwise=made * (op.attrs["kernel_h"] * op.attrs["kernel_w"] - 1))
    if op.name == "count":
        return Cost(elementwise=op.consts["signal"].size)
    if op.name == "digitize":
        return Cost(elementwise=places * op.consts["t"].size)
    return Cost(elementwise=made * EACH.get(op.name, 0))


def _is_projection(program: Program, number: int) -> bool:
    """Whether an int16 sum is an orthogonal projection: its only use is a threshold that a code's sum reads."""
    if program.ops[number].weight_dtype != "i16":
        return False
    readers = _readers(program, number)
    codes = len(readers) == 1 and program.ops[readers[0]].name == "threshold"
    return codes and all(program.ops[i].name in SUMS for i in _readers(program, readers[0]))


def _readers(program: Program, number: int) -> list[int]:
    return [i for i, op in enumerate(program.ops) if number in op.inputs]


def _projection(program: Program, op: Op, made: int, places: int) -> Cost:
    """Rademacher: p adds a row. Gaussian: p products. Hadamard: rounds * Q * log2(Q) adds a block, n rows or not."""
    p, n = program.types[op.inputs[0]].shape[0], made // places
    kind = ("rademacher", "gaussian", "hadamard")[op.attrs["kind"]]
    compared = made if "t" in op.consts else 0
    if kind == "rademacher":
        return Cost(projection_adds=places * n * p, generated_words=n * -(-p // 64), elementwise=compared)
    if kind == "gaussian":
        return Cost(projection_products=places * n * p, generated_words=2 * n * p, elementwise=compared)
    size, rounds = 1 << (p - 1).bit_length(), op.attrs["rounds"]
    blocks = -(-n // size)
    return Cost(
        projection_adds=places * blocks * rounds * size * (size.bit_length() - 1),
        generated_words=blocks * rounds * -(-size // 64),
        elementwise=compared,
    )
