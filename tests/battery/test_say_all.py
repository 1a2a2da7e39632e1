"""Each method's own formula in NumPy floats or Python integers, against the Program that says it; on random inputs."""

import numpy as np
import say_all
from building import data_for
from oracle import generated_sign

from bitwright.ir import execute


def scores(make, batch=40, seed=3):
    program = make()
    x = data_for(program, batch, seed)
    return x, execute(program, x)[-1]


def convolved(x, w, padding, stride=1, outside=0.0):
    """(batch, O, H', W') by sums of shifted images; x (batch, C, H, W) and w (O, C, k, k) of floats."""
    x = np.pad(x.astype(float), ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2), constant_values=outside)
    k = w.shape[2]
    height, width = x.shape[2] - k + 1, x.shape[3] - k + 1
    total = sum(
        np.einsum("bchw,oc->bohw", x[:, :, dy : dy + height, dx : dx + width], w[:, :, dy, dx].astype(float))
        for dy in range(k)
        for dx in range(k)
    )
    return total[:, :, ::stride, ::stride]


def test_adabin_at_a_zero_padded_border():
    x, got = scores(say_all.adabin)
    activation = np.where(x >= np.array([0, 2])[:, None, None], 3.0, -1.0)
    scale, centre = say_all.ADABIN_SCALE[:, None, None, None], say_all.ADABIN_CENTRE[:, None, None, None]
    w = centre + scale * np.where(say_all.ADABIN_W == 1, 1.0, -1.0)
    total = convolved(activation, w, 1) + say_all.ADABIN_BIAS[:, None, None]
    assert (got == np.floor(total / 4).reshape(len(x), -1)).all()


def test_residual_and_rprelu_with_a_negative_slope():
    x, got = scores(say_all.residual)
    bits = np.where(x >= say_all.RESIDUAL_T[:, None, None], 1.0, -1.0)
    y = x + convolved(bits, 2 * say_all.RESIDUAL_W - 1, 1)
    p = {name: value[:, None, None] for name, value in say_all.PRELU.items()}
    shifted = y + p["before"]
    y = np.floor(np.where(shifted >= 0, p["pos"] / 16, p["neg"] / 16) * shifted) + p["after"]
    assert (shifted < 0).any() and (got == y.sum(axis=(2, 3))).all()


def test_one_bit_weights_on_pixels():
    x, got = scores(say_all.first_layer)
    assert (got == convolved(x, 2 * say_all.FIRST_W - 1, 1, stride=2).reshape(len(x), -1)).all()


def test_tasu_with_its_shift():
    x, got = scores(say_all.tasu)
    matrix = np.array([[generated_sign(say_all.TASU_SEED, 0, 0, 64 * n + j) for j in range(12)] for n in range(20)])
    sums = (x.astype(int) - 128) @ matrix.T
    assert (got == np.where(sums >= np.arange(20) * 10 - 100, 1, -1)).all()
    assert 0.1 < (got == 1).mean() < 0.9


def test_two_rounds_of_hadamard():
    x, got = scores(say_all.hadamard)
    matrix = np.array([[1]])
    while len(matrix) < 8:
        matrix = np.kron([[1, 1], [1, -1]], matrix)
    blocks = []
    for block in range(2):
        d = [[generated_sign(say_all.HADAMARD_SEED, 4, 2 * block + r, j) for j in range(8)] for r in range(2)]
        v = np.pad(x, ((0, 0), (0, 2))) * np.array(d[0])
        v = np.floor(v @ matrix.T / 4)
        blocks.append((v * np.array(d[1])) @ matrix.T >= 0)
    assert (got == np.concatenate(blocks, axis=1)[:, :14]).all()


def test_logic_tree_and_or_pool():
    x, got = scores(say_all.logic_tree)
    padded = np.pad(x.astype(bool), ((0, 0), (0, 0), (1, 1), (1, 1)))
    a, b, c, d = (padded[:, ch, dy : dy + 7, dx : dx + 7] for ch, dy, dx in say_all.TREE_TAPS)
    left = a ^ b  # 6 = 0110
    right = ~c | d  # 11 = 1011: all but (1, 0)
    root = left & right  # 8 = 1000
    pooled = np.zeros((len(x), 3, 3), bool)
    for i in range(3):
        for j in range(3):
            pooled[:, i, j] = root[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].any(axis=(1, 2))
    assert (got == pooled.reshape(len(x), -1)).all() and 0 < pooled.mean() < 1


def test_group_sum_with_unequal_groups():
    x, got = scores(say_all.group_sum)
    x = x.astype(int)
    wanted = [
        x[:, 0] + x[:, 1] + (1 - x[:, 2]) + x[:, 3] + x[:, 4],
        3 + x[:, 5] + (1 - x[:, 6]),
        1 + (1 - x[:, 7]),
        -2 + x[:, 8] + x[:, 9] + (1 - x[:, 9]) + x[:, 0],
    ]
    assert (got == np.stack(wanted, axis=1)).all()


def test_thermometer_of_a_float_table():
    program = say_all.thermometer()
    x = data_for(program, 60)
    x[0], x[1], x[2] = [np.inf] * 3, [-np.inf] * 3, [-0.5, 0.3, -0.0]
    limits = say_all.THERMOMETER.astype(float)
    wanted = [[sum(float(v) >= t for t in row) for v, row in zip(sample, limits, strict=True)] for sample in x]
    assert (execute(program, x)[-1] == np.array(wanted)).all()
    assert execute(program, x)[-1][:3].tolist() == [[4, 4, 4], [0, 0, 1], [2, 3, 2]]


def test_eight_bit_wrap_around():
    program = say_all.wrap_around()
    x = np.zeros((301, 300), np.uint8)
    for ones in range(301):
        x[ones, :ones] = 1
    sums = (2 * x.astype(int) - 1) @ (2 * say_all.WRAP_W - 1).T
    with np.errstate(over="ignore"):
        wanted = np.concatenate([sums.astype(np.int8), (sums >> 1).astype(np.int8)], axis=1)
    assert (execute(program, x)[-1] == wanted).all() and (abs(sums) > 128).any()
