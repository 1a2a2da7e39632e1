"""Every rule that a Program can break, with the words that say which."""

import numpy as np
import pytest

from bitwright.ir import Builder, Limits, Op, ProgramError, ValueType
from bitwright.ir.checker import infer

BIG = (1 << 31) - 1


def start(kind="int", shape=(4,), lo=-8, hi=8):
    b = Builder()
    return b, b.input(kind, shape, lo, hi) if kind == "int" else b.input(kind, shape)


def ints(*shape):
    return start("int", shape or (4,))


def bits(*shape):
    return start("bits", shape or (4,))


def floats(*shape):
    return start("float", shape or (4,))


IMAGE = (4, 5, 5)
ONES = np.ones((2, 4, 3, 3), int)
REJECTED = {
    "input twice": (ints, lambda b, x: b.input("bits", (3,)), "`input` is the first operation, and only it"),
    "threshold of bits": (bits, lambda b, x: b.threshold(x, [0] * 4), r"takes int or float, got bits\[4\]"),
    "threshold rows": (ints, lambda b, x: b.threshold(x, [0] * 3), "constant t has 3 rows for 4 channels"),
    "threshold flip": (ints, lambda b, x: b.threshold(x, [0] * 4, [0] * 5), "flip has 5 bits for 4 outputs"),
    "threshold flip of 2": (ints, lambda b, x: b.threshold(x, [0] * 4, [2] * 4), "flip must hold bits, 0 and 1"),
    "float threshold of ints": (ints, lambda b, x: b.threshold(x, [0.5] * 4), "constant t is float64"),
    "f32 threshold of ints": (
        ints,
        lambda b, x: b.threshold(x, np.zeros(4, np.float32)),
        "thresholds are float32 for int values",
    ),
    "NaN threshold": (floats, lambda b, x: b.threshold(x, [0, 1, np.nan, 2]), "a threshold is NaN"),
    "threshold beyond i64": (
        ints,
        lambda b, x: b.threshold(x, np.full(4, 1 << 63, np.uint64)),
        "fits none of i8, i16, i32, i64",
    ),
    "digitize unsorted": (ints, lambda b, x: b.digitize(x, [[1, 0]] * 4), "thresholds are not sorted"),
    "digitize too many": (
        ints,
        lambda b, x: b.digitize(x, np.zeros((4, 32768), int)),
        "32768 thresholds, the limit is 32767",
    ),
    "xnor of ints": (ints, lambda b, x: b.xnor_linear(x, np.ones((2, 4), int)), "takes bits, got int"),
    "xnor width": (bits, lambda b, x: b.xnor_linear(x, np.ones((2, 5), int)), r"weights take 5 bits, got bits\[4\]"),
    "xnor of signs": (
        bits,
        lambda b, x: b.xnor_linear(x, -np.ones((2, 4), int)),
        r"0 \(for -1\) and 1 .* use \(w > 0\)",
    ),
    "xnor of floats": (bits, lambda b, x: b.xnor_linear(x, np.ones((2, 4))), "got float64 in 1.0..1.0"),
    "xnor of an image": (lambda: bits(4, 1, 1), lambda b, x: b.xnor_linear(x, np.ones((2, 4), int)), "weights take 4"),
    "int_linear of bits by bits": (bits, lambda b, x: b.int_linear(x, np.ones((2, 4), int), "bit"), "are xnor_linear"),
    "int_linear dtype": (
        ints,
        lambda b, x: b.int_linear(x, np.ones((2, 4), int), "i32"),
        "weights are 'i32', expected",
    ),
    "int_linear i4": (ints, lambda b, x: b.int_linear(x, np.full((2, 4), 8), "i4"), "weights leave i4"),
    "int_linear float": (ints, lambda b, x: b.int_linear(x, np.ones((2, 4)), "i8"), "constant w is float64"),
    "int_linear empty": (ints, lambda b, x: b.int_linear(x, np.ones((0, 4), int), "i8"), "constant w is empty"),
    "int_linear axes": (ints, lambda b, x: b.int_linear(x, np.ones((1, 2, 4), int), "i8"), "w has 3 axes, expected"),
    "int_linear of wide ints": (
        lambda: start("int", (4,), -BIG, BIG),
        lambda b, x: b.int_linear(b.add(x, x), np.ones((2, 4), int), "i8"),
        "takes ints within int32, got .* clip or shift",
    ),
    "conv of [C]": (bits, lambda b, x: b.xnor_conv2d(x, ONES), r"takes \[C,H,W\], got bits\[4\]; reshape it"),
    "conv channels": (
        lambda: bits(3, 5, 5),
        lambda b, x: b.xnor_conv2d(x, ONES),
        r"weights are \(2, 4, 3, 3\), expected",
    ),
    "conv groups": (lambda: bits(*IMAGE), lambda b, x: b.xnor_conv2d(x, ONES, groups=3), "groups 3 do not divide 4"),
    "conv groups of outputs": (
        lambda: bits(*IMAGE),
        lambda b, x: b.xnor_conv2d(x, ONES[:, :1], groups=4),
        "do not divide 2 output channels",
    ),
    "conv no groups": (lambda: bits(*IMAGE), lambda b, x: b.xnor_conv2d(x, ONES, groups=0), "groups 0 do not divide"),
    "conv pad value": (
        lambda: bits(*IMAGE),
        lambda b, x: b.xnor_conv2d(x, ONES, padding=1, pad_value=2),
        "pad_value is 2, expected -1, 0",
    ),
    "conv too large": (lambda: bits(4, 2, 5), lambda b, x: b.xnor_conv2d(x, ONES), "a window of 3 .* does not fit 2"),
    "conv dilated": (
        lambda: bits(*IMAGE),
        lambda b, x: b.xnor_conv2d(x, ONES, dilation=3),
        "dilation 3.* does not fit 5",
    ),
    "conv stride": (
        lambda: bits(*IMAGE),
        lambda b, x: b.xnor_conv2d(x, ONES, stride=0),
        "stride 0, .* must be in 1..32768",
    ),
    "conv padding": (
        lambda: bits(*IMAGE),
        lambda b, x: b.xnor_conv2d(x, ONES, padding=-1),
        "padding -1, -1: each must",
    ),
    "int_conv pad": (
        lambda: ints(*IMAGE),
        lambda b, x: b.int_conv2d(x, ONES, "i8", padding=1, pad_value=1 << 31),
        "beyond int32",
    ),
    "int_conv pad of bits": (
        lambda: bits(*IMAGE),
        lambda b, x: b.int_conv2d(x, ONES, "i8", pad_value=5),
        "expected -1, 0 or .1 for bits",
    ),
    "int_conv by bits": (
        lambda: bits(*IMAGE),
        lambda b, x: b.int_conv2d(x, ONES, "bit"),
        "xnor_linear or xnor_conv2d",
    ),
    "lut k": (bits, lambda b, x: b.lut(x, np.zeros((1, 7), int), [0]), "k is 7, expected 1..6"),
    "lut wiring": (bits, lambda b, x: b.lut(x, [[0, 1]], [1, 2]), r"wiring is \(1, 2\), expected \(2, 2\)"),
    "lut signal": (bits, lambda b, x: b.lut(x, [[0, 4]], [1]), "wiring reads signal 4 of only 4"),
    "lut negative": (bits, lambda b, x: b.lut(x, [[0, -1]], [1]), "fits none of u8"),
    "lut table": (bits, lambda b, x: b.lut(x, [[0, 1]], [16]), "a table has bits beyond its 4 entries"),
    "lut of ints": (ints, lambda b, x: b.lut(x, [[0, 1]], [1]), "takes bits, got int"),
    "lut_conv tap": (
        lambda: bits(*IMAGE),
        lambda b, x: b.lut_conv2d(x, [[0, 2, 0]], [[0]], [1], [1], 2),
        "a tap leaves 4 channels",
    ),
    "lut_conv taps": (
        lambda: bits(*IMAGE),
        lambda b, x: b.lut_conv2d(x, [[0, 0]], [[0]], [1], [1], 2),
        r"expected \(T, 3\)",
    ),
    "lut_conv order": (
        lambda: bits(*IMAGE),
        lambda b, x: b.lut_conv2d(x, [[0, 0, 0]], [[1]], [1], [1], 2),
        "does not stand before it",
    ),
    "lut_conv output": (
        lambda: bits(*IMAGE),
        lambda b, x: b.lut_conv2d(x, [[0, 0, 0]], [[0]], [1], [2], 2),
        "an output names no signal",
    ),
    "lut_conv pad": (
        lambda: bits(*IMAGE),
        lambda b, x: b.lut_conv2d(x, [[0, 0, 0]], [[0]], [1], [1], 2, pad_value=-1),
        "expected 0 or 1",
    ),
    "count of an image": (lambda: bits(*IMAGE), lambda b, x: b.count(x, [[0]]), r"takes bits \[S\], got .* reshape it"),
    "count signal": (bits, lambda b, x: b.count(x, [[0, 9]]), "signal 9 of only 4"),
    "count empty": (bits, lambda b, x: b.count(x, [[], []]), "constant signal is empty"),
    "count invert": (bits, lambda b, x: b.count(x, [[0, 1]], [[0]]), "invert has 1 bits for 2 signals"),
    "count offset": (bits, lambda b, x: b.count(x, [[0], [1]], offset=[1]), "start has 3 entries for 1 groups"),
    "count offset reach": (bits, lambda b, x: b.count(x, [[0], [1]], offset=[0, 1 << 62]), r"beyond 2\^62"),
    "count starts late": (
        bits,
        lambda b, x: b.add_op("count", [x], None, {"start": [1, 2], "signal": [0, 1], "invert": [0, 0], "offset": [0]}),
        "start runs 1..2, expected 0..2",
    ),
    "count decreases": (
        bits,
        lambda b, x: b.add_op(
            "count", [x], None, {"start": [0, 2, 1, 2], "signal": [0, 1], "invert": [0, 0], "offset": [0] * 3}
        ),
        "start decreases",
    ),
    "project n_out": (bits, lambda b, x: b.project(x, 0, "gaussian", 1), "n_out is 0, expected"),
    "project layer": (bits, lambda b, x: b.project(x, 1, "gaussian", 1, layer=1 << 32), "layer is 4294967296"),
    "project rounds": (
        bits,
        lambda b, x: b.project(x, 1, "gaussian", 1, rounds=1),
        "rounds and shift belong to hadamard",
    ),
    "hadamard rounds": (bits, lambda b, x: b.project(x, 1, "hadamard", 1), "rounds is 0, expected 1..8"),
    "hadamard shift": (
        bits,
        lambda b, x: b.project(x, 1, "hadamard", 1, rounds=1, shift=32),
        "shift is 32, expected 0..31",
    ),
    "project thresholds": (
        bits,
        lambda b, x: b.project(x, 3, "gaussian", 1, t=[0, 1]),
        "t has 2 thresholds for 3 outputs",
    ),
    "project of floats": (floats, lambda b, x: b.project(x, 3, "gaussian", 1), "takes bits or int, got float"),
    "affine of bits": (bits, lambda b, x: b.affine(x, 1, 0, 0), "takes int, got bits"),
    "affine shift": (ints, lambda b, x: b.affine(x, 1, 0, 32), "a shift leaves 0..31"),
    "affine shift below": (ints, lambda b, x: b.affine(x, 1, 0, -1), "constant in -1..-1 fits none of u8"),
    "affine rows": (ints, lambda b, x: b.affine(x, [1, 2], 0, 0), "constant mul has 2 rows for 4 channels"),
    "affine mul": (ints, lambda b, x: b.affine(x, 1 << 31, 0, 0), "constant in 2147483648..2147483648 fits none"),
    "affine overflow": (ints, lambda b, x: b.affine(x, 1, (1 << 62) - 7, 0), r"could reach 46.*, beyond 2\^62; scale"),
    "affine product": (
        lambda: start("int", (4,), -BIG, BIG),
        lambda b, x: b.affine(b.affine(x, BIG, 0, 0), 2, -(1 << 62), 31),
        r"beyond 2\^62",
    ),
    "affine sum before its shift": (
        lambda: start("int", (4,), -BIG, BIG),
        lambda b, x: b.affine(x, BIG, 1 << 33, 31),
        r"beyond 2\^62",
    ),
    "prelu sum before its shift": (
        lambda: start("int", (4,), -BIG, BIG),
        lambda b, x: b.prelu(x, 1, BIG, -(1 << 33), 31),
        r"beyond 2\^62",
    ),
    "prelu slope": (ints, lambda b, x: b.prelu(x, 1, 1 << 31, 0, 0), "fits none of i8, i16, i32"),
    "prelu rows": (ints, lambda b, x: b.prelu(x, 1, [1], 0, 0), "constant neg has 1 rows for 4 channels"),
    "clip": (ints, lambda b, x: b.clip(x, 3, 2), "lo 3 is above hi 2"),
    "clip of a half": (
        ints,
        lambda b, x: b.clip(x, 0, 2.5),
        "attribute hi is 2.5, expected an integer; round it first",
    ),
    "clip beyond 64 bits": (
        ints,
        lambda b, x: b.clip(x, 0, 1 << 63),
        "attribute hi is 9223372036854775808, beyond 64 bits",
    ),
    "add shapes": (ints, lambda b, x: b.add(x, b.gather(x, [0])), "shapes differ"),
    "add bits": (ints, lambda b, x: b.add(x, b.threshold(x, [0] * 4)), "takes int, got bits"),
    "add constant": (ints, lambda b, x: b.add(x, [1, 2]), r"constant b is \(2,\), expected"),
    "add nothing": (ints, lambda b, x: b.add_op("add", [x]), "either a second value or the constant b"),
    "add both": (ints, lambda b, x: b.add_op("add", [x, x], None, {"b": [1] * 4}), "not both or neither"),
    "add overflow": (ints, lambda b, x: b.add(x, [1 << 62] * 4), r"could reach 4611686018427387912, beyond 2\^62"),
    "pool of [C]": (ints, lambda b, x: b.max_pool2d(x, 2), r"takes \[C,H,W\]"),
    "pool padding": (lambda: ints(*IMAGE), lambda b, x: b.max_pool2d(x, 2, padding=2), "a window could be empty"),
    "pool of floats": (lambda: floats(*IMAGE), lambda b, x: b.max_pool2d(x, 2), "takes bits or int, got float"),
    "sum_pool of bits": (lambda: bits(*IMAGE), lambda b, x: b.sum_pool2d(x, 2), "takes int, got bits"),
    "sum_pool padding": (lambda: ints(*IMAGE), lambda b, x: b.sum_pool2d(x, 2, padding=(0, 0, 2, 0)), "could be empty"),
    "patches of floats": (lambda: floats(*IMAGE), lambda b, x: b.patches(x, 2), "takes bits or int"),
    "patches pad": (
        lambda: bits(*IMAGE),
        lambda b, x: b.patches(x, 2, padding=1, pad_value=-1),
        "expected 0 or 1 for bits",
    ),
    "gather": (floats, lambda b, x: b.gather(x, [0, 4]), "index 4 of only 4"),
    "reshape size": (ints, lambda b, x: b.reshape(x, (5,)), r"\(5,\) holds 5 values, the input 4"),
    "reshape axes": (ints, lambda b, x: b.reshape(x, (2, 2)), "ndim 2, dims"),
    "reshape zero": (ints, lambda b, x: b.reshape(x, (0, 2, 2)), "leave 1..2"),
    "concat kinds": (ints, lambda b, x: b.concat([x, b.threshold(x, [0] * 4)]), "kinds or sizes differ"),
    "concat axes": (ints, lambda b, x: b.concat([x, b.reshape(x, (4, 1, 1))]), "kinds or sizes differ"),
    "concat none": (ints, lambda b, x: b.concat([]), "takes 1 to 64 inputs, got 0"),
    "concat many": (ints, lambda b, x: b.concat([x] * 65), "takes 1 to 64 inputs, got 65"),
    "pad rows of [C]": (ints, lambda b, x: b.pad(x, (0, 0), (1, 0, 0, 0)), "rows and columns cannot be padded"),
    "pad below": (ints, lambda b, x: b.pad(x, (-1, 0)), "a padding leaves"),
    "pad bits": (bits, lambda b, x: b.pad(x, (1, 0), value=2), "expected 0 or 1 for bits"),
    "pad floats": (floats, lambda b, x: b.pad(x, (1, 0)), "takes bits or int"),
    "pad overflow": (ints, lambda b, x: b.pad(x, (1, 0), value=(1 << 62) + 1), r"beyond 2\^62"),
    "to_int of ints": (ints, lambda b, x: b.to_int(x, "bits"), "takes bits, got int"),
    "output bits": (bits, lambda b, x: b.finish(x), "takes int, got bits"),
    "output image": (lambda: ints(*IMAGE), lambda b, x: b.finish(x), r"scores must be \[C\]"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_rejected(name):
    begin, add, message = REJECTED[name]
    b, x = begin()
    with pytest.raises(ProgramError, match=message):
        add(b, x)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("int", (3,), 2, 1), "range 2..1, expected lo <= hi within int32"),
        (("int", (3,), 0, 1 << 31), "within int32"),
        (("bits", (3,), 0, 1), "range 0..1, expected 0, 0 for bits"),
        (("float", (3,), 0, 1), "expected 0, 0 for float"),
        (("bits", (3, 4)), "ndim is 2, expected 1 or 3"),
        (("bits", (0,)), "is empty; every axis needs at least 1"),
        (("bits", (-1,)), "is empty"),
        (("bits", ((1 << 24) + 1,)), "the limit is 16777216"),
        (("bits", (1 << 20, 1 << 20, 1 << 20)), "the limit is 16777216"),
    ],
)
def test_inputs_that_are_none(arguments, message):
    with pytest.raises(ProgramError, match=message):
        Builder().input(*arguments)


