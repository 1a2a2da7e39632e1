"""docs/program.md written out again, one number at a time, in Python's own integers: what the interpreter is held to.

`expected(op, *inputs)` is the value of an operation for a batch of its inputs. Slow on purpose, and shares nothing with
the code that it checks but the record of the operation.
"""

from itertools import product

import numpy as np

from bitwright.ir import execute

MASK = (1 << 64) - 1


def check_program(program, x):
    """Run x, recompute every value from the interpreter's own inputs of it, demand equality; returns the values."""
    values = execute(program, x, keep=True)
    for number, op in enumerate(program.ops):
        if op.name == "input":
            assert np.array_equal(values[0], x)
            continue
        wanted = expected(op, *(values[i] for i in op.inputs))
        got = values[number]
        assert got.shape == (len(x), *program.types[number].shape), op.name
        assert np.array_equal(got, wanted), f"value {number}, {op.name}"
    return values


def expected(op, *inputs):
    """The value for a batch: arrays as the interpreter has them (bits uint8, ints int64, floats float32)."""
    samples = [SAMPLE[op.name](op, *sample) for sample in zip(*inputs, strict=True)]
    return np.stack(samples) if samples else None


def signs(x):
    return [[[2 * int(v) - 1 for v in row] for row in channel] for channel in image(x)]


def image(x):
    """Nested lists [C][H][W] of Python numbers; [C] becomes [C][1][1]."""
    return np.asarray(x).reshape(x.shape[0], *(x.shape[1:] if x.ndim == 3 else (1, 1))).tolist()


def like(x, nested, dtype):
    """Back to an array with as many axes as x."""
    array = np.array(nested, dtype)
    return array if x.ndim == 3 else array[:, 0, 0]


def each(x, function):
    """function(c, value) at every place; int64."""
    return like(x, [[[function(c, v) for v in row] for row in channel] for c, channel in enumerate(image(x))], np.int64)


def threshold(op, x):
    t, flip = op.consts["t"], op.consts["flip"].tolist()
    out = []
    for c, channel in enumerate(image(x)):
        for j in range(t.shape[1]):
            limit = t[c, j].item()
            out.append([[int(v >= limit) ^ flip[c * t.shape[1] + j] for v in row] for row in channel])
    return like(x, out, np.uint8)


def digitize(op, x):
    return each(x, lambda c, v: sum(1 for limit in op.consts["t"][c].tolist() if limit <= v))


def wrapped(total, accumulator):
    if accumulator == 2:
        total = (total - total % 2) // 2
    if accumulator:
        while total > 127:
            total -= 256
        while total < -128:
            total += 256
    return total


def weights(op):
    w = op.consts["w"].astype(object)
    return 2 * w - 1 if op.weight_dtype == "bit" else w


def operand(x):
    return signs(x) if x.dtype == np.uint8 else image(x)


def linear(op, x):
    row = [v[0][0] for v in operand(x)]
    totals = [sum(int(a) * int(b) for a, b in zip(row, w, strict=True)) for w in weights(op)]
    return np.array([wrapped(total, op.attrs.get("accumulator", 0)) for total in totals], np.int64)


def window_places(attrs, height, width):
    """For every output place (i, j): list of (y, x, row, column) of its window."""
    a = attrs
    dilation_h, dilation_w = a.get("dilation_h", 1), a.get("dilation_w", 1)
    i = 0
    places = []
    while i * a["stride_h"] + dilation_h * (a["kernel_h"] - 1) < height + a["pad_top"] + a["pad_bottom"]:
        line, j = [], 0
        while j * a["stride_w"] + dilation_w * (a["kernel_w"] - 1) < width + a["pad_left"] + a["pad_right"]:
            window = []
            for y, x in product(range(a["kernel_h"]), range(a["kernel_w"])):
                row = i * a["stride_h"] - a["pad_top"] + y * dilation_h
                window.append((y, x, row, j * a["stride_w"] - a["pad_left"] + x * dilation_w))
            line.append(window)
            j += 1
        places.append(line)
        i += 1
    return places


def pixel(channel, row, column, outside):
    inside = 0 <= row < len(channel) and 0 <= column < len(channel[0])
    return channel[row][column] if inside else outside


