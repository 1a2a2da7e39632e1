"""C for `count`: sums of bits, in lanes by carry-save adders."""

from collections.abc import Sequence

import numpy as np

from bitwright.backends.c.source import Ref, Source, rule
from bitwright.ir.program import Op

_FULL_ADDERS = """
/* Adds n words of bits into counters that lie bit by bit: planes[b] holds bit b of every lane's number.
   Eight words at a time go through carry-save adders, so that only one word in eight ripples upward. */
static void add_bits(const word *x, const uint32_t *signal, int32_t n, word flip, word *planes, int32_t top)
{
#define ADD(sum, carry, a, b) (half = (word)(sum ^ (a)), carry = (word)((sum & (a)) | (half & (b))), \\
    sum = (word)(half ^ (b)))
    word half, a, b, c, d, e, f;
    int32_t i = 0;
    for (; i + 8 <= n && top > 3; i += 8) {
        const uint32_t *s = signal + i;
        ADD(planes[0], a, x[s[0] * WORDS] ^ flip, x[s[1] * WORDS] ^ flip);
        ADD(planes[0], b, x[s[2] * WORDS] ^ flip, x[s[3] * WORDS] ^ flip);
        ADD(planes[1], c, a, b);
        ADD(planes[0], a, x[s[4] * WORDS] ^ flip, x[s[5] * WORDS] ^ flip);
        ADD(planes[0], b, x[s[6] * WORDS] ^ flip, x[s[7] * WORDS] ^ flip);
        ADD(planes[1], d, a, b);
        ADD(planes[2], e, c, d);
        for (int32_t level = 3; level < top; level++) {
            f = planes[level] & e;
            planes[level] ^= e;
            e = f;
        }
    }
    for (; i < n; i++) {
        e = (word)(x[signal[i] * WORDS] ^ flip);
        for (int32_t level = 0; level < top; level++) {
            f = planes[level] & e;
            planes[level] ^= e;
            e = f;
        }
    }
#undef ADD
}

static uint64_t spread(uint64_t byte)
{
    return ((byte & 127) * UINT64_C(0x0002040810204081) | (byte & 128) << 49) & UINT64_C(0x0101010101010101);
}
"""


@rule("count")
def count(c: Source, op: Op, name: str, xs: Sequence[Ref], y: Ref) -> None:
    (x,) = xs
    start, invert = op.consts["start"].astype(np.int64), op.consts["invert"].astype(np.int64)
    group = np.repeat(np.arange(len(start) - 1), np.diff(start))
    order = np.lexsort((invert, group))  # in each group first the plain signals, then the inverted ones
    middle = start[:-1] + np.bincount(group, 1 - invert, minlength=len(start) - 1).astype(np.int64)
    c.array(f"{name}_signal", op.consts["signal"].astype(np.int64)[order], "uint32_t")
    c.array(f"{name}_start", np.stack([start[:-1], middle, start[1:]], axis=1), "int32_t")
    c.array(f"{name}_offset", op.consts["offset"])
    if c.lanes == 1:
        body = """
        EACH_LANE {
            int32_t total = 0;
            for (int32_t i = s[0]; i < s[1]; i++)
                total += BIT(x, ${name}_signal[i]);
            for (int32_t i = s[1]; i < s[2]; i++)
                total += 1 - BIT(x, ${name}_signal[i]);
            y[AT(g)] = total + ($y)${name}_offset[g];
        }"""
    else:
        c.helper(_FULL_ADDERS)
        body = """
        EACH_WORD {
            word planes[$planes] = {0};
            add_bits(x + q, ${name}_signal + s[0], s[1] - s[0], 0, planes, $planes);
            add_bits(x + q, ${name}_signal + s[1], s[2] - s[1], (word)~(word)0, planes, $planes);
            for (int32_t i = 0; i < WORD_BITS && q * WORD_BITS + i < n; i += 8) {
                const int32_t first = q * WORD_BITS + i;
                uint64_t sums[$octets] = {0};
                for (int32_t b = 0; b < $planes; b++)
                    sums[b / 8] |= spread(planes[b] >> i & 255) << b % 8;
                for (int32_t k = 0; k < 8 && first + k < n; k++) {
                    int32_t total = 0;
                    for (int32_t b = 0; b < $octets; b++)
                        total |= (int32_t)(sums[b] >> 8 * k & 255) << 8 * b;
                    y[g * LANES + first + k] = total + ($y)${name}_offset[g];
                }
            }
        }"""
    planes = max(int(np.diff(start).max()).bit_length(), 1)
    names = {"name": name, "planes": planes, "octets": -(-planes // 8), "y": y.ctype, "groups": y.channels}
    text = f"""
static void $name(const word *restrict x, int32_t n, $y *restrict y)
{{
    for (int32_t g = 0; g < $groups; g++) {{
        const int32_t *s = ${{name}}_start + 3 * g;{body}
    }}
}}
"""
    c.define(text, **names)
    c.call(name, x.place, "n", y.place)
