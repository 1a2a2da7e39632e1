"""The rival: a logic Program as straight-line C over 64-bit words, 64 images at a time, compiled by gcc -O1.

One statement a gate, in functions of a bounded number of statements (a single one of 48,000 takes gcc minutes and
gigabytes). What stands around the gates comes in two kinds: plain, as the field's own library does it (thresholds and
scores bit by bit, ripple-carry counters), and tuned (eight bytes at a time, a 64 x 64 swap network, carry-save adders).
"""

import ctypes
import hashlib
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from bitwright.ir import Op, Program

KINDS = ("plain", "tuned")
STATEMENTS = 125  # of a function: time to compile grows with its square
# Of (a, b) for the table of each of the sixteen functions, bit 2a + b.
EXPRESSIONS = [
    "0", "~(a | b)", "~a & b", "~a", "a & ~b", "~b", "a ^ b", "~(a & b)",
    "a & b", "~(a ^ b)", "b", "~a | b", "a", "a | ~b", "a | b", "~(uint64_t)0",
]  # fmt: skip

HELPERS = """\
#include <stdint.h>
#include <string.h>

/* Bit j of row i becomes bit i of row j. */
static void transpose(uint64_t *x) {
    uint64_t mask = 0xffffffff;
    for (int j = 32; j; j >>= 1, mask ^= mask << j)
        for (int k = 0; k < 64; k = (k + j + 1) & ~j) {
            const uint64_t t = (x[k] >> j ^ x[k + j]) & mask;
            x[k + j] ^= t;
            x[k] ^= t << j;
        }
}

static inline uint64_t add(uint64_t *sum, uint64_t a, uint64_t b) {
    const uint64_t both = *sum ^ a, carry = (*sum & a) | (both & b);
    *sum = both ^ b;
    return carry;
}

/* Ones among n words, of each of the 64 samples. */
static void count_plain(const uint64_t *x, int n, int32_t *to, int step, int32_t offset, int images) {
    uint64_t sum[64] = {0};
    for (int i = 0; i < n; i++) {
        uint64_t carry = x[i];
        for (int k = 0; n >> k; k++) {
            const uint64_t next = sum[k] & carry;
            sum[k] ^= carry;
            carry = next;
        }
    }
    for (int s = 0; s < images; s++) {
        int32_t score = offset;
        for (int k = 0; n >> k; k++) score += (int32_t)(sum[k] >> s & 1) << k;
        to[s * step] = score;
    }
}

static void compare_plain(const uint8_t *x, const uint8_t *t, int n, int images, uint64_t *to) {
    for (int p = 0; p < n; p++) {
        uint64_t word = 0;
        for (int s = 0; s < images; s++) word |= (uint64_t)(x[(long)s * n + p] >= t[p]) << s;
        to[p] = word;
    }
}

/* Ones among n words, of each of the 64 samples. */
static void count_tuned(const uint64_t *x, int n, int32_t *to, int step, int32_t offset, int images) {
    uint64_t sum[64] = {0};
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        const uint64_t a = add(&sum[0], x[i], x[i + 1]), b = add(&sum[0], x[i + 2], x[i + 3]), e = add(&sum[1], a, b);
        const uint64_t c = add(&sum[0], x[i + 4], x[i + 5]), d = add(&sum[0], x[i + 6], x[i + 7]);
        uint64_t carry = add(&sum[2], e, add(&sum[1], c, d));
        for (int k = 3; carry; k++) {
            const uint64_t next = sum[k] & carry;
            sum[k] ^= carry;
            carry = next;
        }
    }
    for (; i < n; i++) {
        uint64_t carry = x[i];
        for (int k = 0; carry; k++) {
            const uint64_t next = sum[k] & carry;
            sum[k] ^= carry;
            carry = next;
        }
    }
    transpose(sum);
    for (int s = 0; s < images; s++) to[s * step] = offset + (int32_t)sum[s];
}

static void compare_tuned(const uint8_t *x, const uint8_t *t, int n, int images, uint64_t *to) {
    for (int first = 0; first < n; first += 64) {
        const int m = n - first < 64 ? n - first : 64;
        uint64_t rows[64] = {0};
        for (int s = 0; s < images; s++) {
            uint64_t word = 0;
            for (int j = 0; j < m; j += 8) {
                uint64_t v = 0, w = 0;
                memcpy(&v, x + (long)s * n + first + j, m - j < 8 ? (size_t)(m - j) : 8);
                memcpy(&w, t + first + j, m - j < 8 ? (size_t)(m - j) : 8);
                const uint64_t high = 0x8080808080808080; /* eight bytes at a time: v >= w */
                const uint64_t low = (v | high) - (w & ~high);
                const uint64_t met = ((v & ~w) | (~(v ^ w) & low)) & high;
                word |= (met >> 7) * 0x0102040810204080 >> 56 << j;
            }
            rows[s] = word;
        }
        transpose(rows);
        memcpy(to + first, rows, (size_t)m * 8);
    }
}
"""