def convolution(op, x):
    source, w, a = operand(x), weights(op), op.attrs
    per_group, out_per_group = len(source) // a["groups"], len(w) // a["groups"]
    out = []
    for o in range(len(w)):
        first = o // out_per_group * per_group
        plane = []
        for line in window_places(a, *x.shape[1:]):
            row = []
            for window in line:
                total = 0
                for c in range(per_group):
                    for y, xx, r, s in window:
                        total += int(w[o, c, y, xx]) * pixel(source[first + c], r, s, a["pad_value"])
                row.append(wrapped(total, a.get("accumulator", 0)))
            plane.append(row)
        out.append(plane)
    return np.array(out, np.int64)


def looked_up(table, bits):
    return int(table) >> int("".join(str(b) for b in bits), 2) & 1


def lut(op, x):
    source = image(x)
    out = []
    for wires, table in zip(op.consts["wiring"].tolist(), op.consts["table"].tolist(), strict=True):
        rows, columns = range(len(source[0])), range(len(source[0][0]))
        out.append([[looked_up(table, [source[s][r][c] for s in wires]) for c in columns] for r in rows])
    return like(x, out, np.uint8)


def lut_conv2d(op, x):
    a, source = op.attrs, image(x)
    taps, wiring = op.consts["taps"].tolist(), op.consts["wiring"].tolist()
    planes = []
    for line in window_places(a, *x.shape[1:]):
        row = []
        for window in line:
            place = {(y, xx): (r, s) for y, xx, r, s in window}
            signal = [pixel(source[c], *place[dy, dx], a["pad_value"]) for c, dy, dx in taps]
            for wires, table in zip(wiring, op.consts["table"].tolist(), strict=True):
                signal.append(looked_up(table, [signal[s] for s in wires]))
            row.append([signal[s] for s in op.consts["outputs"].tolist()])
        planes.append(row)
    return np.moveaxis(np.array(planes, np.uint8), 2, 0)


def count(op, x):
    start, signal = op.consts["start"].tolist(), op.consts["signal"].tolist()
    invert, offset = op.consts["invert"].tolist(), op.consts["offset"].tolist()
    totals = []
    for g, total in enumerate(offset):
        for i in range(start[g], start[g + 1]):
            total += int(x[signal[i]]) ^ invert[i]
        totals.append(total)
    return np.array(totals, np.int64)


def mix(z):
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & MASK
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def word(seed, layer, block, i):
    key = mix((mix((mix(seed & MASK) + layer) & MASK) + block) & MASK)
    return mix((key + (i + 1) * 0x9E3779B97F4A7C15) & MASK)