OPS = [Op("input", (), {"value": 1, "ndim": 1, "dim0": 2, "dim1": 0, "dim2": 0, "lo": 0, "hi": 5}), Op("output", (0,))]


def test_order_of_operations():
    assert infer(OPS) == (ValueType("int", (2,), 0, 5),) * 2
    for ops, message in [
        (OPS[:1], "at least `input` and `output`"),
        ([OPS[0], OPS[1], Op("output", (1,))], "operation 1 .output.: `output` is the last operation"),
        ([OPS[0], OPS[0], OPS[1]], "operation 1 .input.: `input` is the first"),
        ([OPS[0], Op("clip", (0,), {"lo": 0, "hi": 1})], "operation 1 .clip.: `output` is the last"),
        ([OPS[0], Op("output", (1,))], "reads value 1, but only values before 1 exist"),
        ([OPS[0], Op("output", (-1,))], "reads value -1"),
        ([OPS[0], Op("output", (0, 0))], "takes 1 to 1 inputs, got 2"),
        ([OPS[0], Op("softmax", (0,)), OPS[1]], "unknown; known are input, threshold"),
        ([OPS[0], Op("clip", (0,), {"lo": 0}), OPS[1]], "attributes .'lo'., expected .'hi', 'lo'."),
        ([OPS[0], Op("clip", (0,), {"lo": 0, "hi": 1}, {"t": np.ones(1)}), OPS[1]], "constants .'t'., expected"),
        ([OPS[0], Op("affine", (0,), {}, {"mul": np.ones(2, int)}), OPS[1]], "constant add is missing"),
        ([Op("input", (), {**OPS[0].attrs, "value": 3}), OPS[1]], "attribute value is 3, expected an index into"),
    ]:
        with pytest.raises(ProgramError, match=message):
            infer(ops)


