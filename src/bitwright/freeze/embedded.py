"""Which sums of a Program are an embedded cosine layer's: those that compare codes of weights with codes of inputs."""

from bitwright.ir import Program
from bitwright.ir.program import Op


def is_agreement(program: Program, op: Op) -> bool:
    """Whether op compares stored codes with a code made by `project`, or by orthogonal rows, which are stored."""
    if op.name not in ("xnor_linear", "xnor_conv2d"):
        return False
    maker = program.ops[op.inputs[0]]
    if maker.name != "threshold":
        return maker.name == "project"
    rows = program.ops[maker.inputs[0]]
    return rows.name in ("int_linear", "int_conv2d") and rows.weight_dtype == "i16"
