"""A Program cut behind values, each piece a Program of its own: so faults of running values need no interpreter."""

from functools import lru_cache

from bitwright.ir import Builder
from bitwright.ir.builder import Value
from bitwright.ir.program import Program

INT32 = 1 << 31


@lru_cache(maxsize=8)
def pieces(program: Program, cuts: tuple[int, ...]) -> tuple[Program, ...] | None:
    """One more than cuts (numbers of values, rising). The first piece takes the Program's input, each other one the
    value of the cut before it; it gives the value of the next cut, flattened, bits as 0 and 1, the last one the scores.

    None where a value besides the cut's own is read behind a cut, or where one does not fit an input.
    """
    for cut in cuts:
        made = program.types[cut]
        crossed = any(i < cut for op in program.ops[cut + 1 :] for i in op.inputs)
        if crossed or (made.kind == "int" and not -INT32 <= made.lo <= made.hi < INT32):
            return None
    starts, ends = (0, *cuts), (*cuts, len(program.ops) - 2)  # the last operation is `output`
    return tuple(_piece(program, start, end) for start, end in zip(starts, ends, strict=True))


def _piece(program: Program, start: int, end: int) -> Program:
    builder, taken = Builder(), program.types[start]
    value = builder.input(taken.kind, taken.shape, *((taken.lo, taken.hi) if taken.kind == "int" else ()))
    for op in program.ops[start + 1 : end + 1]:
        inputs = [Value(i - start, builder.types[i - start]) for i in op.inputs]
        value = builder.add_op(op.name, inputs, op.attrs, op.consts, op.weight_dtype)
    if value.type.kind == "bits":
        value = builder.to_int(value, "bits")
    return builder.finish(value if len(value.shape) == 1 else builder.reshape(value, (value.type.n_values,)))
