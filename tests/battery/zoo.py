"""Programs for the battery: every operation alone at awkward sizes, small networks, and the Programs of other tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from building import single
from damage import SMALL
from logic_programs import LOGIC
from say_all import SAY_ALL

from bitwright.ir import Builder, Program, load

EDGES = (1, 7, 8, 9, 31, 63, 64, 65, 127, 128, 129, 255, 256, 257, 512, 513)  # around bytes, words and registers
GOLDEN = Path(__file__).parents[1] / "ir" / "golden"
ZOO: dict[str, Callable[[], Program]] = {}


def add(name: str, kind: str, shape: tuple[int, ...], make, lo: int = -9, hi: int = 9) -> None:
    """One operation, make(builder, x, rng), on an input of that kind and shape."""

    def program() -> Program:
        rng = np.random.default_rng(sum(name.encode()))
        return single(kind, shape, lambda b, x: make(b, x, rng), lo, hi)

    assert name not in ZOO, name
    ZOO[name] = program


def linear_ops() -> None:
    for n_bits in EDGES:
        n_out = EDGES[(EDGES.index(n_bits) * 5 + 3) % len(EDGES)]

        def fused(b, x, rng, shape=(n_out, n_bits)):
            sums = b.xnor_linear(x, rng.integers(0, 2, shape))
            return b.threshold(sums, rng.integers(-9, 10, shape[0]), rng.integers(0, 2, shape[0]))

        add(f"xnor_linear {n_bits} to {n_out} bits", "bits", (n_bits,), fused)
        add(
            f"xnor_linear {n_bits} to 10 sums",
            "bits",
            (n_bits,),
            lambda b, x, r, k=n_bits: b.xnor_linear(x, r.integers(0, 2, (10, k))),
        )
        add(
            f"lut {n_bits}",
            "bits",
            (n_bits,),
            lambda b, x, r, k=n_bits: b.lut(x, r.integers(0, k, (k, 2)), r.integers(0, 16, k)),
        )
    for accumulator in ("wrap8", "wrap8_half"):
        add(
            f"xnor_linear {accumulator}", "bits", (700,),
            lambda b, x, r, a=accumulator: b.xnor_linear(x, r.choice([0, 1], (33, 700), p=[0.1, 0.9]), a),
        )  # fmt: skip
    ranges = {"u8": (0, 255), "i8": (-128, 127), "u16": (0, 65535), "i32": (-(1 << 31), (1 << 31) - 1)}
    for dtype, (low, high) in {"bit": (0, 1), "i4": (-8, 7), "i8": (-128, 127), "i16": (-32768, 32767)}.items():
        for source, (lo, hi) in ranges.items():
            for k in (1, 17, 64, 100, 300):
                add(
                    f"int_linear {dtype} of {source} {k}", "int", (k,),
                    lambda b, x, r, k=k, d=dtype, v=(low, high + 1): b.int_linear(x, r.integers(*v, (13, k)), d),
                    lo, hi,
                )  # fmt: skip
        if dtype != "bit":
            add(
                f"int_linear {dtype} of bits", "bits", (77,),
                lambda b, x, r, d=dtype, v=(low, high): b.int_linear(x, r.integers(*v, (9, 77), endpoint=True), d),
            )  # fmt: skip


CONVS = [  # channels, height, width, outputs, kernel, stride, padding, dilation, groups
    (1, 1, 1, 1, (1, 1), 1, 0, 1, 1),
    (3, 8, 8, 8, (3, 3), 1, 1, 1, 1),
    (64, 5, 4, 17, (3, 3), 1, 1, 1, 1),
    (65, 6, 6, 6, (2, 3), (2, 1), (0, 1, 2, 0), 1, 1),
    (8, 9, 9, 16, (3, 3), 2, 1, 1, 8),
    (128, 3, 3, 24, (1, 1), 1, 0, 1, 2),
    (12, 10, 6, 6, (3, 2), (1, 2), (4, 3, 2, 5), (2, 3), 3),
    (2, 16, 16, 5, (7, 7), 3, 3, 1, 1),
    (5, 5, 5, 70, (4, 5), 1, 0, 1, 1),
    (1, 20, 21, 3, (5, 5), 1, 2, 1, 1),
]


def conv_ops() -> None:
    for number, (c, h, w, o, kernel, stride, padding, dilation, groups) in enumerate(CONVS):
        shape = (o, c // groups, *kernel)
        window = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        for pad_value in (-1, 0, 1):

            def fused(b, x, rng, shape=shape, window=window, pad_value=pad_value):
                sums = b.xnor_conv2d(x, rng.integers(0, 2, shape), **window, pad_value=pad_value)
                return b.threshold(sums, rng.integers(-5, 6, shape[0]), rng.integers(0, 2, shape[0]))

            add(f"xnor_conv2d {number} padded {pad_value}", "bits", (c, h, w), fused)
        for accumulator in ("int32", "wrap8", "wrap8_half"):
            add(
                f"xnor_conv2d {number} {accumulator}", "bits", (c, h, w),
                lambda b, x, r, s=shape, v=window, a=accumulator: b.xnor_conv2d(
                    x, r.integers(0, 2, s), **v, accumulator=a
                ),
            )  # fmt: skip
        ints = [
            ("bit", (0, 1), 0, 255),
            ("bit", (0, 1), -300, 700),
            ("i8", (-128, 127), 0, 255),
            ("i4", (-8, 7), -999, 999),
        ]
        for dtype, (low, high), lo, hi in ints:
            add(
                f"int_conv2d {number} {dtype} of {lo}..{hi}", "int", (c, h, w),
                lambda b, x, r, s=shape, v=window, d=dtype, q=(low, high): b.int_conv2d(
                    x, r.integers(*q, s, endpoint=True), d, **v, pad_value=int(r.integers(-3, 200))
                ),
                lo, hi,
            )  # fmt: skip
        add(
            f"int_conv2d {number} i16 of bits", "bits", (c, h, w),
            lambda b, x, r, s=shape, v=window: b.int_conv2d(x, r.integers(-32768, 32768, s), "i16", **v, pad_value=1),
        )  # fmt: skip


def other_ops() -> None:
    for shape in ((1,), (63,), (129,), (3, 5, 7), (65, 2, 3)):
        c, size = shape[0], int(np.prod(shape))
        for lo, hi in ((-9, 9), (0, 255), (-70000, 70000)):
            span = (lo, hi + 1)
            for name, make in {
                "threshold": lambda b, x, r, c=c, s=span: b.threshold(
                    x, r.integers(*s, (c, 2)), r.integers(0, 2, 2 * c)
                ),
                "digitize": lambda b, x, r, c=c, s=span: b.digitize(x, np.sort(r.integers(*s, (c, 5)), axis=1)),
                "affine": lambda b, x, r, c=c: b.affine(
                    x, r.integers(-9, 9, c), r.integers(-99, 99, c), r.integers(0, 9, c)
                ),
                "prelu": lambda b, x, r, c=c: b.prelu(
                    x, r.integers(-9, 9, c), r.integers(-9, 9, c), r.integers(-9, 9, c), r.integers(0, 4, c)
                ),
                "clip": lambda b, x, r: b.clip(x, -5, 6),
                "add": lambda b, x, r, s=shape: b.add(b.add(x, r.integers(-999, 999, s)), x),
            }.items():
                add(f"{name} {shape} {lo}..{hi}", "int", shape, make, lo, hi)
        for kind in ("bits", "int", "float"):
            index = [0, c - 1, c // 2]
            add(f"gather {kind} {shape}", kind, shape, lambda b, x, r, i=index: b.gather(x, i))
            add(f"concat {kind} {shape}", kind, shape, lambda b, x, r, i=index: b.concat([x, b.gather(x, i), x]))
            if kind != "float":
                sides = (1, 2, 0, 3) if len(shape) == 3 else (0, 0, 0, 0)
                add(f"pad {kind} {shape}", kind, shape, lambda b, x, r, s=sides: b.pad(x, (2, 1), s, 1))
                for made in ("rademacher", "gaussian"):
                    add(
                        f"project {made} {kind} {shape}", kind, shape, lambda b, x, r, m=made: b.project(x, 11, m, 5, 2)
                    )
                add(
                    f"project hadamard {kind} {shape}", kind, shape,
                    lambda b, x, r: b.project(x, 19, "hadamard", -7, 1, 2, 3, r.integers(-20, 20, 19)),
                )  # fmt: skip
        for mode in ("bits", "signs"):
            add(f"to_int {mode} {shape}", "bits", shape, lambda b, x, r, m=mode: b.to_int(x, m))
        for k in range(1, 7):
            most = 1 << (1 << k) if k < 6 else 1 << 63
            add(
                f"lut {k} of {shape}", "bits", shape,
                lambda b, x, r, c=c, k=k, m=most: b.lut(
                    x, r.integers(0, c, (70, k)), r.integers(0, m, 70, dtype=np.uint64)
                ),
            )  # fmt: skip
        if len(shape) == 1:
            groups = [list(range(c)), [0] * 70, [], [c - 1]]
            add(
                f"count {shape}", "bits", shape,
                lambda b, x, r, g=groups: b.count(x, g, [r.integers(0, 2, len(v)) for v in g], r.integers(-99, 99, 4)),
            )  # fmt: skip
            add(f"reshape {shape}", "bits", shape, lambda b, x, r, n=size: b.reshape(x, (1, 1, n)))
    add(
        "float thresholds",
        "float",
        (5,),
        lambda b, x, r: b.threshold(x, [[-np.inf, -1, -0.0, 0.5, np.inf]] * 5, r.integers(0, 2, 25)),
    )
    add(
        "float digitize",
        "float",
        (3, 2, 2),
        lambda b, x, r: b.digitize(x, [[-1.5, 0, 0, 2], [-9, -0.1, 0.1, 1], [0] * 4]),
    )


def window_ops() -> None:
    windows = [
        ((2, 2), 2, 0),
        ((3, 3), 2, 1),
        ((3, 2), (1, 3), (2, 0, 1, 1)),
        ((1, 1), 1, 0),
        ((6, 7), 3, (5, 4, 3, 6)),
    ]
    for number, (kernel, stride, padding) in enumerate(windows):
        for channels in (1, 65):
            shape = (channels, 6, 7)
            for kind in ("bits", "int"):
                add(
                    f"max_pool2d {number} {kind} {shape}",
                    kind,
                    shape,
                    lambda b, x, r, w=(kernel, stride, padding): b.max_pool2d(x, *w),
                    -90,
                    -7,
                )
                add(
                    f"patches {number} {kind} {shape}",
                    kind,
                    shape,
                    lambda b, x, r, w=(kernel, stride, padding): b.patches(x, *w, 1, 1),
                )
            add(
                f"sum_pool2d {number} {shape}",
                "int",
                shape,
                lambda b, x, r, w=(kernel, stride, padding): b.sum_pool2d(x, *w),
                3,
                90,
            )

            def tables(b, x, rng, window=(kernel, stride, padding), channels=channels):
                k = 1 + window[0][0] % 4
                taps = np.stack([rng.integers(0, size, 5) for size in (channels, *window[0])], axis=1)
                wiring = np.stack([rng.integers(0, 5 + m, k) for m in range(8)])
                return b.lut_conv2d(x, taps, wiring, rng.integers(0, 1 << (1 << k), 8), [12, 5, 9, 0], *window, 1)

            add(f"lut_conv2d {number} {shape}", "bits", shape, tables)


def networks() -> None:
    def sign_mlp() -> Program:
        rng, b = np.random.default_rng(0), Builder()
        x = b.input("int", (64,), 0, 16)
        x = b.threshold(
            b.int_linear(x, rng.integers(0, 2, (100, 64)), "bit"), rng.integers(-30, 30, 100), rng.integers(0, 2, 100)
        )
        x = b.threshold(b.xnor_linear(x, rng.integers(0, 2, (70, 100))), rng.integers(-9, 9, 70))
        return b.finish(b.xnor_linear(x, rng.integers(0, 2, (10, 70))))

    def sign_cnn() -> Program:
        rng, b = np.random.default_rng(1), Builder()
        x = b.input("int", (1, 8, 8), 0, 16)
        x = b.max_pool2d(b.int_conv2d(x, rng.integers(0, 2, (16, 1, 3, 3)), "bit", padding=1), 2)
        x = b.threshold(x, rng.integers(-20, 40, 16))
        x = b.threshold(b.xnor_conv2d(x, rng.integers(0, 2, (32, 16, 3, 3)), padding=1), rng.integers(-9, 9, 32))
        return b.finish(b.xnor_linear(b.reshape(x, (512,)), rng.integers(0, 2, (10, 512))))

    def sign_resnet() -> Program:
        rng, b = np.random.default_rng(2), Builder()
        x = b.int_conv2d(b.input("int", (3, 8, 8), 0, 255), rng.integers(0, 2, (16, 3, 3, 3)), "bit", padding=1)
        for _ in range(2):
            y = b.xnor_conv2d(b.threshold(x, rng.integers(-99, 99, 16)), rng.integers(0, 2, (16, 16, 3, 3)), padding=1)
            y = b.affine(y, rng.integers(1, 99, 16), rng.integers(-999, 999, 16), 2)
            x = b.clip(b.prelu(b.add(x, y), 16, rng.integers(-8, 9, 16), 3, 4), -20000, 20000)
        x = b.reshape(b.sum_pool2d(x, 8), (16,))
        return b.finish(b.int_linear(x, rng.integers(0, 2, (10, 16)), "bit"))

    ZOO.update({"sign_mlp": sign_mlp, "sign_cnn": sign_cnn, "sign_resnet": sign_resnet})


for part in (linear_ops, conv_ops, other_ops, window_ops, networks):
    part()
ZOO.update({f"small {name}": make for name, make in SMALL.items()})
ZOO.update({f"golden {path.stem}": lambda path=path: load(path) for path in sorted(GOLDEN.glob("*.bw"))})
ZOO.update({f"say-all {name}": make for name, make in SAY_ALL.items()})
ZOO.update({f"logic, {name}": make for name, make in LOGIC.items()})
