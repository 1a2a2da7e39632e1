"""The closed table of operations: codes, inputs, attributes, constants and meaning.

The Python checker walks it; `python -m bitwright.ir.generate` writes native/ops.h and the table of docs/program.md
from it.
Order matters: attributes and constants lie in the file in the order given here.
"""

from dataclasses import dataclass, field

INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32")
PADDING = ("pad_top", "pad_bottom", "pad_left", "pad_right")
KERNEL = ("kernel_h", "kernel_w")
STRIDE = ("stride_h", "stride_w")
DILATION = ("dilation_h", "dilation_w")

# Named values of attributes: the file holds the index.
CHOICES = {
    "accumulator": ("int32", "wrap8", "wrap8_half"),
    "mode": ("bits", "signs"),
    "kind": ("rademacher", "gaussian", "hadamard"),
    "value": ("bits", "int", "float"),
}


@dataclass(frozen=True)
class Const:
    """A constant of an operation: its name, the dtypes it may have, its number of axes, whether it may be absent."""

    name: str
    dtypes: tuple[str, ...]
    ndims: tuple[int, ...]
    optional: bool = False


@dataclass(frozen=True)
class OpSpec:
    """One operation. code and version go into the file; n_inputs is (least, most)."""

    code: int
    n_inputs: tuple[int, int]
    takes: str
    gives: str
    meaning: str
    attrs: tuple[str, ...] = ()
    consts: tuple[Const, ...] = field(default=())
    version: int = 1


_WEIGHTS = ("bit", "i4", "i8", "i16")
_WINDOW = KERNEL + STRIDE + PADDING