def test_partial_sums_count_even_where_the_whole_sum_cancels():
    """2^31 - 1 times (+32767, -32767, ...) is 0 in the end, but not on the way."""
    b = Builder()
    x = b.input("int", (1 << 17,), BIG, BIG)
    w = np.tile(np.array([32767, -32767], np.int16), (1, 1 << 16))
    with pytest.raises(ProgramError, match=r"beyond 2\^62"):
        b.int_linear(x, w, "i16")


def test_limits_of_a_program_under_construction():
    b = Builder()
    x = b.input("bits", (1 << 12,))
    with pytest.raises(ProgramError, match="33554432 values in one tensor, the limit is 16777216"):
        b.concat([b.reshape(b.pad(x, (0, (1 << 19) - (1 << 12))), (1 << 19,))] * 64)


def test_limits_of_everything_together():
    ops = [OPS[0], *(Op("clip", (i,), {"lo": 0, "hi": 5}) for i in range(20)), Op("output", (20,))]
    assert len(infer(ops)) == 22
    for limits, message in [
        (Limits(ops=21), "22 operations, the limit is 21"),
        (Limits(total=43), "more than 43 values a sample"),
        (Limits(steps=43), "more than 43 steps a sample"),
        (Limits(tensor=1), "2 values in one tensor, the limit is 1"),
    ]:
        with pytest.raises(ProgramError, match=message):
            infer(ops, limits)
