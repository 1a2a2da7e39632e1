"""Puts the Verilog module together, with a testbench that compares it with the interpreter."""

from string import Template

import numpy as np

from bitwright.backends.verilog import arithmetic, logic, moving  # noqa: F401  (they join RULES)
from bitwright.backends.verilog.netlist import Net, Netlist, constant, width_of
from bitwright.backends.verilog.rules import RULES, Nets, as_nets
from bitwright.backends.verilog.testbench import testbench
from bitwright.ir.program import Program
from bitwright.ir.types import ProgramError


def export_verilog(
    program: Program, name: str, pipeline: int = 0, argmax: bool = True, vectors: np.ndarray | int = 64
) -> dict[str, str]:
    """NAME.v, NAME_tb.v and the testbench's vectors NAME_x.hex, NAME_scores.hex (run it in their folder).

    pipeline: levels of logic between two registers; 0 is combinational, without a clock.
    argmax: whether the module also gives the class.
    vectors: inputs to check, as for `Program.run`, or how many random ones.
    Raises ProgramError for a float input and for an operation without a rule.
    """
    for op in program.ops[1:]:
        if op.name not in RULES:
            raise ProgramError(f"export verilog: no rule for {op.name!r}; rules: {', '.join(sorted(RULES))}")
    if program.input_type.kind == "float":
        raise ProgramError("export verilog: no rule for a float input; threshold outside, or scale it to integers")
    if pipeline < 0:
        raise ValueError(f"export verilog: pipeline is {pipeline}, expected levels between registers, or 0 for none")
    netlist = Netlist(pipeline)
    scores = _values(program, netlist)
    best = _best(netlist, list(scores)) if argmax else None
    type_, kind = program.types[-1], program.input_type
    score_width, class_width = width_of(type_.lo, type_.hi), max((len(scores) - 1).bit_length(), 1)
    last = max(net.stage for net in [*scores, *([best] if best else [])])
    outputs = [(f"scores[{i * score_width} +: {score_width}]", net) for i, net in enumerate(scores)]
    outputs += [("class_index", best)] if best else []
    driven, clocked = [], []
    for place, net in outputs:
        text = netlist.at_stage(net, last)
        if pipeline:
            clocked.append(f"    {place} <= {text};")
        else:
            driven.append(f"  assign {place} = {text};")
    clocked = [*netlist.clocked, *clocked]
    if clocked:
        driven.append("\n".join(["  always @(posedge clk) begin", *clocked, "  end"]))
    widths = {"score_width": score_width, "class_width": class_width, "latency": last + 1 if pipeline else 0}
    input_width = _input_width(program)
    text = Template(_MODULE).substitute(
        name=name, body="\n".join([*_inputs(program, input_width), *netlist.lines, *driven]), latency=widths["latency"],
        clk="  input wire clk,\n" if pipeline else "", input_bits=input_width * kind.n_values - 1,
        kind="output reg" if pipeline else "output wire", score_bits=score_width * len(scores) - 1,
        index=f",\n  {'output reg' if pipeline else 'output wire'} [{class_width - 1}:0] class_index" if best else "",
        what=_what(program, input_width, score_width, widths["latency"]),
    )  # fmt: skip
    bench = testbench(program, name, vectors, input_width, argmax=best is not None, **widths)
    return {f"{name}.v": text, **bench}


def _values(program: Program, netlist: Netlist) -> Nets:
    kind = program.input_type
    if kind.kind == "bits":
        nets = [Net(f"x_{i}") for i in range(kind.n_values)]
    else:
        width = width_of(kind.lo, kind.hi)
        nets = [Net(f"x_{i}", width, kind.lo, kind.hi) for i in range(kind.n_values)]
    values = [as_nets(nets, kind.shape)]
    for op in program.ops[1:]:
        values.append(RULES[op.name](netlist, op, *(values[i] for i in op.inputs)))
    return values[-1]


def _input_width(program: Program) -> int:
    """Bits of a value of x: unsigned where no value is negative."""
    kind = program.input_type
    if kind.kind == "bits":
        return 1
    return width_of(kind.lo, kind.hi) - (kind.lo >= 0)


def _inputs(program: Program, width: int) -> list[str]:
    """A net for each value of x, signed for integers."""
    kind = program.input_type
    if kind.kind == "bits":
        return [f"  wire x_{i} = x[{i}];" for i in range(kind.n_values)]
    sign = "1'b0, " if kind.lo >= 0 else ""
    wide = width_of(kind.lo, kind.hi)
    return [
        f"  wire signed [{wide - 1}:0] x_{i} = {{{sign}x[{(i + 1) * width - 1}:{i * width}]}};"
        for i in range(kind.n_values)
    ]


def _best(netlist: Netlist, scores: list[Net]) -> Net:
    """The index of the largest score, the lowest winning a tie: a tree of comparisons."""
    width = max((len(scores) - 1).bit_length(), 1)
    pairs = [(net, constant(i)) for i, net in enumerate(scores)]
    while len(pairs) > 1:
        joined = []
        for k in range(0, len(pairs) - 1, 2):
            (a, i), (b, j) = pairs[k], pairs[k + 1]
            won = netlist.bit([a, b], lambda x, y: f"{y} > {x}")
            larger = netlist.integer([won, a, b], "{0} ? {2} : {1}".format, max(a.lo, b.lo), max(a.hi, b.hi))
            index = netlist.integer([won, i, j], "{0} ? {2} : {1}".format, 0, (1 << width) - 1)
            joined.append((larger, index))
        pairs = joined + pairs[len(pairs) - len(pairs) % 2 :]
    return pairs[0][1]


def _what(program: Program, input_width: int, score_width: int, latency: int) -> str:
    kind = program.input_type
    shape = " x ".join(str(d) for d in kind.shape)
    ranged = "bits" if kind.kind == "bits" else f"integers in {kind.lo}..{kind.hi}"
    when = f"{latency} clocks after its sample" if latency else "without a clock"
    return (
        f"x: {shape} {ranged}, row-major, {input_width} bits each, the first lowest.\n"
        f"// scores: {program.n_classes} signed numbers of {score_width} bits, the first lowest, {when}."
    )


_MODULE = """\
// $name: a network of bits, written by bitwright from a Program.
// $what
module $name (
$clk  input wire [$input_bits:0] x,
  $kind [$score_bits:0] scores$index
);
$body
endmodule
"""
