import numpy as np
import pytest
from building import data_for, single
from oracle import check_program

from bitwright.ir import execute

# kernel, stride, padding (top, bottom, left, right), dilation, groups
GEOMETRY = [
    ((1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    ((3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    ((3, 2), (2, 1), (0, 2, 1, 0), (1, 1), 2),
    ((2, 3), (1, 3), (3, 0, 0, 4), (2, 1), 1),  # padding beyond the kernel: windows wholly outside
    ((2, 2), (1, 2), (1, 0, 2, 1), (3, 2), 4),
    ((5, 6), (1, 1), (0, 0, 0, 0), (1, 1), 2),  # one window
]
IDS = [str(i) for i in range(len(GEOMETRY))]


def conv(op, geometry, pad_value, w, **more):
    kernel, stride, padding, dilation, groups = geometry
    window = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "pad_value": pad_value}
    return lambda b, x: getattr(b, op)(x, w, **window, **more)


@pytest.mark.parametrize("geometry", GEOMETRY, ids=IDS)
@pytest.mark.parametrize("pad_value", [-1, 0, 1])
@pytest.mark.parametrize("accumulator", ["int32", "wrap8_half"])
def test_xnor_conv2d(geometry, pad_value, accumulator):
    kernel, groups = geometry[0], geometry[4]
    w = np.random.default_rng(5).integers(0, 2, (4, 4 // groups, *kernel))
    program = single("bits", (4, 5, 6), conv("xnor_conv2d", geometry, pad_value, w, accumulator=accumulator))
    check_program(program, data_for(program, 2))


@pytest.mark.parametrize("geometry", GEOMETRY, ids=IDS)
@pytest.mark.parametrize("kind, dtype", [("int", "bit"), ("int", "i8"), ("bits", "i4")])
def test_int_conv2d(geometry, kind, dtype):
    kernel, groups = geometry[0], geometry[4]
    w = np.random.default_rng(6).integers(0 if dtype == "bit" else -8, 2, (8, 4 // groups, *kernel))
    pad_value = 1 if kind == "bits" else 200
    more = {"weight_dtype": dtype}
    program = single(kind, (4, 5, 6), conv("int_conv2d", geometry, pad_value, w, **more), 0, 255)
    check_program(program, data_for(program, 2))


@pytest.mark.parametrize("geometry", GEOMETRY, ids=IDS)
@pytest.mark.parametrize("pad_value", [-1, 0, 1])
def test_xnor_conv2d_is_the_convolution_of_torch(geometry, pad_value):
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    kernel, stride, (top, bottom, left, right), dilation, groups = geometry
    w = np.random.default_rng(7).integers(0, 2, (4, 4 // groups, *kernel))
    program = single("bits", (4, 5, 6), conv("xnor_conv2d", geometry, pad_value, w))
    x = data_for(program, 3)
    signs, weights = torch.from_numpy(2.0 * x - 1), torch.from_numpy(2.0 * w - 1)
    padded = torch.nn.functional.pad(signs, (left, right, top, bottom), value=float(pad_value))
    wanted = torch.nn.functional.conv2d(padded, weights, None, stride, 0, dilation, groups).numpy()
    assert (execute(program, x, keep=True)[1] == wanted).all()


def test_many_samples_are_worked_in_parts():
    """The windows of 40 samples would not be laid out at once; the result must not notice."""
    w = np.random.default_rng(8).integers(0, 2, (2, 64, 5, 5))
    program = single("bits", (64, 28, 28), lambda b, x: b.xnor_conv2d(x, w, padding=2))
    x = data_for(program, 40)
    whole = execute(program, x)[-1]
    assert all((execute(program, x[i : i + 1])[-1][0] == whole[i]).all() for i in (0, 19, 39))


def test_huge_paddings_cost_no_memory():
    """Padded in full, this image would take 34 GB as int64."""
    far = (32768,) * 4
    w = np.ones((1, 1, 1, 1), int)
    program = single(
        "int", (1, 2, 2), lambda b, x: b.int_conv2d(x, w, "i4", stride=32768, padding=far, pad_value=5), 0, 9
    )
    out = execute(program, np.array([[[[1, 2], [3, 4]]]]), keep=True)[1]
    assert out[0, 0].tolist() == [[5, 5, 5], [5, 1, 5], [5, 5, 5]]
    taps, wiring, table = [[0, 32767, 32767]], [[0]], [2]
    program = single(
        "bits", (1, 2, 2), lambda b, x: b.lut_conv2d(x, taps, wiring, table, [1], 32768, 1, (32767, 0, 32767, 0))
    )
    x = np.array([[[[1, 0], [1, 1]]]], np.uint8)
    assert (execute(program, x, keep=True)[1] == x).all()
    program = single("int", (1, 1, 1), lambda b, x: b.max_pool2d(x, 32768, 32768, 32767), -9, -1)
    assert execute(program, np.array([[[[-3]]]]))[-1].tolist() == [[-3]]


@pytest.mark.parametrize("shape", [(3, 5, 4), (4, 1, 1)])
@pytest.mark.parametrize("padding", [0, (1, 0, 2, 1)])
def test_patches_in_the_order_of_torch(shape, padding):
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    if padding == 0 and shape[1] == 1:
        kernel, stride, dilation = (1, 1), 1, 1
    else:
        kernel, stride, dilation = (2, 3), (2, 1), (1, 1)
        shape = (shape[0], 5, 4)
    program = single("int", shape, lambda b, x: b.patches(x, kernel, stride, padding, dilation, 7))
    values = check_program(program, data_for(program, 3))
    top, bottom, left, right = padding or (0, 0, 0, 0)
    padded = torch.nn.functional.pad(torch.from_numpy(values[0]).double(), (left, right, top, bottom), value=7.0)
    columns = torch.nn.functional.unfold(padded, kernel, dilation, 0, stride).numpy()
    assert (values[1].reshape(columns.shape) == columns).all()
