"""C for sums of products: xnor_linear, xnor_conv2d, int_linear, int_conv2d."""

from collections.abc import Sequence

import numpy as np

from bitwright.backends.c.source import Ref, Source, literal, rule
from bitwright.bits import pack_bits
from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Op

_POPCOUNT = """
static int32_t ones_in(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int32_t)(v * UINT64_C(0x0101010101010101) >> 56);
}

/* Lane l of n_bits signals `step` apart, 64 to a word, the first the least significant, the rest of the last word 0. */
static void pack_lane(const word *x, int32_t l, int32_t n_bits, int32_t step, uint64_t *packed)
{
    for (int32_t i = 0; i < n_bits; i += 64) {
        uint64_t bits = 0;
        for (int32_t b = 0; b < 64 && i + b < n_bits; b++)
            bits |= (uint64_t)BIT(x, (i + b) * step) << b;
        packed[i / 64] = bits;
    }
}
"""

ACCUMULATED = {
    "int32": "s",
    "wrap8": "((s + 128) & 255) - 128",
    "wrap8_half": "(((s - (s & 1)) / 2 + 128) & 255) - 128",
}


def _accumulated(op: Op) -> str:
    return ACCUMULATED[CHOICES["accumulator"][op.attrs["accumulator"]]]


@rule("xnor_linear")
def xnor_linear(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    words = pack_bits(op.consts["w"]).words
    c.helper(_POPCOUNT)
    c.array(f"{name}_w", words, "uint64_t")
    text = """
static void $name(const word *restrict x, int32_t n, uint64_t *restrict packed, int32_t *restrict y)
{
    EACH_LANE {
        pack_lane(x, l, $k, 1, packed);
        for (int32_t o = 0; o < $outputs; o++) {
            int32_t s = $k;
            for (int32_t i = 0; i < $words; i++)
                s -= 2 * ones_in(packed[i] ^ ${name}_w[o * $words + i]);
            y[AT(o)] = $accumulated;
        }
    }
}
"""
    n_words = words.shape[1]
    k = x.type.shape[0]
    c.define(text, name=name, k=k, outputs=y.channels, words=n_words, accumulated=_accumulated(op))
    c.call(name, x.place, "n", c.need("uint64_t", n_words), y.place)


def _window_names(op: Op, x: Ref, y: Ref) -> dict[str, object]:
    """What every text about windows is filled with."""
    names: dict[str, object] = {key: op.attrs.get(key, 1) for key in ("dilation_h", "dilation_w", "groups")}
    names |= {key: op.attrs[key] for key in ("kernel_h", "kernel_w", "stride_h", "stride_w", "pad_top", "pad_left")}
    names |= {"height": x.type.shape[1], "width": x.type.shape[2], "in": x.channels, "outputs": y.channels}
    return names | {"out_h": y.type.shape[1], "out_w": y.type.shape[2]}


@rule("xnor_conv2d")
def xnor_conv2d(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    """Every pixel's channels are packed once; a place outside adds what its weights give with the pad value."""
    (x,) = xs
    w = op.consts["w"]
    n_out, per_group, kernel_h, kernel_w = w.shape
    words = pack_bits(w.transpose(0, 2, 3, 1).reshape(-1, per_group)).words
    outside = op.attrs["pad_value"] * (2 * w.astype(np.int64).sum(axis=1) - per_group)  # (O, kernel_h, kernel_w)
    c.helper(_POPCOUNT)
    c.array(f"{name}_w", words, "uint64_t")
    c.array(f"{name}_outside", outside)
    text = """
static void $name(const word *restrict x, int32_t n, uint64_t *restrict packed, int32_t *restrict y)
{
    EACH_LANE {
        for (int32_t g = 0; g < $groups; g++)
            for (int32_t p = 0; p < $height * $width; p++)
                pack_lane(x + (g * $per_group * $height * $width + p) * WORDS, l, $per_group,
                          $height * $width, packed + (g * $height * $width + p) * $words);
        for (int32_t o = 0; o < $outputs; o++)
            for (int32_t i = 0; i < $out_h; i++)
                for (int32_t j = 0; j < $out_w; j++) {
                    const uint64_t *image = packed + o / $out_group * $height * $width * $words;
                    int32_t s = 0;
                    for (int32_t k = 0; k < $kernel_h * $kernel_w; k++) {
                        const int32_t r = i * $stride_h - $pad_top + k / $kernel_w * $dilation_h;
                        const int32_t c = j * $stride_w - $pad_left + k % $kernel_w * $dilation_w;
                        if (r < 0 || r >= $height || c < 0 || c >= $width) {
                            s += ${name}_outside[o * $kernel_h * $kernel_w + k];
                            continue;
                        }
                        s += $per_group;
                        for (int32_t b = 0; b < $words; b++)
                            s -= 2 * ones_in(image[(r * $width + c) * $words + b]
                                             ^ ${name}_w[(o * $kernel_h * $kernel_w + k) * $words + b]);
                    }
                    y[AT((o * $out_h + i) * $out_w + j)] = $accumulated;
                }
    }
}
"""
    n_words, groups = words.shape[1], op.attrs["groups"]
    own = {"per_group": per_group, "words": n_words, "out_group": n_out // groups, "accumulated": _accumulated(op)}
    c.define(text, name=name, **own, **_window_names(op, x, y))
    packed = c.need("uint64_t", groups * x.positions * n_words)
    c.call(name, x.place, "n", packed, y.place)


def _weights(c: Source, op: Op, name: str, rows: np.ndarray, x: Ref, pad: int) -> dict[str, object]:
    """Writes the weights; gives how to multiply by them, and the type in which every sum of any part is exact."""
    reach = 1 if x.type.kind == "bits" else max(abs(x.type.lo), abs(x.type.hi))
    if op.weight_dtype == "bit":
        heaviest, words = rows.shape[1], pack_bits(rows).words
        c.array(f"{name}_w", words, "uint64_t")
        weight = f"{name}_w[o * {words.shape[1]} + k / 64] >> k % 64 & 1"
    else:
        heaviest = int(np.abs(rows.astype(np.int64)).sum(axis=1).max())
        c.array(f"{name}_w", rows)
        weight = f"{name}_w[o * {rows.shape[1]} + k]"
    sum_type = "int32_t" if max(heaviest, 1) * max(reach, abs(pad), 1) < 1 << 31 else "int64_t"
    product = f"({weight}) ? v : -v" if op.weight_dtype == "bit" else f"v * {weight}"
    return {"name": name, "sum": sum_type, "product": product, "x": x.ctype, "pad": literal(pad)}


def _value(x: Ref, at: str) -> str:
    return f"2 * BIT(x, {at}) - 1" if x.type.kind == "bits" else f"x[AT({at})]"


@rule("int_linear")
def int_linear(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    names = _weights(c, op, name, op.consts["w"], x, 0)
    text = """
static void $name(const $x *restrict x, int32_t n, $y *restrict y)
{
    for (int32_t o = 0; o < $outputs; o++)
        EACH_LANE {
            $sum s = 0;
            for (int32_t k = 0; k < $k; k++) {
                const $sum v = $value;
                s += $product;
            }
            y[AT(o)] = ($y)s;
        }
}
"""
    names |= {"y": y.ctype, "outputs": y.channels, "k": x.type.shape[0], "value": _value(x, "k")}
    c.define(text, **names)
    c.call(name, x.place, "n", y.place)


@rule("int_conv2d")
def int_conv2d(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    w = op.consts["w"]
    names = _weights(c, op, name, w.reshape(len(w), -1), x, op.attrs["pad_value"])
    text = """
static void $name(const $x *restrict x, int32_t n, $y *restrict y)
{
    for (int32_t o = 0; o < $outputs; o++)
        for (int32_t i = 0; i < $out_h; i++)
            for (int32_t j = 0; j < $out_w; j++)
                EACH_LANE {
                    $sum s = 0;
                    for (int32_t k = 0; k < $products; k++) {
                        const int32_t r = i * $stride_h - $pad_top + k / $kernel_w % $kernel_h * $dilation_h;
                        const int32_t c = j * $stride_w - $pad_left + k % $kernel_w * $dilation_w;
                        const int32_t channel = o / $out_group * $per_group + k / ($kernel_h * $kernel_w);
                        const int32_t outside = r < 0 || r >= $height || c < 0 || c >= $width;
                        const $sum v = outside ? $pad : $value;
                        s += $product;
                    }
                    y[AT((o * $out_h + i) * $out_w + j)] = ($y)s;
                }
}
"""
    value = _value(x, "(channel * $height + r) * $width + c")
    names |= _window_names(op, x, y)
    value = value.replace("$height", str(names["height"])).replace("$width", str(names["width"]))
    names |= {"y": y.ctype, "products": w[0].size, "per_group": w.shape[1], "value": value}
    c.define(text, out_group=len(w) // op.attrs["groups"], **names)
    c.call(name, x.place, "n", y.place)