def generated_sign(seed, layer, block, j):
    return 1 if word(seed, layer, block, j // 64) >> j % 64 & 1 else -1


def generator_entry(kind, seed, layer, n, j, p):
    """G[n, j] of rademacher and gaussian."""
    if kind == 0:
        return generated_sign(seed, layer, 0, n * -(-p // 64) * 64 + j)
    i = n * p + j
    return word(seed, layer, 0, 2 * i).bit_count() - word(seed, layer, 0, 2 * i + 1).bit_count()


def hadamard_matrix(q):
    """H[i][j] = (-1)^popcount(i AND j)."""
    return [[-1 if (i & j).bit_count() % 2 else 1 for j in range(q)] for i in range(q)]


def project(op, x):
    a, source = op.attrs, operand(x)
    p, n_out, seed, layer = len(source), a["n_out"], a["seed"] & MASK, a["layer"]
    t = op.consts["t"].tolist() if "t" in op.consts else [0] * n_out
    if a["kind"] < 2:
        matrix = [[generator_entry(a["kind"], seed, layer, n, j, p) for j in range(p)] for n in range(n_out)]
    out = np.zeros((n_out, len(source[0]), len(source[0][0])), np.uint8)
    for r, s in product(range(out.shape[1]), range(out.shape[2])):
        column = [source[j][r][s] for j in range(p)]
        if a["kind"] < 2:
            sums = [sum(g * v for g, v in zip(line, column, strict=True)) for line in matrix]
        else:
            sums = hadamard_sums(a, seed, layer, column, n_out)
        out[:, r, s] = [int(total >= limit) for total, limit in zip(sums, t, strict=True)]
    return out if x.ndim == 3 else out[:, 0, 0]


def hadamard_sums(a, seed, layer, column, n_out):
    q = 1
    while q < len(column):
        q *= 2
    matrix, sums, block = hadamard_matrix(q), [], 0
    while len(sums) < n_out:
        v = column + [0] * (q - len(column))
        for r in range(a["rounds"]):
            flipped = [generated_sign(seed, layer, block * a["rounds"] + r, j) * v[j] for j in range(q)]
            v = [sum(h * f for h, f in zip(line, flipped, strict=True)) for line in matrix]
            if r < a["rounds"] - 1:
                v = [total // 2 ** a["shift"] for total in v]
        sums += v
        block += 1
    return sums[:n_out]


def constant(op, name, c):
    return op.consts[name][c].item()


def affine(op, x):
    def at(c, v):
        return (v * constant(op, "mul", c) + constant(op, "add", c)) // 2 ** constant(op, "shift", c)

    return each(x, at)


def prelu(op, x):
    def at(c, v):
        slope = constant(op, "pos", c) if v >= 0 else constant(op, "neg", c)
        return (v * slope + constant(op, "add", c)) // 2 ** constant(op, "shift", c)

    return each(x, at)


def clip(op, x):
    lo, hi = op.attrs["lo"], op.attrs["hi"]
    return each(x, lambda c, v: lo if v < lo else hi if v > hi else v)


def add(op, x, y=None):
    if y is None:
        b = op.consts["b"]
        y = b if b.shape == x.shape else np.broadcast_to(b.reshape(-1, *(1,) * (x.ndim - 1)), x.shape)
    flat = [int(v) + int(w) for v, w in zip(x.reshape(-1).tolist(), y.reshape(-1).tolist(), strict=True)]
    return np.array(flat, np.int64).reshape(x.shape)


def pooled(op, x, reduce):
    planes = []
    for channel in image(x):
        lines = window_places(op.attrs, *x.shape[1:])
        inside = [
            [[channel[r][s] for _, _, r, s in w if 0 <= r < x.shape[1] and 0 <= s < x.shape[2]] for w in line]
            for line in lines
        ]
        planes.append([[reduce(window) for window in line] for line in inside])
    return np.array(planes, x.dtype)


def patches(op, x):
    a, source = op.attrs, image(x)
    places = window_places(a, *x.shape[1:])
    out = []
    for channel in source:
        for k in range(a["kernel_h"] * a["kernel_w"]):
            out.append([[pixel(channel, *window[k][2:], a["pad_value"]) for window in line] for line in places])
    return np.array(out, x.dtype)


def gather(op, x):
    return np.array([x[i].tolist() for i in op.consts["index"].tolist()], x.dtype)


def reshape(op, x):
    dims = [op.attrs[f"dim{i}"] for i in range(op.attrs["ndim"])]
    flat, out = [v for channel in image(x) for row in channel for v in row], np.zeros(dims, x.dtype)
    for number, place in enumerate(product(*(range(d) for d in dims))):
        out[place] = flat[number]
    return out


def concat(op, *values):
    return np.array([channel for x in values for channel in x.tolist()], values[0].dtype)


def pad(op, x):
    a, source = op.attrs, image(x)
    top, bottom, left, right = (a[f"pad_{side}"] for side in ("top", "bottom", "left", "right"))
    height, width = len(source[0]), len(source[0][0])
    out = []
    for c in range(-a["pad_before"], len(source) + a["pad_after"]):
        plane = source[c] if 0 <= c < len(source) else []
        columns = range(-left, width + right)
        out.append([[pixel(plane, r, s, a["pad_value"]) if plane else a["pad_value"] for s in columns]
                    for r in range(-top, height + bottom)])  # fmt: skip
    return like(x, out, x.dtype)


def to_int(op, x):
    return each(x, lambda c, v: v if op.attrs["mode"] == 0 else (1 if v else -1))


SAMPLE = {
    "threshold": threshold, "digitize": digitize, "xnor_linear": linear, "int_linear": linear,
    "xnor_conv2d": convolution, "int_conv2d": convolution, "lut": lut, "lut_conv2d": lut_conv2d, "count": count,
    "project": project, "affine": affine, "prelu": prelu, "clip": clip, "add": add,
    "max_pool2d": lambda op, x: pooled(op, x, max), "sum_pool2d": lambda op, x: pooled(op, x, sum), "patches": patches,
    "gather": gather, "reshape": reshape, "concat": concat, "pad": pad, "to_int": to_int,
    "output": lambda op, x: x,
}  # fmt: skip
