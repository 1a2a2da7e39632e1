"""Tiny Programs, built by hand, that say what the field's methods need to say; test_say_all.py has the formulas."""

import numpy as np

from bitwright.ir import Builder

rng = np.random.default_rng(2024)

ADABIN_W = rng.integers(0, 2, (3, 2, 3, 3))  # signs of the weights
ADABIN_SCALE, ADABIN_CENTRE = np.array([3, 5, 2]), np.array([1, -2, 4])  # of weights, per output, in quarters
ADABIN_BIAS = np.array([7, -3, 1])


def adabin():
    """AdaBin (arXiv:2208.08084): both activation values are free, here -1 and +3; weights centre +- scale.

    Weights w = centre + scale * sign and activations x = 1 + 2 * sign: sums of x * w are a convolution of signs and one
    of ones at a border padded with real zeros, which holds neither activation value.
    """
    b = Builder()
    x = b.threshold(b.input("int", (2, 4, 4), -9, 9), [0, 2])
    activation = b.affine(b.to_int(x, "signs"), 2, 1, 0)  # -1 and +3
    signs = b.int_conv2d(activation, ADABIN_W, "bit", padding=1, pad_value=0)
    ones = b.int_conv2d(activation, np.ones((3, 2, 3, 3), int), "i4", padding=1, pad_value=0)
    total = b.add(b.affine(signs, ADABIN_SCALE, 0, 0), b.affine(ones, ADABIN_CENTRE, ADABIN_BIAS, 0))
    return b.finish(b.reshape(b.affine(total, 1, 0, 2), (48,)))


RESIDUAL_W = rng.integers(0, 2, (4, 4, 3, 3))
RESIDUAL_T = np.array([-3, 0, 5, 9])
PRELU = {"pos": np.array([16, 12, 20, 16]), "neg": np.array([-4, 3, -16, 0]), "before": np.array([5, -3, 0, 2]),
         "after": np.array([1, 0, -7, 3])}  # fmt: skip


def residual():
    """A block of ReActNet (arXiv:2003.03488): x + conv(sign(x - t)), then RPReLU, in sixteenths, a slope negative."""
    b = Builder()
    x = b.input("int", (4, 4, 4), -40, 40)
    y = b.add(x, b.xnor_conv2d(b.threshold(x, RESIDUAL_T), RESIDUAL_W, padding=1, pad_value=0))
    shifted = b.add(y, PRELU["before"])
    y = b.add(b.prelu(shifted, PRELU["pos"], PRELU["neg"], 0, 4), PRELU["after"])
    return b.finish(b.reshape(b.sum_pool2d(y, 4), (4,)))


FIRST_W = rng.integers(0, 2, (5, 3, 3, 3))


def first_layer():
    """A convolution with 1-bit weights on pixels, as first layers have it; dark pixels (0) outside the image."""
    b = Builder()
    x = b.int_conv2d(b.input("int", (3, 5, 5), 0, 255), FIRST_W, "bit", stride=2, padding=1, pad_value=0)
    return b.finish(b.reshape(x, (45,)))


TASU_SEED, TASU_SHIFT = 0xDEADBEEFCAFEF00D, 128


def tasu():
    """A TASU input layer: pixels minus a shift, projected by generated signs, each compared with its threshold."""
    b = Builder()
    x = b.affine(b.input("int", (12,), 0, 255), 1, -TASU_SHIFT, 0)
    bits = b.project(x, 20, "rademacher", TASU_SEED, layer=0, t=np.arange(20) * 10 - 100)
    return b.finish(b.to_int(bits, "signs"))


HADAMARD_SEED = 99


def hadamard():
    """Two rounds of random signs and Walsh-Hadamard transform, halved twice in between; 6 values, extended to 8."""
    b = Builder()
    x = b.input("int", (6,), -50, 50)
    return b.finish(b.to_int(b.project(x, 14, "hadamard", HADAMARD_SEED, layer=4, rounds=2, shift=2), "bits"))


TREE_TAPS = np.array([[0, 0, 0], [0, 1, 2], [1, 2, 1], [1, 0, 2]])
TREE_TABLES = [6, 11, 8]  # XOR, "a or not b" backwards, AND


def logic_tree():
    """A logic-tree convolution (arXiv:2411.04732): four taps, two gates, a root; then OR over 2 x 2 places."""
    b = Builder()
    x = b.input("bits", (2, 7, 7))
    x = b.lut_conv2d(x, TREE_TAPS, [[0, 1], [2, 3], [4, 5]], TREE_TABLES, [6], 3, padding=1, pad_value=0)
    return b.finish(b.reshape(b.to_int(b.max_pool2d(x, 2, 2), "bits"), (9,)))


GROUPS = [[0, 1, 2, 3, 4], [5, 6], [7], [8, 9, 9, 0]]
INVERT = [[0, 0, 1, 0, 0], [0, 1], [1], [0, 0, 1, 0]]


def group_sum():
    """GroupSum after folding: groups of unequal size, an output NOT folded into its flag, constants into the offset."""
    b = Builder()
    return b.finish(b.count(b.input("bits", (10,)), GROUPS, INVERT, [0, 3, 1, -2]))


THERMOMETER = np.array([[-1.5, -0.5, 0.5, 1.5], [0.1, 0.2, 0.3, np.inf], [-np.inf, 0.0, 1e-40, 3.4e38]], np.float32)


def thermometer():
    """A distributive thermometer on a float table: each column its own thresholds."""
    b = Builder()
    bits = b.threshold(b.input("float", (3,)), THERMOMETER)
    return b.finish(b.count(bits, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]))


WRAP_W = np.concatenate([np.ones((2, 300), int), rng.integers(0, 2, (2, 300))])


def wrap_around():
    """An 8-bit accumulator that wraps, as an overflow-aware network is trained with; 300 products."""
    b = Builder()
    x = b.input("bits", (300,))
    return b.finish(b.concat([b.xnor_linear(x, WRAP_W, "wrap8"), b.xnor_linear(x, WRAP_W, "wrap8_half")]))


SAY_ALL = {
    "AdaBin at a zero-padded border": adabin,
    "residual and RPReLU with a negative slope": residual,
    "1-bit weights on pixels": first_layer,
    "TASU with its shift": tasu,
    "two rounds of Hadamard": hadamard,
    "logic tree and OR pool": logic_tree,
    "GroupSum with unequal groups": group_sum,
    "thermometer of a float table": thermometer,
    "8-bit wrap-around": wrap_around,
}
