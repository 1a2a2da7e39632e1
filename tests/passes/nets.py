"""Random Programs of logic for the tests of the passes."""

import numpy as np

from bitwright.ir import Builder, Program


def random_tables(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """n random tables of k inputs."""
    return rng.integers(0, 1 << 32, n, dtype=np.uint64) << np.uint64(32) & mask(k) | rng.integers(
        0, 1 << min(1 << k, 32), n, dtype=np.uint64
    )


def mask(k: int) -> np.uint64:
    return np.uint64((1 << (1 << k)) - 1)


def random_net(
    seed: int, n_inputs: int = 10, width: int = 40, ks: tuple[int, ...] = (2, 2, 2), groups: int = 3
) -> Program:
    """Layers of random tables of ks[i] inputs on n_inputs bits, then a count with random flags and offsets."""
    rng = np.random.default_rng(seed)
    builder = Builder()
    x = builder.input("bits", (n_inputs,))
    for k in ks:
        x = builder.lut(x, rng.integers(0, x.shape[0], (width, k)), random_tables(rng, width, k))
    parts = [list(map(int, part)) for part in np.array_split(rng.integers(0, width, 2 * width), groups)]
    flags = [list(map(int, rng.integers(0, 2, len(part)))) for part in parts]
    return builder.finish(builder.count(x, parts, flags, rng.integers(-5, 5, groups)))


def all_inputs(n: int) -> np.ndarray:
    """Every assignment of n bits, uint8 (2^n, n)."""
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(np.uint8)
