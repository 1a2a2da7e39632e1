"""A logic Program as Verilog written another way: tables stay tables, sums are loops. yosys compares the two."""

from bitwright.ir.windows import output_size


def gold(program, name="gold"):
    """One combinational module with the ports that `export` gives it, without the class."""
    kind, out = program.types[0], program.types[-1]
    width = 1 if kind.kind == "bits" else kind.hi.bit_length()
    score_width = max(out.lo.bit_length() if out.lo >= 0 else (-out.lo - 1).bit_length(), out.hi.bit_length(), 1) + 1
    lines = [f"module {name} (input wire [{kind.n_values * width - 1}:0] x,",
             f"  output wire [{out.n_values * score_width - 1}:0] scores);"]  # fmt: skip
    for number, op in enumerate(program.ops[1:], start=1):
        type_, v = program.types[number], f"v{number}"
        source, before = f"v{op.inputs[0]}", program.types[op.inputs[0]]
        if op.name == "output":
            lines.append(f"  assign scores = {source};")
            break
        bits = type_.n_values * (score_width if type_.kind == "int" else 1)
        lines.append(f"  wire [{bits - 1}:0] {v};")
        lines += WRITERS[op.name](op, v, "x" if op.inputs == (0,) else source, before, type_, width, score_width)
    return "\n".join([*lines, "endmodule", ""])


def threshold(op, v, x, before, type_, width, score_width):
    t, flip, positions = op.consts["t"], op.consts["flip"], before.n_values // before.shape[0]
    for k in range(type_.n_values):
        bit, position = divmod(k, positions)
        pixel = bit // t.shape[1] * positions + position
        limit = int(t.reshape(-1)[bit])
        met = f"({x}[{pixel * width} +: {width}] >= {limit})"
        met = "1'b1" if limit <= 0 else "1'b0" if limit >= 1 << width else met
        yield f"  assign {v}[{k}] = {met} ^ 1'b{flip[bit]};"


def look_up(v, k, table, inputs):
    size = 1 << len(inputs)
    yield f"  wire [{size - 1}:0] {v}_t{k} = {size}'h{int(table):x};"
    yield f"  assign {v}[{k}] = {v}_t{k}[{{{', '.join(inputs)}}}];"


def lut(op, v, x, before, type_, width, score_width):
    for g, (wires, table) in enumerate(zip(op.consts["wiring"], op.consts["table"], strict=True)):
        yield from look_up(v, g, table, [f"{x}[{s}]" for s in wires])


def lut_conv2d(op, v, x, before, type_, width, score_width):
    a, (_, height, columns) = op.attrs, before.shape
    taps, tables, outputs = op.consts["taps"].tolist(), op.consts["table"].tolist(), op.consts["outputs"].tolist()
    rows, across = output_size(a, height, columns)
    for p in range(rows * across):
        top, left = p // across * a["stride_h"] - a["pad_top"], p % across * a["stride_w"] - a["pad_left"]
        at = f"{v}_at{p}"
        yield f"  wire [{len(taps) + len(tables) - 1}:0] {at};"
        for t, (c, dy, dx) in enumerate(taps):
            r, q = top + dy, left + dx
            inside = 0 <= r < height and 0 <= q < columns
            yield f"  assign {at}[{t}] = {f'{x}[{(c * height + r) * columns + q}]' if inside else a['pad_value']};"
        for m, (wires, table) in enumerate(zip(op.consts["wiring"], tables, strict=True)):
            yield from look_up(at, len(taps) + m, table, [f"{at}[{s}]" for s in wires])
        for o, signal in enumerate(outputs):
            yield f"  assign {v}[{o * rows * across + p}] = {at}[{signal}];"


def max_pool2d(op, v, x, before, type_, width, score_width):
    a, (_, height, columns), (_, rows, across) = op.attrs, before.shape, type_.shape
    for k in range(type_.n_values):
        c, p = divmod(k, rows * across)
        top, left = p // across * a["stride_h"] - a["pad_top"], p % across * a["stride_w"] - a["pad_left"]
        places = [(r, q) for r in range(top, top + a["kernel_h"]) for q in range(left, left + a["kernel_w"])]
        seen = [f"{x}[{(c * height + r) * columns + q}]" for r, q in places if 0 <= r < height and 0 <= q < columns]
        yield f"  assign {v}[{k}] = |{{{', '.join(seen)}}};"


def reshape(op, v, x, before, type_, width, score_width):
    yield f"  assign {v} = {x};"


def count(op, v, x, before, type_, width, score_width):
    start, signal, flags = (op.consts[name].tolist() for name in ("start", "signal", "invert"))
    for g, offset in enumerate(op.consts["offset"].tolist()):
        members = range(start[g], start[g + 1])
        read = [f"{x}[{signal[i]}]" for i in reversed(members)] or ["1'b0"]
        turned = "".join(str(flags[i]) for i in reversed(members)) or "0"
        yield f"  wire [{len(turned) - 1}:0] {v}_b{g} = {{{', '.join(read)}}} ^ {len(turned)}'b{turned};"
        yield f"  reg [{score_width - 1}:0] {v}_s{g};"
        yield f"  integer {v}_i{g};"
        yield f"  always @* begin {v}_s{g} = {offset};"
        yield f"    for ({v}_i{g} = 0; {v}_i{g} < {len(turned)}; {v}_i{g} = {v}_i{g} + 1)"
        yield f"      {v}_s{g} = {v}_s{g} + {v}_b{g}[{v}_i{g}];"
        yield "  end"
        yield f"  assign {v}[{g * score_width} +: {score_width}] = {v}_s{g};"


WRITERS = {"threshold": threshold, "lut": lut, "lut_conv2d": lut_conv2d, "max_pool2d": max_pool2d, "reshape": reshape,
           "count": count}  # fmt: skip
