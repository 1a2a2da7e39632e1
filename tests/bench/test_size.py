"""Bits of each kind of value, of Programs built by hand and of those shipped."""

import numpy as np

from bitwright import pretrained
from bitwright.bench import widths
from bitwright.ir import Builder


def test_widths_of_an_embedded_layer_behind_integers():
    b = Builder()
    x = b.int_linear(b.input("int", (5,), 0, 200), np.full((4, 5), 3), "i4")  # 0..3000
    bits = b.project(b.reshape(b.clip(x, 0, 90), (4,)), 70, "hadamard", 1, layer=0, rounds=1)
    found = widths(b.finish(b.xnor_linear(bits, np.zeros((2, 70), np.uint8))))  # -70..70
    assert (found.inputs, found.weights, found.activations) == (8, (1, 4), 7)
    assert str(found) == "1+4/7/seed/12"


def test_widths_of_numbers_below_zero_and_of_tables():
    b = Builder()
    x = b.threshold(b.input("float", (3,)), np.zeros(3, np.float32))
    gates = b.lut(x, np.array([[0, 1], [1, 2]]), np.array([1, 6], np.uint64))
    found = widths(b.finish(b.count(gates, [[0, 1], [0]], offset=np.array([-9, 0]))))  # -9..1
    assert (found.inputs, found.weights, found.activations, found.sums) == (32, (), 1, 5)
    assert str(found) == "tables/1/none/5"


def test_widths_of_what_is_shipped():
    assert str(widths(pretrained("mnist_gnet"))) == "1/8/seed/12"  # N = 2,047
    assert str(widths(pretrained("mnist_sign_mlp"))).startswith("1/1/none/")