OPS: dict[str, OpSpec] = {
    "input": OpSpec(
        0, (0, 0), "-", "bits, int or float [C] or [C,H,W]",
        "The Program's one input. Integers state their range lo..hi (within int32), checked at `run`; "
        "bits and floats state 0, 0. Floats are float32 and never NaN.",
        attrs=("value", "ndim", "dim0", "dim1", "dim2", "lo", "hi"),
    ),
    "threshold": OpSpec(
        1, (1, 1), "int or float", "bits [C*J] or [C*J,H,W]",
        "bit c*J + j is (x[c] >= t[c,j]) XOR flip[c*J + j]. "
        "Exact comparison; float thresholds may be infinite, -0.0 = +0.0.",
        consts=(Const("t", ("i8", "i16", "i32", "i64", "f32"), (2,)), Const("flip", ("bit",), (1,))),
    ),
    "digitize": OpSpec(
        2, (1, 1), "int or float", "int, x's shape",
        "How many of the sorted thresholds t[c] are <= x[c]: 0 .. K, K <= 32767.",
        consts=(Const("t", ("i8", "i16", "i32", "i64", "f32"), (2,)),),
    ),
    "xnor_linear": OpSpec(
        3, (1, 1), "bits [K], read as signs", "int [N]",
        "s[n] = sum_k sign(x[k]) * sign(w[n,k]), then the accumulator.",
        attrs=("accumulator",), consts=(Const("w", ("bit",), (2,)),),
    ),
    "xnor_conv2d": OpSpec(
        4, (1, 1), "bits [C,H,W], read as signs", "int [O,H',W']",
        "Cross-correlation of signs, w is [O, C/groups, kernel_h, kernel_w]; a place outside the image counts as "
        "pad_value (-1, 0 or +1; 0 leaves it out of the sum); then the accumulator.",
        attrs=_WINDOW + DILATION + ("groups", "pad_value", "accumulator"), consts=(Const("w", ("bit",), (4,)),),
    ),
    "int_linear": OpSpec(
        5, (1, 1), "bits read as signs, or int [K] within int32", "int [N]",
        "s[n] = sum_k x[k] * w[n,k]; 1-bit weights are signs. Bits with 1-bit weights are `xnor_linear`, not this.",
        consts=(Const("w", _WEIGHTS, (2,)),),
    ),
    "int_conv2d": OpSpec(
        6, (1, 1), "bits read as signs, or int [C,H,W] within int32", "int [O,H',W']",
        "As xnor_conv2d on integers: a place outside the image has the integer value pad_value (-1, 0, +1 for bits).",
        attrs=_WINDOW + DILATION + ("groups", "pad_value"), consts=(Const("w", _WEIGHTS, (4,)),),
    ),
    "lut": OpSpec(
        7, (1, 1), "bits [S] or [S,H,W]", "bits [G] or [G,H,W]",
        "bit g is bit a of table[g], a = sum_j x[wiring[g,j]] * 2^(k-1-j): the first input is the most significant. "
        "1 <= k <= 6; with [S,H,W] the same at every position.",
        attrs=("k",),
        consts=(Const("wiring", ("u8", "u16", "u32"), (2,)), Const("table", ("u8", "u16", "u32", "u64"), (1,))),
    ),
    "lut_conv2d": OpSpec(
        8, (1, 1), "bits [C,H,W]", "bits [O,H',W']",
        "At every position signals 0..T-1 are the taps (channel, dy, dx) of the window, signal T+m is table m of k "
        "earlier signals (as in `lut`), output o is signal outputs[o]; a tap outside the image is pad_value (0 or 1).",
        attrs=_WINDOW + ("pad_value", "k"),
        consts=(
            Const("taps", ("u8", "u16", "u32"), (2,)),
            Const("wiring", ("u8", "u16", "u32"), (2,)),
            Const("table", ("u8", "u16", "u32", "u64"), (1,)),
            Const("outputs", ("u8", "u16", "u32"), (1,)),
        ),
    ),
    "count": OpSpec(
        9, (1, 1), "bits [S]", "int [G]",
        "offset[g] + sum over i in start[g] .. start[g+1]-1 of (x[signal[i]] XOR invert[i]), bits read as 0 and 1.",
        consts=(
            Const("start", ("u8", "u16", "u32"), (1,)),
            Const("signal", ("u8", "u16", "u32"), (1,)),
            Const("invert", ("bit",), (1,)),
            Const("offset", ("i8", "i16", "i32", "i64"), (1,)),
        ),
    ),
    "project": OpSpec(
        10, (1, 1), "bits read as signs, or int; [p] or [p,H,W]", "bits [N] or [N,H,W]",
        "bit n is (sum_j G[n,j] * x[j] >= t[n]), t absent meaning 0, at every position. G from the bit generator with "
        "seed and layer: rademacher and gaussian rows as in bitwright.bits; hadamard: x zero-extended to Q = "
        "2^ceil(log2 p), and for block b: `rounds` times (signs of stream block b*rounds + r, then the "
        "unnormalised Walsh-Hadamard transform, then between rounds "
        "floor(v / 2^shift)); blocks one after another, first N rows.",
        attrs=("kind", "n_out", "seed", "layer", "rounds", "shift"),
        consts=(Const("t", ("i8", "i16", "i32", "i64"), (1,), optional=True),),
    ),
    "affine": OpSpec(
        11, (1, 1), "int", "int, x's shape",
        "floor((x*mul[c] + add[c]) / 2^shift[c]), 0 <= shift <= 31; floor for negatives too.",
        consts=(
            Const("mul", ("i8", "i16", "i32"), (1,)),
            Const("add", ("i8", "i16", "i32", "i64"), (1,)),
            Const("shift", ("u8",), (1,)),
        ),
    ),
    "prelu": OpSpec(
        12, (1, 1), "int", "int, x's shape",
        "floor((x * (x >= 0 ? pos[c] : neg[c]) + add[c]) / 2^shift[c]), slopes of any sign, 0 <= shift <= 31.",
        consts=(
            Const("pos", ("i8", "i16", "i32"), (1,)),
            Const("neg", ("i8", "i16", "i32"), (1,)),
            Const("add", ("i8", "i16", "i32", "i64"), (1,)),
            Const("shift", ("u8",), (1,)),
        ),
    ),
    "clip": OpSpec(
        13, (1, 1), "int", "int, x's shape", "min(max(x, lo), hi).", attrs=("lo", "hi"),
    ),
    "add": OpSpec(
        14, (1, 2), "int, or two ints of one shape", "int, x's shape",
        "x + y, or x + b with the constant b [C] or [C,H,W]: exactly one of y and b.",
        consts=(Const("b", ("i8", "i16", "i32", "i64"), (1, 3), optional=True),),
    ),
    "max_pool2d": OpSpec(
        15, (1, 1), "bits or int [C,H,W]", "same kind [C,H',W']",
        "Largest value of each window (on bits OR); places outside the image never win. "
        "Padding is less than the kernel.",
        attrs=_WINDOW,
    ),
    "sum_pool2d": OpSpec(
        16, (1, 1), "int [C,H,W]", "int [C,H',W']",
        "Sum of each window; places outside the image add 0. Padding is less than the kernel.",
        attrs=_WINDOW,
    ),
    "patches": OpSpec(
        17, (1, 1), "bits or int [C,H,W]", "same kind [C*kernel_h*kernel_w,H',W']",
        "Every window as a column, in torch.unfold's order (channel, then row, then column of the window); "
        "a place outside the image is pad_value (0 or 1 for bits).",
        attrs=_WINDOW + DILATION + ("pad_value",),
    ),
    "gather": OpSpec(
        18, (1, 1), "any kind [C] or [C,H,W]", "same kind [N] or [N,H,W]", "y[n] = x[index[n]] along the first axis.",
        consts=(Const("index", ("u8", "u16", "u32"), (1,)),),
    ),
    "reshape": OpSpec(
        19, (1, 1), "any kind", "same kind, same number of values", "Row-major order (C, then H, then W) is kept.",
        attrs=("ndim", "dim0", "dim1", "dim2"),
    ),
    "concat": OpSpec(20, (1, 64), "one kind, equal H,W", "same kind", "One after another along the first axis."),
    "pad": OpSpec(
        21, (1, 1), "bits or int", "same kind",
        "`value` (0 or 1 for bits) around x: channels before and after, rows above and below, columns left and right.",
        attrs=("pad_before", "pad_after") + PADDING + ("pad_value",),
    ),
    "to_int": OpSpec(
        22, (1, 1), "bits", "int, x's shape", "mode bits: 0 and 1; mode signs: -1 and +1.", attrs=("mode",),
    ),
    "output": OpSpec(
        23, (1, 1), "int [C]", "the same",
        "The Program's last operation. `scores` are its values; `class` is the index of the largest, "
        "the lowest index winning a tie.",
    ),
}  # fmt: skip

DTYPES = {
    "none": 0,
    "bit": 1,
    "i4": 2,
    "u8": 3,
    "i8": 4,
    "u16": 5,
    "i16": 6,
    "u32": 7,
    "i32": 8,
    "u64": 9,
    "i64": 10,
    "f32": 11,
}

OP_BY_CODE = {spec.code: name for name, spec in OPS.items()}
DTYPE_BY_CODE = {code: name for name, code in DTYPES.items()}
