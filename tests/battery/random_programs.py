"""Deep random Programs whose bits are alive: every threshold stands at a quantile of the sums that really occur.

A Program grows with a sample of inputs running through it, so that each new operation sees real values.
"""

import numpy as np

from bitwright.ir import Builder, Value, execute
from bitwright.ir.interpreter import MEANINGS

MOST_VALUES = 700  # of one sample in one tensor
WIDE = 1 << 40  # ints are shifted down beyond this range


class Growing:
    """A Builder together with all its values on a sample of inputs."""

    def __init__(self, seed, samples=160):
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()
        self.values = []
        self.samples = samples

    def input(self, kind, shape):
        rng, shape = self.rng, tuple(shape)
        lo, hi = (0, 0)
        if kind == "int":
            lo, hi = [(0, 255), (0, 15), (-300, 500), (-(1 << 31), (1 << 31) - 1)][rng.integers(4)]
            x = rng.integers(lo, hi, (self.samples, *shape), endpoint=True)
        elif kind == "bits":
            x = rng.integers(0, 2, (self.samples, *shape), dtype=np.uint8)
        else:
            x = rng.normal(size=(self.samples, *shape)).astype(np.float32)
        value = self.builder.input(kind, shape, lo, hi)
        self.values.append(x)
        return value

    def add(self, name, *arguments, **more):
        """Call the builder's method, run the new operation on the sample."""
        value = getattr(self.builder, name)(*arguments, **more)
        op = self.builder.ops[-1]
        self.values.append(MEANINGS[op.name](op, *(self.values[i] for i in op.inputs)))
        return value

    def undo(self, length):
        """Forget all but the first operations."""
        for made in (self.builder.ops, self.builder.types, self.values):
            del made[length:]

    def real(self, value):
        return self.values[value.number]

    def window(self, value, most=4):
        """A random kernel, stride, padding and dilation that fits the value."""
        rng, (_, height, width) = self.rng, value.shape
        kernel = tuple(int(rng.integers(1, min(most, size) + 1)) for size in (height, width))
        stride = tuple(int(rng.integers(1, 3)) for _ in range(2))
        dilation = tuple(
            int(rng.integers(1, 3)) if (k - 1) * 2 < size else 1 for k, size in zip(kernel, (height, width))
        )
        padding = tuple(int(rng.integers(0, min(3, kernel[i // 2]))) for i in range(4))  # else windows see nothing else
        return kernel, stride, padding, dilation


def threshold(g, x):
    """One or two thresholds a channel, each at a quantile of what the channel really holds."""
    n, real = int(g.rng.integers(1, 3)), g.real(x)
    channels = np.moveaxis(real, 1, 0).reshape(x.shape[0], -1)
    at = np.sort(g.rng.uniform(0.2, 0.8, (x.shape[0], n)), axis=1)
    t = np.stack([np.quantile(row, q, method="higher") for row, q in zip(channels, at, strict=True)])
    t = t.astype(np.float32 if x.type.kind == "float" else np.int64)
    return g.add("threshold", x, t, g.rng.integers(0, 2, t.size))


def digitize(g, x):
    channels = np.moveaxis(g.real(x), 1, 0).reshape(x.shape[0], -1)
    t = np.quantile(channels, np.sort(g.rng.uniform(0, 1, int(g.rng.integers(1, 9)))), axis=1, method="higher").T
    return g.add("digitize", x, t.astype(np.float32 if x.type.kind == "float" else np.int64))


def weights(g, shape, dtype):
    lo, hi = {"bit": (0, 1), "i4": (-8, 7), "i8": (-128, 127), "i16": (-32768, 32767)}[dtype]
    return g.rng.integers(lo, hi, shape, endpoint=True)


def linear(g, x):
    n = int(g.rng.choice([1, 3, 8, 17, 40, 65]))
    if x.type.kind == "bits" and g.rng.random() < 0.7:
        return g.add(
            "xnor_linear", x, weights(g, (n, *x.shape), "bit"), pick(g, ("int32", "int32", "wrap8", "wrap8_half"))
        )
    dtype = pick(g, ("i4", "i8", "i16") if x.type.kind == "bits" else ("bit", "bit", "i4", "i8"))
    return g.add("int_linear", x, weights(g, (n, *x.shape), dtype), dtype)


def conv(g, x):
    kernel, stride, padding, dilation = g.window(x)
    channels = x.shape[0]
    groups = pick(g, [d for d in range(1, channels + 1) if channels % d == 0])
    n_out = groups * int(g.rng.integers(1, max(2, 24 // groups)))
    shape = (n_out, channels // groups, *kernel)
    window = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if x.type.kind == "bits" and g.rng.random() < 0.7:
        more = {
            "pad_value": int(g.rng.integers(-1, 2)),
            "accumulator": pick(g, ("int32", "int32", "wrap8", "wrap8_half")),
        }
        return g.add("xnor_conv2d", x, weights(g, shape, "bit"), **window, **more)
    dtype = pick(g, ("i4", "i8", "i16") if x.type.kind == "bits" else ("bit", "bit", "i4", "i8"))
    pad_value = int(g.rng.integers(-1, 2)) if x.type.kind == "bits" else int(g.rng.integers(-300, 300))
    return g.add("int_conv2d", x, weights(g, shape, dtype), dtype, **window, pad_value=pad_value)


def tables(g, n, k):
    return (
        g.rng.integers(0, 1 << (1 << k), n, dtype=np.uint64)
        if k < 6
        else g.rng.integers(0, 1 << 63, n, dtype=np.uint64)
    )


def lut(g, x):
    n, k = int(g.rng.choice([1, 7, 40, 64, 100])), int(g.rng.integers(1, 7))
    return g.add("lut", x, g.rng.integers(0, x.shape[0], (n, k)), tables(g, n, k))


def lut_conv2d(g, x):
    kernel, stride, padding, _ = g.window(x, most=3)
    k, n_taps, n_tables = int(g.rng.integers(1, 7)), int(g.rng.integers(2, 9)), int(g.rng.integers(2, 9))
    taps = np.stack([g.rng.integers(0, size, n_taps) for size in (x.shape[0], *kernel)], axis=1)
    wiring = np.stack([g.rng.integers(0, n_taps + m, k) for m in range(n_tables)])
    outputs = n_taps + g.rng.permutation(n_tables)[: int(g.rng.integers(1, n_tables + 1))]
    pad_value = int(g.rng.integers(0, 2))
    return g.add("lut_conv2d", x, taps, wiring, tables(g, n_tables, k), outputs, kernel, stride, padding, pad_value)


def count(g, x):
    groups = [
        g.rng.integers(0, x.shape[0], int(size)).tolist()
        for size in g.rng.choice([1, 2, 5, 30, 70], int(g.rng.integers(2, 9)))
    ]
    invert = [g.rng.integers(0, 2, len(group)).tolist() for group in groups]
    return g.add("count", x, groups, invert, g.rng.integers(-40, 40, len(groups)))


def project(g, x):
    if x.type.kind == "int":  # around 0, where the signs of sums are open
        axes = (0, 2, 3)[: g.real(x).ndim - 1]
        x = g.add("add", x, -g.real(x).mean(axis=axes).astype(np.int64))
    kind = pick(g, ("rademacher", "gaussian", "hadamard"))
    more = {"rounds": int(g.rng.integers(1, 3)), "shift": int(g.rng.integers(0, 4))} if kind == "hadamard" else {}
    seed, layer = int(g.rng.integers(0, 1 << 63)) * 2 + 1, int(g.rng.integers(0, 5))
    n_out = int(g.rng.integers(1, max(2, MOST_VALUES // max(1, x.type.n_values // x.shape[0]) // 2)))
    return g.add("project", x, min(n_out, 90), kind, seed, layer, **more)


def affine(g, x):
    c = x.shape[0]
    shift = g.rng.integers(0, 9, c) + max(0, int(x.type.hi - x.type.lo).bit_length() - 30)
    return g.add("affine", x, g.rng.integers(-99, 100, c), g.rng.integers(-999, 999, c), np.minimum(shift, 31))


def prelu(g, x):
    c = x.shape[0]
    slopes = [g.rng.integers(-20, 21, c) for _ in range(2)]
    return g.add("prelu", x, *slopes, g.rng.integers(-99, 100, c), g.rng.integers(0, 6, c))


def clip(g, x):
    lo, hi = np.quantile(g.real(x), [0.1, 0.9], method="nearest")
    return g.add("clip", x, int(lo), int(hi))


def add(g, x):
    others = [i for i, type_ in enumerate(g.builder.types) if type_.kind == "int" and type_.shape == x.shape]
    if len(others) > 1 and g.rng.random() < 0.7:
        other = others[int(g.rng.integers(len(others)))]
        return g.add("add", x, value_of(g, other))
    shape = x.shape if g.rng.random() < 0.5 else x.shape[:1]
    return g.add("add", x, g.rng.integers(-50, 50, shape))


def pool(g, x):
    kernel, stride, padding, _ = g.window(x, most=3)
    name = "sum_pool2d" if x.type.kind == "int" and g.rng.random() < 0.5 else "max_pool2d"
    return g.add(name, x, kernel, stride, padding)


def patches(g, x):
    kernel, stride, padding, dilation = g.window(x, most=2)
    return g.add("patches", x, kernel, stride, padding, dilation, int(g.rng.integers(0, 2)))


def gather(g, x):
    return g.add(
        "gather", x, g.rng.integers(0, x.shape[0], int(g.rng.integers(max(1, x.shape[0] // 2), 2 * x.shape[0] + 1)))
    )


def reshape(g, x):
    n = x.type.n_values
    if len(x.shape) == 3:
        return g.add("reshape", x, (n,))
    height = pick(g, [d for d in range(1, 9) if n % d == 0])
    width = pick(g, [d for d in range(1, 9) if n // height % d == 0])
    return g.add("reshape", x, (n // height // width, height, width))


def concat(g, x):
    same = [
        i
        for i, t in enumerate(g.builder.types)
        if t.kind == x.type.kind and t.shape[1:] == x.shape[1:] and len(t.shape) == len(x.shape)
    ]
    return g.add("concat", [x, *(value_of(g, i) for i in g.rng.choice(same, int(g.rng.integers(1, 3))))])


def pad(g, x):
    padding = tuple(int(v) for v in g.rng.integers(0, 3, 4)) if len(x.shape) == 3 else (0, 0, 0, 0)
    return g.add("pad", x, tuple(int(v) for v in g.rng.integers(0, 3, 2)), padding, int(g.rng.integers(0, 2)))


def to_int(g, x):
    return g.add("to_int", x, pick(g, ("bits", "signs")))


def pick(g, choices):
    return choices[int(g.rng.integers(len(choices)))]


def value_of(g, number):
    return Value(int(number), g.builder.types[int(number)])


def steps_from(value):
    """What may come next, and how often."""
    image = len(value.shape) == 3
    if value.type.kind == "float":
        return {threshold: 3, digitize: 2, gather: 1, reshape: 1, concat: 1}
    if value.type.kind == "bits":
        here = {conv: 16, lut_conv2d: 8, pool: 1, patches: 4} if image else {linear: 8, count: 2}
        return here | {lut: 3, project: 2, gather: 1, reshape: 1, concat: 1, pad: 1, to_int: 1}
    if value.type.hi - value.type.lo > WIDE:
        return {threshold: 1, affine: 1}
    here = {
        threshold: 9,
        affine: 2,
        prelu: 2,
        clip: 1,
        add: 2,
        digitize: 1,
        gather: 1,
        reshape: 1,
        concat: 1,
        pad: 1,
        project: 1,
    }
    narrow = -(1 << 31) <= value.type.lo and value.type.hi < 1 << 31
    return (
        here
        | ({pool: 3, patches: 2} if image else {})
        | ({conv: 6} if image and narrow else {linear: 2} if narrow else {})
    )


def random_program(seed, depth=14):
    """(Program, the sample of inputs it grew on). Ends in 2 to 10 scores; under 20 % of its bits are constant."""
    for attempt in range(100):
        program, x = grown_program(seed + 1_000_000 * attempt, depth)
        if constant_share(program, execute(program, x, keep=True)) < 0.2:
            return program, x
    raise AssertionError(f"no living program grows from seed {seed}")


def grown_program(seed, depth):
    g = Growing(seed)
    kind = pick(g, ("bits", "int", "int", "float"))
    shape = pick(g, ((3, 9, 7), (2, 6, 6), (1, 12, 5), (5, 7, 8), (65, 3, 3), (40,), (65,), (130,)))
    x = g.input(kind, shape)
    for _ in range(depth):
        moves = steps_from(x)
        odds = np.array(list(moves.values()), float)
        for _ in range(12):
            before = len(g.values)
            grown = g.rng.choice(np.array(list(moves), dtype=object), p=odds / odds.sum())(g, x)
            grown = grown if grown.type.n_values <= MOST_VALUES else shrunk(g, grown)
            if dead_share(g.real(grown)) < 0.15:
                x = grown
                break
            g.undo(before)
    return finish(g, x), g.values[0]


def shrunk(g, x):
    """Few enough values again: a quarter of the channels, or of the values."""
    if x.shape[0] < 4:
        x = g.add("reshape", x, (x.type.n_values,))
    room = MOST_VALUES // 2 // max(1, x.type.n_values // x.shape[0])
    keep = max(1, min(x.shape[0] // 4, room))
    return g.add("gather", x, np.sort(g.rng.permutation(x.shape[0])[:keep]))


def finish(g, x):
    if x.type.kind == "float":
        x = threshold(g, x)
    if len(x.shape) == 3:
        x = g.add("reshape", x, (x.type.n_values,))
    if x.type.kind == "int" and not (-(1 << 31) <= x.type.lo and x.type.hi < 1 << 31):
        x = threshold(g, x)
    n = int(g.rng.integers(2, 11))
    if x.type.kind == "bits":
        x = g.add("xnor_linear", x, weights(g, (n, *x.shape), "bit"))
    else:
        x = g.add("int_linear", x, weights(g, (n, *x.shape), "bit"), "bit")
    return g.builder.finish(x, {"classes": [f"class {i}" for i in range(n)]})


def dead_share(value):
    """Share of the places of a value that are the same in every sample."""
    flat = value.reshape(len(value), -1)
    return (flat == flat[0]).all(axis=0).mean()


def constant_share(program, values):
    """Share of the bits made by thresholds, tables and projections that are the same in every sample."""
    bits = constant = 0
    for op, value in zip(program.ops, values, strict=True):
        if op.name in ("threshold", "lut", "lut_conv2d", "project"):
            bits += value[0].size
            constant += dead_share(value) * value[0].size
    return constant / bits if bits else 0.0
