"""What a Program is made of and what it costs: weights, bytes, products, and the values that stay wider than a bit."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bitwright.ir.blobs import n_bytes, stored_dtype
from bitwright.ir.ops import CHOICES, OPS
from bitwright.ir.program import Op, Program
from bitwright.ir.types import ValueType

_COLUMNS = ("number", "operation", "output", "weights", "bytes", "1x1", "1xint", "wide", "thresholds")

# Why a value is wider than a bit, by the operation that makes it.
_WHY = {
    "input": "the input comes in like this",
    "digitize": "counts the thresholds below each value",
    "count": "counts bits",
    "add": "a sum, such as a shortcut that is not binarised",
    "affine": "scaled integers",
    "prelu": "an activation that keeps integers",
    "clip": "clipped integers",
    "to_int": "bits widened on purpose",
}


@dataclass
class Summary:
    """Result of `summarize`; print it, or read:

    rows: for each operation a dict of number, operation, output, weights ("1 x 784": 784 weights of a bit), n_weights,
        weight_bits, bytes (of constants), products a sample as "1x1" (bit times bit), "1xint" (1-bit weight times
        integer) and "wide" (anything else), and thresholds.
    logic: of Programs with tables or counts: gates, each once; gates_run, times positions; depth; adders of the counts
        (full and half); thresholds; and, where freezing simplified, trained_gates and those each reason removed.
    wider: for each value that is not turned into bits at once a dict of number, operation, output, bits and why.
    """

    rows: list[dict[str, Any]]
    wider: list[dict[str, Any]]
    file_bytes: int
    totals: dict[str, int] = field(default_factory=dict)
    logic: dict[str, int] = field(default_factory=dict)

    @property
    def n_weights(self) -> int:
        return self.totals["n_weights"]

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights, each at its own width, rows not padded."""
        return -(-sum(row["n_weights"] * row["weight_bits"] for row in self.rows) // 8)

    @property
    def float_bytes(self) -> int:
        """Bytes of the same weights as float32."""
        return 4 * self.n_weights

    @property
    def binary_share(self) -> float:
        """Share of the products that are bit times bit; 0 where there are none."""
        return self.totals["1x1"] / max(sum(self.totals[kind] for kind in ("1x1", "1xint", "wide")), 1)

    def __str__(self) -> str:
        cells = [[str(row["number"]), *(_cell(row[column]) for column in _COLUMNS[1:])] for row in self.rows]
        cells.append(["", "total", "", f"{self.n_weights:,}", *(f"{self.totals[c]:,}" for c in _COLUMNS[4:])])
        table = [list(_COLUMNS), *cells]
        widths = [max(len(line[i]) for line in table) for i in range(len(_COLUMNS))]
        left = {1, 2}
        lines = [
            "  ".join(cell.ljust(widths[i]) if i in left else cell.rjust(widths[i]) for i, cell in enumerate(line))
            for line in table
        ]
        lines = [line.rstrip() for line in [lines[0], "-" * len(lines[0]), *lines[1:]]]
        ratio = self.float_bytes / max(self.weight_bytes, 1)
        lines += [
            "",
            "products a sample: 1x1 bit times bit, 1xint 1-bit weight times integer, wide all others",
            f"file {self.file_bytes:,} bytes; weights {self.weight_bytes:,} bytes, "
            f"as float32 {self.float_bytes:,} ({ratio:.1f} x)",
            f"bit times bit: {100 * self.binary_share:.1f} % of the products",
        ]
        if self.logic:
            lines.append(_logic_text(self.logic))
        if self.wider:
            lines.append("wider than a bit:")
            lines += [f"  {w['number']:>3} {w['operation']}: {w['output']}; {w['why']}" for w in self.wider]
        else:
            lines.append("wider than a bit: nothing")
        return "\n".join(lines)


def summarize(program: Program) -> Summary:
    """Rows, totals and wide values of a Program; see `Summary`."""
    rows = [_row(program, number) for number in range(len(program.ops))]
    totals = {
        key: sum(row[key] for row in rows) for key in ("n_weights", "bytes", "1x1", "1xint", "wide", "thresholds")
    }
    return Summary(rows, _wider(program), len(program.to_bytes(short=True)), totals, _logic(program))


def _row(program: Program, number: int) -> dict[str, Any]:
    op, out = program.ops[number], program.types[number]
    bits, count = _weights(op)
    products = _products(op, [program.types[i] for i in op.inputs], out)
    return {
        "number": number,
        "operation": op.name,
        "output": str(out),
        "weights": f"{bits} x {count:,}" if count else "",
        "n_weights": count,
        "weight_bits": bits,
        "bytes": _constant_bytes(op),
        **dict(zip(("1x1", "1xint", "wide"), products, strict=True)),
        "thresholds": int(op.consts["t"].size) if "t" in op.consts else 0,
    }


def _weights(op: Op) -> tuple[int, int]:
    """(bits of a weight, number of weights); the entries of a logic table count as 1-bit weights."""
    if "w" in op.consts:
        return (1 if op.weight_dtype == "bit" else int(op.weight_dtype[1:])), int(op.consts["w"].size)
    if "table" in op.consts:
        return 1, len(op.consts["table"]) << op.attrs["k"]
    return 0, 0


def _constant_bytes(op: Op) -> int:
    present = [const for const in OPS[op.name].consts if const.name in op.consts]
    return sum(n_bytes(stored_dtype(op, const), op.consts[const.name].shape) for const in present)


def _products(op: Op, inputs: list[ValueType], out: ValueType) -> tuple[int, int, int]:
    positions = int(np.prod(out.shape[1:], dtype=object)) if len(out.shape) == 3 else 1
    if "w" in op.consts:
        return _placed(op.consts["w"].size * positions, inputs[0].kind == "bits", op.weight_dtype == "bit")
    if op.name == "project" and CHOICES["kind"][op.attrs["kind"]] != "hadamard":  # hadamard adds only
        one_bit = CHOICES["kind"][op.attrs["kind"]] == "rademacher"
        return _placed(out.n_values * inputs[0].shape[0], inputs[0].kind == "bits", one_bit)
    return 0, 0, (out.n_values if op.name in ("affine", "prelu") else 0)


def _placed(count: int, bit_input: bool, bit_weights: bool) -> tuple[int, int, int]:
    if not bit_weights:
        return 0, 0, count
    return (count, 0, 0) if bit_input else (0, count, 0)


def _logic(program: Program) -> dict[str, int]:
    gates = run = adders = thresholds = 0
    depth = [0] * len(program.ops)
    for number, op in enumerate(program.ops):
        depth[number] = max((depth[i] for i in op.inputs), default=0)
        if op.name in ("lut", "lut_conv2d"):
            gates += len(op.consts["table"])
            run += len(op.consts["table"]) * int(np.prod(program.types[number].shape[1:], dtype=object))
            depth[number] += _depth(op)
        elif op.name == "count":
            adders += sum(_adders(int(n)) for n in np.diff(op.consts["start"].astype(np.int64)))
        elif op.name == "threshold":
            thresholds += int(op.consts["t"].size) * int(np.prod(program.types[number].shape[1:], dtype=object))
        if program.types[number].kind != "bits":
            depth[number] = 0 if op.name != "count" else depth[number]
    if not gates and not adders:
        return {}
    known = program.header.get("logic")
    made = known if isinstance(known, dict) else {}
    names = ("trained_gates", "constant", "wires", "equal", "dead")
    trained = {name: made[name] for name in names if isinstance(made.get(name), int)}
    found = {"gates": gates, "gates_run": run, "depth": max(depth), "adders": adders, "thresholds": thresholds}
    complete = len(trained) == len(names)
    if complete and isinstance(made.get("rewritten"), int):
        trained["rewritten"] = made["rewritten"]
    return (trained if complete else {}) | found


def _depth(op: Op) -> int:
    """Tables one behind another: 1 in a lut, the longest way through the net of a lut_conv2d."""
    if op.name == "lut":
        return 1
    depth = np.zeros(len(op.consts["taps"]) + len(op.consts["table"]), np.int64)
    for m, wires in enumerate(op.consts["wiring"], len(op.consts["taps"])):
        depth[m] = depth[wires].max() + 1
    return int(depth[op.consts["outputs"]].max())


def _adders(n: int) -> int:
    """Full and half adders that turn n bits into their sum, weight by weight."""
    adders = 0
    while n > 1:
        n //= 2  # of n bits of a weight, each adder leaves one and carries one
        adders += n
    return adders


def _logic_text(logic: dict[str, int]) -> str:
    gates = f"{logic['gates']:,} gates"
    if logic["gates_run"] != logic["gates"]:
        gates += f" ({logic['gates_run']:,} over all positions)"
    if "trained_gates" in logic:
        rewritten = f", {logic['rewritten']:,} rewritten" if logic.get("rewritten") else ""
        gates = (
            f"{logic['trained_gates']:,} gates trained, less {logic['constant']:,} constant, {logic['wires']:,} wires "
            f"and inverters, {logic['equal']:,} equal, {logic['dead']:,} dead{rewritten}: {gates}"
        )
    return f"logic: {gates}; depth {logic['depth']}; {logic['adders']:,} adders; {logic['thresholds']:,} thresholds"


def _wider(program: Program) -> list[dict[str, Any]]:
    """Values that something other than a threshold reads, directly or after pooling and moving."""
    readers: dict[int, list[int]] = {i: [] for i in range(len(program.ops))}
    for number, op in enumerate(program.ops):
        for i in op.inputs:
            readers[i].append(number)
    moves = {"max_pool2d", "gather", "reshape", "concat", "patches"}
    at_once: dict[int, bool] = {}
    for number in reversed(range(len(program.ops))):
        names = [program.ops[reader].name for reader in readers[number]]
        at_once[number] = bool(names) and all(
            name == "threshold" or (name in moves and at_once[reader])
            for name, reader in zip(names, readers[number], strict=True)
        )
    wide = []
    for number, (op, type_) in enumerate(zip(program.ops, program.types, strict=True)):
        if type_.kind == "bits" or op.name in moves | {"output"} or (at_once[number] and op.name != "input"):
            continue
        width = 32 if type_.kind == "float" else _width(type_)
        wide.append({
            "number": number, "operation": op.name, "output": str(type_), "bits": width, "why": _why(program, number),
        })  # fmt: skip
    return wide


def _why(program: Program, number: int) -> str:
    op = program.ops[number]
    if program.ops[-1].inputs == (number,):
        return "the scores"
    if op.name in _WHY:
        return _WHY[op.name]
    if op.name.startswith("int_") and program.types[op.inputs[0]].kind != "bits":
        return f"sums over value {op.inputs[0]}, which is wider than a bit"
    return "sums that no threshold turns into bits at once"


def _width(type_: ValueType) -> int:
    """Bits that hold lo..hi, with a sign bit where lo is negative."""
    return max((-type_.lo - 1).bit_length() + 1, type_.hi.bit_length() + 1) if type_.lo < 0 else type_.hi.bit_length()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,}" if value else ""
