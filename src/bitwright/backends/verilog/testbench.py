"""The testbench: vectors in, scores and classes out, compared with what the interpreter says."""

from string import Template

import numpy as np

from bitwright.ir.interpreter import execute
from bitwright.ir.program import Program


def testbench(
    program: Program, name: str, vectors: np.ndarray | int, input_width: int, score_width: int, class_width: int,
    latency: int, argmax: bool,
) -> dict[str, str]:  # fmt: skip
    """The files of the testbench by name."""
    x = random_inputs(program, vectors) if isinstance(vectors, int) else np.asarray(vectors)
    if not len(x):
        raise ValueError("export verilog: vectors is empty; give at least one input, or how many random ones")
    scores = execute(program, x)[-1]
    flat = x.reshape(len(x), -1)
    texts = {"name": name, "n": len(x), "last": len(x) - 1, "behind": max(latency - 1, 0)}  # clocks
    texts |= {"input_bits": input_width * flat.shape[1] - 1, "score_bits": score_width * scores.shape[1] - 1}
    texts |= {"clock": "", "clk": "", "step": "#1;", "wait": ""}
    if latency:
        texts["clock"] = "  reg clk = 0;\n  always #5 clk = ~clk;\n"
        texts["clk"] = ".clk(clk), "
        texts["step"] = "@(negedge clk);"
    texts["index"] = ", .class_index(class_index)" if argmax else ""
    bits = f"[{class_width - 1}:0]"
    texts["wire"] = f"  wire {bits} class_index;\n  reg {bits} classes [0:{len(x) - 1}];\n"
    texts["read"] = f'    $readmemh("{name}_class.hex", classes);\n'
    texts["also"] = " || class_index !== classes[i - {behind}]".format(**texts)
    if not argmax:
        texts |= dict.fromkeys(("wire", "read", "also"), "")
    files = {
        f"{name}_tb.v": Template(_BENCH).substitute(texts),
        f"{name}_x.hex": hex_lines(flat, input_width),
        f"{name}_scores.hex": hex_lines(scores, score_width),
    }
    if argmax:
        files[f"{name}_class.hex"] = hex_lines(np.argmax(scores, axis=1)[:, None], class_width)
    return files


def random_inputs(program: Program, n: int) -> np.ndarray:
    kind = program.input_type
    lo, hi = (0, 1) if kind.kind == "bits" else (kind.lo, kind.hi)
    return np.random.default_rng(0).integers(lo, hi, (n, *kind.shape), endpoint=True)


def hex_lines(values: np.ndarray, width: int) -> str:
    """A line a row: its numbers side by side, the first lowest, in two's complement of `width` bits."""
    numbers = values.astype(np.int64)
    bits = (numbers[:, :, None] >> np.arange(width) & 1).astype(np.uint8).reshape(len(values), -1)
    digits = -(-bits.shape[1] // 4)
    octets = np.packbits(bits, axis=1, bitorder="little")[:, ::-1]
    return "".join(row.tobytes().hex()[-digits:].zfill(digits) + "\n" for row in octets)


_BENCH = """\
// Testbench of $name, written by bitwright: run it where its .hex files are; it says PASS or FAIL.
`timescale 1ns/1ps
module ${name}_tb;
  reg [$input_bits:0] x;
  wire [$score_bits:0] scores;
$wire  reg [$input_bits:0] inputs [0:$last];
  reg [$score_bits:0] expected [0:$last];
  integer i, wrong;
$clock  $name dut (${clk}.x(x), .scores(scores)$index);

  initial begin
    $$readmemh("${name}_x.hex", inputs);
    $$readmemh("${name}_scores.hex", expected);
$read    wrong = 0;
    for (i = 0; i < $n + $behind; i = i + 1) begin
      if (i < $n) x = inputs[i];
      $step
      if (i >= $behind)
        if (scores !== expected[i - $behind]$also) begin
          wrong = wrong + 1;
          if (wrong <= 10) $$display("vector %0d: scores %h, expected %h", i - $behind, scores, expected[i - $behind]);
        end
    end
    if (wrong == 0) $$display("PASS: $n vectors");
    else $$display("FAIL: %0d of $n vectors differ", wrong);
    $$finish;
  end
endmodule
"""
