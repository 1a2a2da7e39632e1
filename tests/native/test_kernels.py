"""Every kernel, forced by name: against the formula in NumPy; on random layers against the reference, sanitized."""

import os
import subprocess

import kernels_lib as lib
import numpy as np
import pytest

from bitwright.ir.executors import join_backends

CI = os.environ.get("CI") == "true"
AWKWARD = [1, 63, 64, 65, 127, 128, 200]


def need(condition, reason):
    if not condition:
        (pytest.fail if CI else pytest.skip)(reason)


@pytest.fixture(scope="module")
def kernels():
    need(lib.compiler(), "needs a C compiler: install gcc, or set CC")
    return lib.load()


def runnable(isa):
    if not lib.cpu_has(isa):
        pytest.skip(f"this CPU lacks {isa}")
    return isa


@pytest.fixture(params=list(lib.FLAGS))
def isa(request):
    return runnable(request.param)


@pytest.fixture(params=[isa for isa, operation in lib.kernels() if operation == "xnor_linear"])
def xnor_isa(request):
    return runnable(request.param)


def wrap(sums, accumulator):
    """The accumulators of docs/program.md."""
    if accumulator == "int32":
        return sums
    return ((sums // 2 if accumulator == "wrap8_half" else sums) + 128) % 256 - 128


def convolve(x, w, stride, padding, dilation, groups, pad_value):
    """(B,H,W,C) * (O,C/groups,kh,kw) -> (B,H',W',O), by the definition; padding: top, bottom, left, right."""
    x = np.pad(x, ((0, 0), padding[:2], padding[2:], (0, 0)), constant_values=pad_value)
    outputs, channels, kernel_h, kernel_w = w.shape
    out_h = (x.shape[1] - dilation[0] * (kernel_h - 1) - 1) // stride[0] + 1
    out_w = (x.shape[2] - dilation[1] * (kernel_w - 1) - 1) // stride[1] + 1
    sums = np.zeros((len(x), out_h, out_w, outputs), np.int64)
    per_group = outputs // groups
    for ky in range(kernel_h):
        for kx in range(kernel_w):
            y0, x0 = ky * dilation[0], kx * dilation[1]
            place = x[
                :, y0 : y0 + (out_h - 1) * stride[0] + 1 : stride[0], x0 : x0 + (out_w - 1) * stride[1] + 1 : stride[1]
            ]
            for g in range(groups):
                to = slice(g * per_group, (g + 1) * per_group)
                sums[..., to] += place[..., g * channels : (g + 1) * channels] @ w[to, :, ky, kx].T
    return sums


def check(layer, x, sums, out, rng):
    """Runs the layer and compares all positions with the sums (B, positions * N), or with their thresholds."""
    n = layer.shape.out_channels
    threshold = rng.choice(sums.ravel(), n) if sums.size else np.zeros(n)
    flip = rng.integers(0, 2, n)
    got = layer(x, threshold, lib.pack_bits(flip))
    if out == "bits":
        bits = (sums.reshape(len(sums), -1, n) >= threshold) ^ (flip == 1)
        np.testing.assert_array_equal(got, lib.pack_bits(bits).reshape(len(sums), -1))
    else:
        np.testing.assert_array_equal(got, sums.reshape(len(sums), -1))


@pytest.mark.parametrize("n_samples", [1, 2, 3, 5, 513])
@pytest.mark.parametrize("out", ["i32", "bits"])
def test_xnor_linear_is_the_product_of_signs(kernels, xnor_isa, n_samples, out):
    rng = np.random.default_rng(n_samples)
    for k in AWKWARD:
        for n in [1, 10, 16, 17, 33, 64, 65, 100, 128]:
            accumulator = lib.ACCUMULATORS[(k + n) % 3]
            x, w = (rng.choice([-1, 1], (rows, k)) for rows in (n_samples, n))
            shape = lib.shape(channels=k, out_channels=n, out=out, accumulator=accumulator)
            layer = lib.Layer(kernels[xnor_isa, "xnor_linear"], shape, lib.pack_bits(w > 0))
            check(layer, lib.pack_bits(x > 0), wrap(x @ w.T, accumulator), out, rng)


RANGES = [
    ("u8", 0, 255),
    ("u8", 3, 90),
    ("i32", -128, 127),
    ("i32", -3000, 3000),
    ("i32", 0, 65535),
    ("i32", -70000, 5),
    ("bits", 0, 0),
]


def integers(kind, lo, hi, size, rng):
    """Values as the formula sees them, and as the kernel is given them."""
    if kind == "bits":
        values = rng.choice([-1, 1], size)
        return values, lib.pack_bits(values > 0)
    values = rng.integers(lo, hi, size, endpoint=True)
    return values, values.astype(np.uint8 if kind == "u8" else np.int32)


@pytest.mark.parametrize("kind, lo, hi", RANGES)
@pytest.mark.parametrize("weight", lib.WEIGHTS)
@pytest.mark.parametrize("out", lib.OUTS)
def test_int_linear_is_the_integer_product(kernels, isa, kind, lo, hi, weight, out):
    rng = np.random.default_rng(hi)
    if out != "i64" and max(-lo, hi) * 32768 * 784 > 2**31 and weight == "i16":
        weight_hi = 3  # the sums must fit int32
    else:
        weight_hi = {"sign": 1, "i8": 127, "i16": 32767 if out == "i64" else 80}[weight]
    for n_samples, k, n in [
        (1, 784, 200),
        (3, 200, 100),
        (5, 65, 16),
        (2, 1, 97),
        (17, 63, 129),
        (4, 128, 96),
        (33, 127, 10),
    ]:
        values, x = integers(kind, lo, hi, (n_samples, k), rng)
        w = (
            rng.choice([-1, 1], (n, k))
            if weight == "sign"
            else rng.integers(-weight_hi - 1, weight_hi, (n, k), endpoint=True)
        )
        shape = lib.shape(channels=k, out_channels=n, input=kind, lo=lo, hi=hi, weight=weight, out=out)
        canonical = lib.pack_bits(w > 0) if weight == "sign" else w.astype(weight.replace("i", "int"))
        check(lib.Layer(kernels[isa, "int_linear"], shape, canonical), x, values @ w.T, out, rng)


@pytest.mark.parametrize("kind, lo, hi", [r for r in RANGES if r[0] != "bits"])
@pytest.mark.parametrize("n", [16, 128])
def test_int_linear_at_the_ends_of_its_range(kernels, isa, kind, lo, hi, n):
    """Sums inside a kernel are as large as they can be: nothing may saturate or overflow."""
    k = 784
    w = np.sign(np.arange(n)[:, None] % 3 - 0.5) * np.ones((n, k), np.int64)
    values = np.array([lo, hi])[:, None] * np.ones((2, k), np.int64)
    shape = lib.shape(channels=k, out_channels=n, input=kind, lo=lo, hi=hi, out="i32")
    x = values.astype(np.uint8 if kind == "u8" else np.int32)
    layer = lib.Layer(kernels[isa, "int_linear"], shape, lib.pack_bits(w > 0))
    np.testing.assert_array_equal(layer(x), values @ w.T)


CONVOLUTIONS = [  # channels, outputs, image, kernel, stride, padding, dilation, groups
    (64, 64, (9, 11), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    (3, 33, (8, 8), (3, 3), (2, 2), (1, 0, 1, 0), (1, 1), 1),
    (65, 17, (7, 5), (2, 3), (1, 2), (0, 1, 2, 1), (1, 1), 1),
    (128, 100, (6, 6), (3, 3), (1, 1), (2, 2, 2, 2), (2, 2), 1),
    (200, 16, (5, 5), (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    (96, 66, (5, 6), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 3),
    (100, 100, (7, 7), (3, 3), (2, 1), (1, 1, 1, 1), (1, 1), 100),
    (1, 70, (10, 6), (5, 3), (3, 1), (4, 2, 1, 1), (1, 1), 1),
]


def conv_fields(case, **more):
    channels, outputs, image, kernel, stride, padding, dilation, groups = case
    names = (
        "height width kernel_h kernel_w stride_h stride_w pad_top pad_bottom pad_left pad_right dilation_h dilation_w"
    )
    values = (*image, *kernel, *stride, *padding, *dilation)
    return dict(zip(names.split(), values)) | {"channels": channels, "out_channels": outputs, "groups": groups} | more


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("pad_value", [-1, 0, 1])
@pytest.mark.parametrize("out", ["i32", "bits"])
def test_xnor_conv2d_is_the_cross_correlation(kernels, xnor_isa, case, pad_value, out):
    rng = np.random.default_rng(pad_value + 1)
    channels, outputs, image, kernel, stride, padding, dilation, groups = case
    x, w = rng.choice([-1, 1], (3, *image, channels)), rng.choice([-1, 1], (outputs, channels // groups, *kernel))
    sums = convolve(x, w, stride, padding, dilation, groups, pad_value)
    accumulator = lib.ACCUMULATORS[channels % 3]
    shape = lib.shape(**conv_fields(case, pad_value=pad_value, out=out, accumulator=accumulator))
    layer = lib.Layer(
        kernels[xnor_isa, "xnor_conv2d"],
        shape,
        lib.pack_bits(w.reshape(outputs, -1) > 0),
        sums[0, ..., 0].size,
        sums.shape[1],
    )
    check(layer, lib.pack_bits(x > 0).reshape(3, -1), wrap(sums, accumulator), out, rng)


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("kind, lo, hi", RANGES)
@pytest.mark.parametrize("weight", lib.WEIGHTS)
def test_int_conv2d_is_the_cross_correlation(kernels, isa, case, kind, lo, hi, weight):
    rng = np.random.default_rng(hi)
    channels, outputs, image, kernel, stride, padding, dilation, groups = case
    values, x = integers(kind, lo, hi, (2, *image, channels), rng)
    size = (outputs, channels // groups, *kernel)
    w = (
        rng.choice([-1, 1], size)
        if weight == "sign"
        else rng.integers(-9 if lo < -9999 or hi > 9999 else -128, 9, size)
    )
    pad_value = int(rng.integers(lo, hi, endpoint=True))
    sums = convolve(values, w, stride, padding, dilation, groups, pad_value)
    out = lib.OUTS[(channels + outputs + hi) % 3]
    shape = lib.shape(**conv_fields(case, pad_value=pad_value, out=out, input=kind, lo=lo, hi=hi, weight=weight))
    flat = w.reshape(outputs, -1)
    canonical = lib.pack_bits(flat > 0) if weight == "sign" else flat.astype(weight.replace("i", "int"))
    layer = lib.Layer(kernels[isa, "int_conv2d"], shape, canonical, sums[0, ..., 0].size, sums.shape[1])
    check(layer, x.reshape(2, -1), sums, out, rng)


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """kernels_check, built with the address and undefined-behaviour sanitizers."""
    need(lib.compiler(), "needs a C compiler: install gcc, or set CC")
    have = [f"-DBW_HAVE_{isa.upper()}" for isa in lib.FLAGS if isa != "reference"]
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    out = tmp_path_factory.mktemp("kernels") / "kernels_check"
    return lib.compile_kernels(out, [lib.NATIVE.parent / "tests/native/kernels_check.c"], [*have, *sanitize, "-O1"])


@pytest.mark.parametrize("operation", lib.OPERATIONS)
def test_random_layers_agree_with_the_reference_and_stay_inside_their_buffers(checker, isa, operation):
    count = "20" if isa == "reference" else "150"
    run = subprocess.run([checker, isa, operation, "1", count], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr[-3000:]


def test_the_engine_offers_what_this_cpu_has():
    need((lib.NATIVE.parent / "src/bitwright/native/libbw_run.so").exists(), "needs the native core: make setup")
    offered = [name.removeprefix("cpu:") for name in join_backends() if name.startswith("cpu:")]
    assert offered == [isa for isa in dict.fromkeys(isa for isa, _ in lib.kernels()) if lib.cpu_has(isa)]
