"""Programs of logic for the battery: all tables, wide nets, trees over windows, and logic between other operations."""

from collections.abc import Callable

import numpy as np

from bitwright.ir import Builder, Program, Value

LOGIC: dict[str, Callable[[], Program]] = {}


def logic(make: Callable[[np.random.Generator, Builder], Value]) -> Callable:
    def program() -> Program:
        rng, builder = np.random.default_rng(len(make.__name__)), Builder()
        return builder.finish(make(rng, builder), {"name": make.__name__})

    LOGIC[make.__name__.replace("_", " ")] = program
    return make


def tables(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    return rng.integers(0, 1 << (1 << k) if k < 6 else 1 << 63, n, dtype=np.uint64)


def layer(rng: np.random.Generator, b: Builder, x: Value, n: int, k: int = 2) -> Value:
    return b.lut(x, rng.integers(0, x.shape[0], (n, k)), tables(rng, n, k))


def scores(rng: np.random.Generator, b: Builder, x: Value, groups: int = 3) -> Value:
    """Unequal groups, repeats, one of them empty, some signals inverted, offsets of both signs."""
    parts = [rng.integers(0, x.shape[0], 1 + 37 * g).tolist() for g in range(groups)] + [[]]
    return b.count(x, parts, [rng.integers(0, 2, len(part)) for part in parts], rng.integers(-99, 99, groups + 1))


@logic
def all_tables_of_two_inputs(rng, b):
    x = b.input("bits", (2,))
    wires = [[0, 1], [1, 0], [0, 0]]
    x = b.lut(x, np.repeat(wires, 16, axis=0), np.tile(np.arange(16), 3))
    return b.to_int(b.lut(x, rng.integers(0, 48, (48, 2)), np.tile(np.arange(16), 3)), "bits")


@logic
def all_tables_of_three_inputs(rng, b):
    x = b.input("bits", (3,))
    return b.to_int(b.lut(x, np.tile([0, 1, 2], (256, 1)), np.arange(256)), "bits")


@logic
def tables_of_every_size_in_a_chain(rng, b):
    x = b.input("bits", (70,))
    for k in (4, 6, 1, 5, 3, 2):
        x = layer(rng, b, x, 80, k)
    return scores(rng, b, x)


@logic
def wide_layers_with_shortcuts(rng, b):
    first = b.threshold(b.input("int", (200,), 0, 255), rng.integers(-3, 260, (200, 1)), rng.integers(0, 2, 200))
    x = first
    for k in (2, 2, 3):
        y = layer(rng, b, x, 700, k)
        x = b.concat([y, b.gather(x, rng.integers(0, x.shape[0], 30)), first])
    return scores(rng, b, layer(rng, b, x, 901), 7)


@logic
def wide_layers_read_by_few(rng, b):
    """Most signals are read often or not at all; two counts read the same net, one of them in its middle."""
    x = b.input("bits", (90,))
    x = layer(rng, b, x, 1500)
    middle = b.lut(x, rng.integers(0, 40, (600, 2)), tables(rng, 600, 2))
    x = b.lut(middle, np.stack([np.arange(600), (np.arange(600) * 7 + 1) % 600], 1), tables(rng, 600, 2))
    return b.add(scores(rng, b, x), scores(rng, b, middle))


@logic
def thermometer_of_an_image_and_trees(rng, b):
    x = b.threshold(b.input("int", (3, 9, 7), 0, 255), np.sort(rng.integers(0, 256, (3, 5)), axis=1))
    for depth, channels in ((1, 12), (2, 10), (3, 9)):
        x = trees(rng, b, x, channels, depth, (3, 3), 1, 1)
    x = b.max_pool2d(trees(rng, b, x, 8, 4, (2, 3), (1, 2), (1, 0, 2, 1)), 2)
    return scores(rng, b, layer(rng, b, b.reshape(x, (x.type.n_values,)), 65))


@logic
def trees_under_pools_of_many_kinds(rng, b):
    x = b.input("bits", (5, 12, 11))
    x = b.max_pool2d(trees(rng, b, x, 6, 2, (3, 2), 1, 1), (2, 3), (2, 3))
    x = b.max_pool2d(b.lut(x, rng.integers(0, 6, (9, 3)), tables(rng, 9, 3)), (2, 2), (3, 3), (1, 0, 1, 1))
    x = b.max_pool2d(trees(rng, b, x, 7, 1, (1, 1), 1, 0), (2, 2), 1)
    x = b.pad(b.patches(x, (2, 1), 1, (0, 1, 0, 0), 1, 1), (1, 2), (0, 1, 1, 0), 1)
    return scores(rng, b, b.reshape(b.gather(x, rng.integers(0, x.shape[0], 20)), (20 * x.shape[1] * x.shape[2],)))


@logic
def logic_feeds_signs_feed_logic(rng, b):
    x = b.threshold(b.input("float", (40,)), np.sort(rng.normal(size=(40, 2)), axis=1))
    x = layer(rng, b, x, 130)
    y = b.threshold(b.xnor_linear(x, rng.integers(0, 2, (65, 130))), rng.integers(-9, 9, 65), rng.integers(0, 2, 65))
    z = layer(rng, b, b.concat([y, x]), 99)
    return b.add(scores(rng, b, z), b.xnor_linear(z, rng.integers(0, 2, (4, 99))))


@logic
def images_of_signs_and_of_logic(rng, b):
    x = b.input("bits", (4, 6, 6))
    y = b.xnor_conv2d(x, rng.integers(0, 2, (9, 4, 3, 3)), padding=1)
    y = b.threshold(b.max_pool2d(y, 2), rng.integers(-6, 9, 9), rng.integers(0, 2, 9))
    z = b.concat([trees(rng, b, y, 70, 2, (2, 2), 1, 0), b.max_pool2d(y, 2, 1)])
    w = b.xnor_conv2d(z, rng.integers(0, 2, (5, 79, 2, 2)), pad_value=0)
    return b.reshape(w, (w.type.n_values,))


@logic
def wide_sums_and_far_thresholds(rng, b):
    x = b.affine(b.input("int", (33,), -(1 << 31), (1 << 31) - 1), 1 << 20, 5, 0)
    x = b.threshold(x, rng.integers(-(1 << 51), 1 << 51, (33, 2)), rng.integers(0, 2, 66))
    y = b.clip(b.to_int(x, "signs"), -1, 0)
    z = b.threshold(y, rng.integers(-2, 3, 66))
    return scores(rng, b, layer(rng, b, b.concat([x, z]), 64))


@logic
def constants_and_wires_only(rng, b):
    x = b.lut(b.input("bits", (9,)), np.arange(40)[:, None] % 9, np.arange(40) % 4)
    return b.count(b.gather(x, list(range(39, -1, -1))), [list(range(40)), [0, 4, 8, 8, 8], [3]], None, [5, 0, 1 << 40])


def trees(rng, b: Builder, x: Value, n: int, depth: int, kernel, stride, padding) -> Value:
    """n trees of two-input gates over taps at random places of a window."""
    n_taps = n << depth
    taps = np.stack([rng.integers(0, size, n_taps) for size in (x.shape[0], *kernel)], axis=1)
    wiring, first, size = [], 0, n_taps
    while size > n:
        wiring.append(first + np.arange(size).reshape(-1, 2))
        first, size = first + size, size // 2
    wiring = np.concatenate(wiring)
    outputs = np.arange(n_taps + len(wiring) - n, n_taps + len(wiring))
    return b.lut_conv2d(x, taps, wiring, tables(rng, len(wiring), 2), outputs, kernel, stride, padding, 1)
