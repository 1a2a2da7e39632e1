"""C for what moves values or works on each alone: gather, pad, pools, affine, prelu, clip, add and their like."""

from collections.abc import Sequence

from bitwright.backends.c.source import Ref, Source, literal, rule
from bitwright.ir.program import Op
from bitwright.ir.types import BOUND


def _copies(c: Source, name: str, x: Ref, y: Ref, text: str, **names: object) -> None:
    """Defines and calls a function from x to y; over bits a word is all lanes, so that it takes no n."""
    bits = x.type.kind == "bits"
    parameters = f"const {x.ctype} *restrict x{'' if bits else ', int32_t n'}, {y.ctype} *restrict y"
    c.define(text, name=name, parameters=parameters, **names)
    c.call(name, x.place, *(() if bits else ("n",)), y.place)


def _move(x: Ref, to: str, source: str, indent: int) -> str:
    """One element, or one number of each lane, from x to y."""
    if x.type.kind == "bits":
        return f"EACH_WORD\n{' ' * (indent + 4)}y[W({to})] = x[W({source})];"
    space = "\n" + " " * (indent + 4)
    return f"EACH_LANE{space}y[AT({to})] = x[AT({source})];"


def _put(x: Ref, to: str, value: int, indent: int) -> str:
    if x.type.kind == "bits":
        return f"EACH_WORD\n{' ' * (indent + 4)}y[W({to})] = {'(word)~(word)0' if value else '0'};"
    space = "\n" + " " * (indent + 4)
    return f"EACH_LANE{space}y[AT({to})] = {literal(value)};"