def c_source(program: Program) -> str:
    """C of a Program input -> threshold (one a value, of bytes) -> luts of two inputs -> count, nothing inverted.

    `void run_plain(const uint8_t *x, long batch, int32_t *scores)`, and run_tuned. Raises ValueError for others.
    """
    source, *middle, last, output = program.ops
    names = [op.name for op in program.ops]
    if names != ["input", "threshold", *["lut"] * (len(middle) - 1), "count", "output"]:
        raise ValueError(f"c_source: operations {names}; expected input, threshold, lut ..., count, output")
    threshold, layers = middle[0], middle[1:]
    t = threshold.consts["t"]
    if t.shape[1] != 1 or t.min() < 0 or t.max() > 255 or threshold.consts["flip"].any() or last.consts["invert"].any():
        raise ValueError("c_source: one threshold 0..255 a value, no flips and no inverted signals")
    parts = [HELPERS, _array("static const uint8_t T", t.reshape(-1))]
    calls = []
    for number, op in enumerate(layers):
        parts += _functions(op, number)
        calls += [f"    layer{number}_{i}(v{number}, v{number + 1});" for i in range(_n_functions(op))]
    sizes = [len(t), *(len(op.consts["table"]) for op in layers)]
    return "\n".join([*parts, *(line for kind in KINDS for line in _run(kind, sizes, calls, last))])


def _n_functions(op: Op) -> int:
    return -(-len(op.consts["table"]) // STATEMENTS)


def _functions(op: Op, number: int) -> list[str]:
    lines = []
    for part in range(_n_functions(op)):
        lines.append(f"static void layer{number}_{part}(const uint64_t *restrict x, uint64_t *restrict y) {{")
        begin, end = part * STATEMENTS, min((part + 1) * STATEMENTS, len(op.consts["table"]))
        for gate in range(begin, end):
            a, b = op.consts["wiring"][gate]
            text = EXPRESSIONS[int(op.consts["table"][gate])]
            lines.append(f"    y[{gate}] = " + text.replace("a", f"x[{a}]").replace("b", f"x[{b}]") + ";")
        lines.append("}")
    return lines


def _run(kind: str, sizes: list[int], calls: list[str], count: Op) -> list[str]:
    start, signal = count.consts["start"].astype(int), count.consts["signal"]
    if not np.array_equal(signal, np.arange(len(signal))):
        raise ValueError("c_source: groups must be the last layer's signals in order")
    last = f"v{len(sizes) - 1}"
    counts = [
        f"        count_{kind}({last} + {start[g]}, {start[g + 1] - start[g]}, scores + s * {len(start) - 1} + {g}, "
        f"{len(start) - 1}, {int(count.consts['offset'][g])}, images);"
        for g in range(len(start) - 1)
    ]
    return [
        f"void run_{kind}(const uint8_t *x, long batch, int32_t *scores) {{",
        *(f"    static uint64_t v{i}[{size}];" for i, size in enumerate(sizes)),
        "    for (long s = 0; s < batch; s += 64) {",
        "        const int images = batch - s < 64 ? (int)(batch - s) : 64;",
        f"        compare_{kind}(x + s * {sizes[0]}, T, {sizes[0]}, images, v0);",
        *(f"    {call}" for call in calls),
        *counts,
        "    }",
        "}",
        "",
    ]


def _array(name: str, values: np.ndarray) -> str:
    return f"{name}[] = {{{', '.join(map(str, values.tolist()))}}};"


class Rival:
    """The compiled rival; call it with uint8 images. kind: plain or tuned, see above. Raises OSError without gcc."""

    def __init__(self, program: Program, kind: str = "plain", flags: tuple[str, ...] = ("-O1",)):
        text = c_source(program)
        key = hashlib.sha256((text + " ".join(flags)).encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"bitwright-rival-{key}"
        library = folder / "rival.so"
        if not library.exists():
            folder.mkdir(exist_ok=True)
            (folder / "rival.c").write_text(text, encoding="utf-8")
            part = folder / "part.so"
            command = ["gcc", "-std=c99", *flags, "-shared", "-fPIC", str(folder / "rival.c"), "-o", str(part)]
            subprocess.run(command, check=True, capture_output=True)
            part.replace(library)
        self._run = getattr(ctypes.CDLL(str(library)), f"run_{kind}")
        self._run.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_void_p]
        self._classes = program.n_classes

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x: uint8 (batch, values), C-contiguous -> int32 scores (batch, classes)."""
        scores = np.empty((len(x), self._classes), np.int32)
        self._run(x.ctypes.data, len(x), scores.ctypes.data)
        return scores
