"""What a call of the packed engine accepts and refuses; threads, forks, the life of plans, a missing core."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from bitwright.backends.cpu import CpuExecutor
from bitwright.ir.executors import EXECUTORS, executor, join_backends
from tests.backends.programs import PROGRAMS, random_input

join_backends()
CPU = [name for name in EXECUTORS if name.startswith("cpu:")]
pytestmark = pytest.mark.skipif(not CPU, reason="the native core is not built; `make setup` builds it")


def make(name, n=9):
    rng = np.random.default_rng(4)
    program = PROGRAMS[name](rng)
    x = random_input(program, n, rng)
    return program, x, executor("interpreter").run(program, x)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.int64),
        lambda x: x.astype(">i4"),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: np.frombuffer(b"\0" * 3 + x.astype(np.int32).tobytes(), np.uint8)[3:].view(np.int32).reshape(x.shape),
        lambda x: x.tolist(),
    ],
    ids=["int64", "big-endian", "fortran", "strided", "unaligned", "list"],
)
def test_input_of_any_make_gives_the_same_scores(change):
    for name in ("mlp", "cnn_color", "elementwise"):
        program, x, expected = make(name)
        np.testing.assert_array_equal(program.run(change(x), CPU[-1]), expected)


def test_input_is_left_alone_and_may_be_read_only():
    program, x, expected = make("cnn_color")
    before = x.copy()
    x.flags.writeable = False
    np.testing.assert_array_equal(program.run(x, CPU[-1]), expected)
    np.testing.assert_array_equal(x, before)


def test_bools_are_bits():
    program, x, expected = make("lut")
    np.testing.assert_array_equal(program.run(x.astype(bool), CPU[-1]), expected)


@pytest.mark.parametrize("batch", [1, 700])
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("flat_image", 201, "is 201, this Program takes integers in 0..200"),
        ("elementwise", -1001, "is -1001, this Program takes integers in -1000..3000"),
        ("lut", 2, "bits, 0 and 1"),
        ("threshold_float", np.nan, "NaN"),
    ],
)
def test_a_bad_value_is_named(name, value, words, batch):
    program, x, _ = make(name, batch)
    place = (batch - 1, *(n - 1 for n in program.input_type.shape))
    x[place] = value
    for threads in (1, 2):
        with pytest.raises(ValueError, match=words) as error:
            program.run(x, CPU[-1], threads)
        assert f"x[{', '.join(map(str, place))}]" in str(error.value)
    x[place] = 0
    program.run(x, CPU[-1])  # the plan is as good as before


def test_wrong_dtypes_and_shapes():
    program, x, _ = make("mlp")
    with pytest.raises(TypeError, match=r"x is float64.*astype"):
        program.run(x.astype(np.float64), CPU[-1])
    with pytest.raises(ValueError, match=r"shape \(9, 69\), expected \(batch, 70\)"):
        program.run(x[:, 1:], CPU[-1])
    with pytest.raises(ValueError, match=r"x\[None\]"):
        program.run(x[0], CPU[-1])
    program, x, _ = make("threshold_float")
    with pytest.raises(TypeError, match="takes float32"):
        program.run(x.astype(np.float64), CPU[-1])


def test_threads_must_be_a_sensible_number():
    program, x, _ = make("mlp")
    with pytest.raises(ValueError, match=r"threads is 0, expected 1\.\.1024"):
        program.run(x, CPU[-1], 0)


def test_python_threads_may_share_a_program():
    program, x, expected = make("cnn", 40)
    wrong = []

    def call(threads):
        for _ in range(20):
            if (program.run(x, CPU[-1], threads) != expected).any():
                wrong.append(threads)

    callers = [threading.Thread(target=call, args=(n,)) for n in (1, 1, 2, 2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork: not on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_makes_its_own_threads():
    rng = np.random.default_rng(4)
    program = PROGRAMS["mlp"](rng, (784, 512, 512, 10))
    x = random_input(program, 512, rng)
    backend = CPU[-1]
    expected = program.run(x, backend, 2)  # the pool now lives
    child = os.fork()
    if child == 0:
        good = all((program.run(x, backend, 2) == expected).all() for _ in range(3))
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(program.run(x, backend, 2), expected)


def test_plans_go_with_their_program():
    runner = EXECUTORS[CPU[-1]]
    assert isinstance(runner, CpuExecutor)
    program, x, _ = make("mlp")
    plan = runner.plan(program)
    assert runner.plan(program) is plan
    assert plan.n_bytes < 1 << 20
    watch = weakref.ref(plan)
    del program, plan
    gc.collect()
    assert watch() is None


def test_all_backends_take_part_in_verify():
    program, x, _ = make("residual")
    report = program.verify(x)
    assert [entry.backend for entry in report.backends] == CPU
    assert report.ok and all(entry.hidden_compared for entry in report.backends)


def test_without_the_core_one_warning_and_the_interpreter():
    script = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    from bitwright.ir.executors import executor, join_backends\n"
        "    names = list(join_backends()), executor('auto').name\n"
        "print(names, len(caught), caught[0].message)\n"
    )
    env = os.environ | {"BITWRIGHT_NATIVE": "/nowhere/libbw_run.so"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(['interpreter'], 'interpreter') 1 bitwright runs without its native core")
    assert "Install a C compiler" in done.stdout
