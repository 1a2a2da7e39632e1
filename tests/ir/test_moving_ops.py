import numpy as np
import pytest
from building import data_for, single
from oracle import check_program

from bitwright.ir import execute

WINDOWS = [  # kernel, stride, padding
    ((2, 2), None, 0),
    ((3, 2), (2, 1), (2, 0, 1, 1)),
    ((3, 3), (1, 2), (1, 2, 2, 0)),
    ((5, 4), (1, 1), 0),
    ((1, 1), (3, 2), 0),
]


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
@pytest.mark.parametrize("kind", ["bits", "int"])
def test_max_pool2d(kernel, stride, padding, kind):
    program = single(kind, (3, 5, 4), lambda b, x: b.max_pool2d(x, kernel, stride, padding), -90, -3)
    check_program(program, data_for(program, 6))  # all negative: padding must not win


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_sum_pool2d(kernel, stride, padding):
    program = single("int", (3, 5, 4), lambda b, x: b.sum_pool2d(x, kernel, stride, padding), 5, 90)
    values = check_program(program, data_for(program, 6))
    assert program.types[1].lo <= values[1].min()


def test_max_pool2d_is_that_of_torch():
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    program = single("int", (3, 7, 6), lambda b, x: b.max_pool2d(x, 3, 2, 1), -9, -1)
    x = data_for(program, 5)
    wanted = torch.nn.functional.max_pool2d(torch.from_numpy(x).double(), 3, 2, 1).numpy()
    assert (execute(program, x, keep=True)[1] == wanted).all()


@pytest.mark.parametrize("kind", ["bits", "int"])
@pytest.mark.parametrize("pad_value", [0, 1])
def test_patches(kind, pad_value):
    program = single(kind, (2, 4, 5), lambda b, x: b.patches(x, (2, 3), (1, 2), (2, 1, 0, 3), (2, 1), pad_value), 3, 9)
    check_program(program, data_for(program, 4))


@pytest.mark.parametrize("kind", ["bits", "int", "float"])
@pytest.mark.parametrize("shape", [(6,), (6, 2, 3)])
def test_gather_reshape_concat_keep_kind_and_order(kind, shape):
    index = [5, 0, 0, 3]
    check = [
        lambda b, x: b.gather(x, index),
        lambda b, x: b.reshape(x, (3, 2, 1) if len(shape) == 1 else (36,)),
        lambda b, x: b.concat([b.gather(x, index), x, x]),
        lambda b, x: b.concat([x]),
    ]
    for add in check:
        program = single(kind, shape, add)
        values = check_program(program, data_for(program, 4))
        assert values[1].dtype == values[0].dtype


def test_reshape_is_row_major():
    program = single("int", (2, 2, 3), lambda b, x: b.reshape(x, (12,)), 0, 99)
    x = np.arange(12).reshape(1, 2, 2, 3)
    assert execute(program, x)[-1].tolist() == [list(range(12))]


@pytest.mark.parametrize("kind", ["bits", "int"])
@pytest.mark.parametrize("pad_value", [0, 1])
def test_pad(kind, pad_value):
    program = single(kind, (2, 3, 1), lambda b, x: b.pad(x, (1, 2), (1, 0, 3, 2), pad_value), 4, 9)
    check_program(program, data_for(program, 3))
    program = single(kind, (2,), lambda b, x: b.pad(x, (3, 1), value=pad_value), 4, 9)
    check_program(program, data_for(program, 3))


@pytest.mark.parametrize("batch", [0, 1, 513])
def test_any_batch(batch):
    """Every shape-changing operation, with no sample, one, and two blocks and one more."""
    w = np.random.default_rng(0).integers(0, 2, (4, 2, 3, 3))

    def add(b, x):
        y = b.xnor_conv2d(x, w, padding=1)
        y = b.max_pool2d(b.threshold(y, np.zeros(4, int)), 2)
        y = b.patches(y, 2)
        y = b.project(y, 8, "hadamard", 1, rounds=1)
        y = b.lut_conv2d(y, [[0, 0, 0]], [[0]], [1], [1], 1)
        return b.sum_pool2d(b.to_int(y, "signs"), 1)

    program = single("bits", (2, 6, 6), add)
    x = data_for(program, batch)
    values = execute(program, x, keep=True)
    assert [v.shape for v in values] == [(batch, *t.shape) for t in program.types]
    if batch == 513:
        one_by_one = np.concatenate([execute(program, x[i : i + 1])[-1] for i in range(batch)])
        assert (values[-1] == one_by_one).all()
