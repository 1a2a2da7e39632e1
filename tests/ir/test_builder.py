import numpy as np
import pytest

from bitwright.ir import OPS, Builder, execute
from bitwright.ir.windows import four, output_size, window_attrs


def test_a_program_keeps_its_own_copy_of_what_it_was_given():
    w, t = np.ones((1, 3), np.uint8), np.zeros(3, np.int64)
    b = Builder()
    program = b.finish(b.xnor_linear(b.threshold(b.input("int", (3,), -9, 9), t), w))
    before = program.to_bytes(), execute(program, np.ones((1, 3), int))[-1].tolist()
    w[:], t[:] = 0, 5
    assert (program.to_bytes(), execute(program, np.ones((1, 3), int))[-1].tolist()) == before
    with pytest.raises(ValueError, match="read-only"):
        program.ops[1].consts["t"][0] = 1


def test_a_method_for_every_operation():
    assert all(callable(getattr(Builder, name)) for name in OPS if name != "output")


@pytest.mark.parametrize(
    "given, wanted",
    [
        (2, (2, 2, 2, 2)),
        ((1, 3), (1, 1, 3, 3)),
        ((1, 2, 3, 4), (1, 2, 3, 4)),
        (np.array([1, 2, 3, 4]), (1, 2, 3, 4)),
    ],
)
def test_paddings(given, wanted):
    assert four(given) == wanted


@pytest.mark.parametrize("size", range(1, 12))
def test_output_sizes_are_the_windows_that_fit(size):
    for kernel in range(1, 5):
        for stride in range(1, 5):
            for padding in range(3):
                for dilation in range(1, 4):
                    reach = dilation * (kernel - 1)
                    starts = [s for s in range(-padding, size + padding, stride) if s + reach < size + padding]
                    if starts:
                        attrs = window_attrs(kernel, stride, padding, dilation)
                        assert output_size(attrs, size, size) == (len(starts),) * 2


def test_a_bool_index_is_numbers():
    b = Builder()
    x = b.input("int", (3,), 0, 9)
    program = b.finish(b.gather(x, np.array([True, False, True])))
    assert program.run(np.array([[5, 6, 7]]), "interpreter").tolist() == [[6, 5, 6]]


def test_a_header_that_no_file_can_hold_is_refused():
    for header in ({"accuracy": float("nan")}, {1: 2, "a": 3}, {"classes": ["\udcff"]}, {"x": object()}):
        b = Builder()
        scores = b.add(b.input("int", (3,), 0, 9), np.array([1, 2, 3]))
        with pytest.raises((ValueError, TypeError), match="header: "):
            b.finish(scores, header)
