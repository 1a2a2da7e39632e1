"""C for tables and comparisons: threshold, digitize, lut, lut_conv2d."""

from collections.abc import Sequence

import numpy as np

from bitwright.backends.c.ends import float_keys
from bitwright.backends.c.source import Ref, Source, rule, smallest_ctype
from bitwright.backends.tables import expression
from bitwright.ir.program import Op

STATEMENTS = 500  # gates of one operation up to which they are written one by one
ALL = {"0": "0", "1": "(word)~(word)0"}


@rule("threshold")
def threshold(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    limits = op.consts["t"]
    if x.type.kind == "float":
        limits = float_keys(limits)
    else:  # what no value reaches, and what every value reaches, without numbers beyond the range
        limits = np.array([min(max(int(v), x.type.lo), x.type.hi + 1) for v in limits.reshape(-1)], object)
    c.array(f"{name}_t", limits)
    c.array(f"{name}_flip", op.consts["flip"])
    text = """
static void $name(const $x *restrict x, int32_t n, word *restrict y)
{
    for (int32_t k = 0; k < $channels; k++)
        for (int32_t p = 0; p < $positions; p++) {
            word met[WORDS] = {0};
            EACH_LANE
                met[l / WORD_BITS] |=
                    (word)((word)(x[AT(k / $planes * $positions + p)] >= ${name}_t[k]) << l % WORD_BITS);
            EACH_WORD
                y[W(k * $positions + p)] = (word)(met[q] ^ (word)(0 - (word)${name}_flip[k]));
        }
}
"""
    planes = op.consts["t"].shape[1]
    c.define(text, name=name, x=x.ctype, channels=y.channels, planes=planes, positions=y.positions)
    c.call(name, x.place, "n", y.place)


@rule("digitize")
def digitize(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    limits = op.consts["t"]
    if x.type.kind == "float":
        limits = float_keys(limits)
    else:
        limits = np.array([min(max(int(v), x.type.lo), x.type.hi + 1) for v in limits.reshape(-1)], object)
    c.array(f"{name}_t", limits)
    text = """
static void $name(const $x *restrict x, int32_t n, int32_t *restrict y)
{
    for (int32_t i = 0; i < $size; i++)
        EACH_LANE {
            int32_t below = 0;
            for (int32_t j = 0; j < $planes; j++)
                below += x[AT(i)] >= ${name}_t[i / $positions * $planes + j];
            y[AT(i)] = below;
        }
}
"""
    planes = op.consts["t"].shape[1]
    c.define(text, name=name, x=x.ctype, size=y.type.n_values, planes=planes, positions=y.positions)
    c.call(name, x.place, "n", y.place)


@rule("lut")
def lut(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    """Few gates, or hardly two alike, as statements; many as a loop for each table over the wiring of its gates.

    Statements take a compiler about a thousand times longer than numbers in an array, and run no faster.
    """
    (x,) = xs
    n_gates, n_tables = len(op.consts["table"]), len(np.unique(op.consts["table"]))
    write = _lut_loops if n_gates > STATEMENTS and n_gates >= 8 * n_tables else _lut_statements
    write(c, op, name, x, y)
    c.call(name, x.place, y.place)


def _lut_statements(c: Source, op: Op, name: str, x: Ref, y: Ref) -> None:
    positions = y.positions * c.words  # the words of one signal, side by side

    def statements():
        for gate, (wires, table) in enumerate(zip(op.consts["wiring"], op.consts["table"], strict=True)):
            text, cost = expression(int(table), [f"x[{int(s) * positions}]" for s in wires])
            yield f"y[{gate * positions}] = (word){ALL.get(text, text)};", cost

    at = "x + p, y + p" if positions > 1 else "x, y"
    calls = c.parts(name, "const word *restrict x, word *restrict y", statements(), at)
    loop = f"    for (int32_t p = 0; p < {positions}; p++) {{\n{calls}\n    }}" if positions > 1 else calls
    c.define("static void $name(const word *restrict x, word *restrict y)\n{\n$loop\n}", name=name, loop=loop)


def _lut_loops(c: Source, op: Op, name: str, x: Ref, y: Ref) -> None:
    wiring, table, positions = op.consts["wiring"].astype(np.int64), op.consts["table"], y.positions * c.words
    order = np.lexsort((wiring[:, 0], table))
    c.array(f"{name}_wires", wiring[order])
    c.array(f"{name}_gate", order)
    kinds, starts = np.unique(table[order], return_index=True)
    loops = []
    for kind, start, end in zip(kinds, starts, [*starts[1:], len(table)], strict=True):
        inputs = [_at(f"w[{j}]", positions) for j in range(wiring.shape[1])]
        text, _ = expression(int(kind), inputs)
        loops.append(
            f"    for (int32_t i = {start}; i < {end}; i++) {{\n"
            f"        const {smallest_ctype(0, int(wiring.max()))} *w = {name}_wires + {wiring.shape[1]} * i;\n"
            f"        {'(void)w;' if text in ALL else ''}{_each_position(positions)}"
            f"y[{_at(f'{name}_gate[i]', positions)[2:-1]}] = (word){ALL.get(text, text)};\n    }}"
        )
    c.define(
        "static void $name(const word *restrict x, word *restrict y)\n{\n$loops\n}", name=name, loops="\n".join(loops)
    )


def _at(signal: str, positions: int) -> str:
    return f"x[{signal} * {positions} + p]" if positions > 1 else f"x[{signal}]"


def _each_position(positions: int) -> str:
    return f"for (int32_t p = 0; p < {positions}; p++)\n            " if positions > 1 else ""


@rule("lut_conv2d")
def lut_conv2d(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    a, taps = op.attrs, op.consts["taps"].astype(np.int64)
    height, width = x.type.shape[1:]

    def statements():
        for m, (wires, table) in enumerate(zip(op.consts["wiring"], op.consts["table"], strict=True)):
            text, cost = expression(int(table), [f"s[{int(i) * c.words}]" for i in wires])
            yield f"s[{(len(taps) + m) * c.words}] = (word){ALL.get(text, text)};", cost

    calls = c.parts(name, "word *s", statements(), "s + q").replace("        ", "                ")
    offset = (taps[:, 0] * height + taps[:, 1]) * width + taps[:, 2]
    for what, values in (("offset", offset), ("dy", taps[:, 1]), ("dx", taps[:, 2]), ("output", op.consts["outputs"])):
        c.array(f"{name}_{what}", values)
    text = """
static void $name(const word *restrict x, word *restrict s, word *restrict y)
{
    for (int32_t i = 0; i < $out_h; i++)
        for (int32_t j = 0; j < $out_w; j++) {
            const int32_t top = i * $stride_h - $pad_top, left = j * $stride_w - $pad_left;
            for (int32_t t = 0; t < $taps; t++) {
                const int32_t r = top + ${name}_dy[t], c = left + ${name}_dx[t];
                const int32_t inside = r >= 0 && r < $height && c >= 0 && c < $width;
                EACH_WORD
                    s[W(t)] = (word)(inside ? x[W(${name}_offset[t] + top * $width + left)] : $pad);
            }
            EACH_WORD {
$calls
            }
            for (int32_t o = 0; o < $outputs; o++)
                EACH_WORD
                    y[W((o * $out_h + i) * $out_w + j)] = s[W(${name}_output[o])];
        }
}
"""
    c.define(
        text, name=name, out_h=y.type.shape[1], out_w=y.type.shape[2], height=height, width=width, taps=len(taps),
        stride_h=a["stride_h"], stride_w=a["stride_w"], pad_top=a["pad_top"], pad_left=a["pad_left"], calls=calls,
        pad=ALL[str(a["pad_value"])], outputs=y.channels,
    )  # fmt: skip
    signals = c.need("word", len(taps) + len(op.consts["table"]))
    c.call(name, x.place, signals, y.place)
