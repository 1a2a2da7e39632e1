"""C for the ends of a Program: reading samples, writing scores; and thresholds of bytes, read where they lie."""

import numpy as np

from bitwright.backends.c.source import Ref, Source
from bitwright.ir.program import Op, Program

_KEY = """
/* An integer in the same order as the float: -0.0 and +0.0 are one, infinities stand at the ends. */
static int32_t float_key(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? -(bits & 0x7fffffff) : bits;
}
"""

_COMPARE_BYTES = """
static uint64_t eight_bytes(const uint8_t *x, int32_t width)
{
    uint64_t all = 0;
    if (width == 8)
        return (uint64_t)x[0] | (uint64_t)x[1] << 8 | (uint64_t)x[2] << 16 | (uint64_t)x[3] << 24
            | (uint64_t)x[4] << 32 | (uint64_t)x[5] << 40 | (uint64_t)x[6] << 48 | (uint64_t)x[7] << 56;
    for (int32_t b = 0; b < width; b++)
        all |= (uint64_t)x[b] << 8 * b;
    return all;
}

/* y[i] = bits of (x[i] >= t[i]) over n samples of `size` bytes; eight bytes are compared in one word. */
static void compare_bytes(const uint8_t *x, int32_t n, int32_t size, const uint8_t *t, word *y)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    for (int32_t i = 0; i < size; i += 8) {
        const int32_t width = size - i < 8 ? size - i : 8;
        const uint64_t limit = eight_bytes(t + i, width);
        word bits[8][WORDS] = {{0}};
        for (int32_t l = 0; l < n; l += 8) {
            const int32_t some = n - l < 8 ? n - l : 8;
            uint64_t met = 0;
            for (int32_t k = 0; k < some; k++) {
                const uint64_t v = eight_bytes(x + (size_t)(l + k) * (size_t)size + i, width);
                const uint64_t low = (v | high) - (limit & ~high);
                met |= (((v & low) | (~limit & (v | low))) & high) >> (7 - k);
            }
            for (int32_t b = 0; b < 8; b++)
                bits[b][l / WORD_BITS] |= (word)((word)(met >> 8 * b & 255) << l % WORD_BITS);
        }
        for (int32_t b = 0; b < width; b++)
            EACH_WORD
                y[W(i + b)] = bits[b][q];
    }
}
"""


def float_keys(t: np.ndarray) -> np.ndarray:
    """What `float_key` of the C file gives for float32 t."""
    bits = np.ascontiguousarray(t, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def input_ctype(program: Program) -> str:
    type_ = program.input_type
    if type_.kind == "float":
        return "float"
    if type_.kind == "bits" or (type_.lo >= 0 and type_.hi < 256):
        return "uint8_t"
    return next(f"int{w}_t" for w in (8, 16, 32) if -(1 << (w - 1)) <= type_.lo and type_.hi < 1 << (w - 1))


def reads_bytes(program: Program, lanes: int, op: Op) -> bool:
    """Whether this operation compares the input's bytes where they lie."""
    return op.name == "threshold" and op.inputs == (0,) and lanes > 1 and input_ctype(program) == "uint8_t"


def write_input(c: Source, program: Program, y: Ref) -> None:
    """The call that brings samples x into a block's memory."""
    size, ctype = program.input_type.n_values, input_ctype(program)
    if y.type.kind == "bits" and c.lanes > 1:
        c.helper(_COMPARE_BYTES)
        c.array("input_0_t", np.ones(size, np.int64), "uint8_t")
        c.call("compare_bytes", "x", "n", size, "input_0_t", y.place)
        return
    if ctype == "float":
        c.helper(_KEY)
    text = """
static void input_0(const $ctype *x, int32_t n, $y *y)
{
    EACH_LANE
        for (int32_t i = 0; i < $size; i++)
            y[$at] = $value;
}
"""
    at, value = ("i", "x[i]") if y.type.kind == "bits" else ("AT(i)", f"x[(size_t)l * {size} + i]")
    value = f"float_key({value})" if ctype == "float" else value
    c.define(text, ctype=ctype, y=y.ctype, size=size, at=at, value=value)
    c.call("input_0", "x", "n", y.place)


def threshold_bytes(c: Source, op: Op, name: str, y: Ref, shape: tuple[int, ...]) -> None:
    """A threshold on input bytes, without a copy of the input."""
    t = op.consts["t"].astype(object)  # (C, J)
    flip = op.consts["flip"].astype(np.uint8).reshape(t.shape)
    never = t > 255
    limits = np.where(never, 0, np.clip(t, 0, 255)).astype(np.int64)  # never met: always met, and turned round
    flip = flip ^ never.astype(np.uint8)
    channels, planes = t.shape
    positions = int(np.prod(shape)) // channels
    c.helper(_COMPARE_BYTES)
    c.array(f"{name}_t", np.repeat(limits.T, positions, axis=1), "uint8_t")
    c.array(f"{name}_flip", flip.T, "uint8_t")
    size = channels * positions
    compared = c.need("word", size)
    text = """
static void $name(const uint8_t *x, int32_t n, word *s, word *y)
{
    for (int32_t j = 0; j < $planes; j++) {
        compare_bytes(x, n, $size, ${name}_t + j * $size, s);
        for (int32_t c = 0; c < $channels; c++)
            for (int32_t p = 0; p < $positions; p++)
                EACH_WORD
                    y[W((c * $planes + j) * $positions + p)] =
                        (word)(s[W(c * $positions + p)] ^ (word)(0 - (word)${name}_flip[j * $channels + c]));
    }
}
"""
    c.define(text, name=name, planes=planes, channels=channels, positions=positions, size=size)
    c.call(name, "x", "n", compared, y.place)
