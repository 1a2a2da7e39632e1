"""The packed engine against the interpreter: every operation, every kernel set of this machine, every value."""

from functools import cache

import numpy as np
import pytest

from bitwright.ir.executors import EXECUTORS, executor, join_backends
from tests.backends.programs import PROGRAMS, random_input

join_backends()
CPU = [name for name in EXECUTORS if name.startswith("cpu:")]
needs_core = pytest.mark.skipif(
    not CPU, reason="the native core is not built; make setup builds it where there is a C compiler"
)
pytestmark = needs_core


BATCHES = (0, 1, 5, 513)


@cache
def _case(name):
    """The Program, an input, the interpreter's values on its first 37 samples, and its scores on all."""
    rng = np.random.default_rng(sum(name.encode()))
    program = PROGRAMS[name](rng)
    x = random_input(program, max(BATCHES), rng)
    return program, x, executor("interpreter").values(program, x[:37]), executor("interpreter").run(program, x)


@pytest.mark.parametrize("backend", CPU or ["none"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_value_equals_the_interpreters(name, backend):
    program, x, expected, _ = _case(name)
    got = executor(backend).values(program, x[:37])
    assert set(got) == set(expected)
    for number, value in expected.items():
        np.testing.assert_array_equal(got[number], value, err_msg=f"value {number}, {program.ops[number].name}")


@pytest.mark.parametrize("backend", CPU or ["none"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_scores_equal_the_interpreters(name, backend):
    program, x, _, expected = _case(name)
    for n in BATCHES:
        for threads in (1, 3):
            got = executor(backend).run(program, x[:n], threads)
            assert got.dtype == expected.dtype and got.shape == (n, program.n_classes)
            np.testing.assert_array_equal(got, expected[:n])