@rule("gather")
def gather(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    c.array(f"{name}_index", op.consts["index"])
    text = """
static void $name($parameters)
{
    for (int32_t i = 0; i < $channels; i++)
        for (int32_t p = 0; p < $positions; p++)
            $move
}
"""
    move = _move(x, f"i * {y.positions} + p", f"{name}_index[i] * {y.positions} + p", 12)
    _copies(c, name, x, y, text, channels=y.channels, positions=y.positions, move=move)


@rule("concat")
def concat(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    at = 0
    for i, x in enumerate(xs):
        text = """
static void $name($parameters)
{
    for (int32_t i = 0; i < $size; i++)
        $move
}
"""
        move = _move(x, f"{at} + i" if at else "i", "i", 8)
        _copies(c, f"{name}_{i}", x, y, text, size=x.type.n_values, move=move)
        at += x.type.n_values


@rule("pad")
def pad(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    height, width = (*x.type.shape, 1, 1)[1:3]
    out_h, out_w = (*y.type.shape, 1, 1)[1:3]
    a = op.attrs
    text = """
static void $name($parameters)
{
    for (int32_t k = 0; k < $channels; k++)
        for (int32_t i = 0; i < $out_h; i++)
            for (int32_t j = 0; j < $out_w; j++) {
                const int32_t c = k - $before, r = i - $top, v = j - $left, to = (k * $out_h + i) * $out_w + j;
                if (c >= 0 && c < $in && r >= 0 && r < $height && v >= 0 && v < $width)
                    $move
                else
                    $put
            }
}
"""
    _copies(
        c, name, x, y, text, channels=y.channels, out_h=out_h, out_w=out_w, height=height, width=width,
        before=a["pad_before"], top=a["pad_top"], left=a["pad_left"], put=_put(x, "to", a["pad_value"], 20),
        move=_move(x, "to", f"(c * {height} + r) * {width} + v", 20), **{"in": x.channels},
    )  # fmt: skip


@rule("patches")
def patches(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    height, width = x.type.shape[1:]
    text = """
static void $name($parameters)
{
    for (int32_t k = 0; k < $rows; k++)
        for (int32_t i = 0; i < $out_h; i++)
            for (int32_t j = 0; j < $out_w; j++) {
                const int32_t c = k / ($kernel_h * $kernel_w), to = (k * $out_h + i) * $out_w + j;
                const int32_t r = i * $stride_h - $pad_top + k / $kernel_w % $kernel_h * $dilation_h;
                const int32_t v = j * $stride_w - $pad_left + k % $kernel_w * $dilation_w;
                if (r >= 0 && r < $height && v >= 0 && v < $width)
                    $move
                else
                    $put
            }
}
"""
    names = {key: value for key, value in op.attrs.items() if key != "pad_value"}
    _copies(
        c, name, x, y, text, rows=y.channels, out_h=y.type.shape[1], out_w=y.type.shape[2], height=height,
        width=width, put=_put(x, "to", op.attrs["pad_value"], 20),
        move=_move(x, "to", f"(c * {height} + r) * {width} + v", 20), **names,
    )  # fmt: skip


_POOL = """
static void $name($parameters)
{
    for (int32_t c = 0; c < $channels; c++)
        for (int32_t i = 0; i < $out_h; i++)
            for (int32_t j = 0; j < $out_w; j++) {
                const int32_t top = i * $stride_h - $pad_top, left = j * $stride_w - $pad_left;
                const int32_t to = (c * $out_h + i) * $out_w + j;
                int32_t first = 1;
                for (int32_t r = top < 0 ? 0 : top; r < top + $kernel_h && r < $height; r++)
                    for (int32_t v = left < 0 ? 0 : left; v < left + $kernel_w && v < $width; v++) {
                        const int32_t from = (c * $height + r) * $width + v;
                        $take
                        first = 0;
                    }
            }
}
"""


@rule("max_pool2d", "sum_pool2d")
def pool2d(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    if x.type.kind == "bits":
        take = "EACH_WORD\n" + " " * 28 + "y[W(to)] = (word)(first ? x[W(from)] : y[W(to)] | x[W(from)]);"
    elif op.name == "max_pool2d":
        larger = "if (first || x[AT(from)] > y[AT(to)])\n" + " " * 32 + "y[AT(to)] = x[AT(from)];"
        take = "EACH_LANE\n" + " " * 28 + larger
    else:
        take = "EACH_LANE\n" + " " * 28 + "y[AT(to)] = first ? x[AT(from)] : y[AT(to)] + x[AT(from)];"
    height, width = x.type.shape[1:]
    names = dict(op.attrs) | {"height": height, "width": width, "channels": y.channels, "take": take}
    _copies(c, name, x, y, _POOL, out_h=y.type.shape[1], out_w=y.type.shape[2], **names)


_EACH = """
static void $name(const $x *restrict x$more, int32_t n, $y *restrict y)
{
    for (int32_t i = 0; i < $size; i++)
        EACH_LANE
            y[AT(i)] = $value;
}
"""


def _each(c: Source, name: str, x: Ref, y: Ref, value: str, other: Ref | None = None) -> None:
    """y[i] = value, for every value alone; value may read other[...] of the same shape."""
    more = f", const {other.ctype} *restrict other" if other else ""
    c.define(_EACH, name=name, x=x.ctype, y=y.ctype, more=more, size=y.type.n_values, value=value)
    c.call(name, x.place, *((other.place,) if other else ()), "n", y.place)


_SHIFT = """
static int64_t shifted(int64_t v, int32_t shift)
{
    return v >= 0 ? v >> shift : ~(~v >> shift);
}
"""


@rule("affine", "prelu")
def affine(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    c.helper(_SHIFT)
    for const, values in op.consts.items():
        c.array(f"{name}_{const}", values)
    channel = f"[i / {x.positions}]" if x.positions > 1 else "[i]"
    mul = f"{name}_mul{channel}"
    if op.name == "prelu":
        mul = f"(x[AT(i)] >= 0 ? {name}_pos{channel} : {name}_neg{channel})"
    value = f"shifted((int64_t)x[AT(i)] * {mul} + {name}_add{channel}, {name}_shift{channel})"
    _each(c, name, x, y, value if y.ctype == "int64_t" else f"({y.ctype}){value}")


@rule("clip")
def clip(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    lo, hi = (literal(min(max(op.attrs[end], -BOUND), BOUND)) for end in ("lo", "hi"))
    _each(c, name, x, y, f"({y.ctype})(x[AT(i)] < {lo} ? {lo} : x[AT(i)] > {hi} ? {hi} : x[AT(i)])")


@rule("add")
def add(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    x = xs[0]
    if len(xs) == 2 and xs[1] == x:
        _each(c, name, x, y, f"({y.ctype})x[AT(i)] + x[AT(i)]")
    elif len(xs) == 2:
        _each(c, name, x, y, f"({y.ctype})((int64_t)x[AT(i)] + other[AT(i)])", xs[1])
    else:
        constant = op.consts["b"]
        c.array(f"{name}_b", constant)
        at = "i" if constant.ndim == 3 or x.positions == 1 else f"i / {x.positions}"
        _each(c, name, x, y, f"({y.ctype})((int64_t)x[AT(i)] + {name}_b[{at}])")


@rule("to_int")
def to_int(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    _each(c, name, xs[0], y, "BIT(x, i)" if op.attrs["mode"] == 0 else "2 * BIT(x, i) - 1")
