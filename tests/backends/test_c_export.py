"""The C that `export` writes: compiled by several compilers without a warning, run, compared with the interpreter."""

import numpy as np
import pytest

from bitwright.backends.c.ends import float_keys
from bitwright.backends.c.memory import places
from bitwright.backends.export import EXPORTERS, export
from bitwright.ir import Builder, ProgramError
from tests.backends.exported import BATCHES, LOGIC, compiled_scores, dense_logic, needs_tools, programs

NAMES = list(programs())
ARM = ["aarch64-linux-gnu-gcc", "-O1"]
LANES = (1, 64, 8, 512, 32, 128)


@pytest.fixture(scope="module")
def gcc(tmp_path_factory):
    """Every Program as it is by default; undefined behaviour stops the run."""
    compiler = ["gcc", "-O1", "-fsanitize=undefined", "-fno-sanitize-recover"]
    return compiled_scores(tmp_path_factory.mktemp("gcc"), NAMES, lambda i, program: 0, compiler)


@pytest.fixture(scope="module")
def clang(tmp_path_factory):
    """Every Program with a number of lanes of its own."""
    folder = tmp_path_factory.mktemp("clang")
    return compiled_scores(folder, NAMES, lambda i, program: LANES[i % len(LANES)], ["clang", "-O1"])


@pytest.fixture(scope="module")
def arm(tmp_path_factory):
    """A third of the Programs, on the instructions of another machine."""
    runner = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]
    return compiled_scores(tmp_path_factory.mktemp("arm"), NAMES[::3], lambda i, program: 0, ARM, runner)


def agree(results, name):
    _, _, scores = programs()[name]
    for n, got in zip((*BATCHES, 1), results[name], strict=False):
        np.testing.assert_array_equal(got, scores[:n])
    assert results[name][-1] == int(np.argmax(scores[0]))


@needs_tools("gcc")
@pytest.mark.parametrize("name", NAMES)
def test_gcc(gcc, name):
    agree(gcc, name)


@needs_tools("clang")
@pytest.mark.parametrize("name", NAMES)
def test_clang(clang, name):
    agree(clang, name)


@needs_tools("aarch64-linux-gnu-gcc", "qemu-aarch64")
@pytest.mark.parametrize("name", NAMES[::3])
def test_aarch64(arm, name):
    agree(arm, name)


def test_the_programs_of_these_tests_hold_every_rule():
    from bitwright.backends.c.source import RULES

    assert set(RULES) <= {op.name for program, _, _ in programs().values() for op in program.ops}


def test_tables_of_bits_run_in_lanes_and_sums_do_not(tmp_path):
    for name, lanes in (("logic dense", 64), ("logic convolution", 64), ("mlp", 1), ("cnn", 1)):
        text = export(programs()[name][0], "c", tmp_path)[1].read_text()
        assert f"#define LANES {lanes}\n" in text, name


def test_many_like_gates_become_loops_and_functions_stay_short(tmp_path):
    loops = export(dense_logic(0, (40, 6000)), "c", tmp_path, "loops")[1].read_text()
    assert loops.count(" & ") < 200 and "lut_2_wires[12000]" in loops
    parts = export(dense_logic(0, (40, 300, 200), k=6), "c", tmp_path, "parts")[1].read_text()
    assert max(len(body.splitlines()) for body in parts.split("PART static")) < 600


def test_float_keys_order_like_floats():
    x = np.array([-np.inf, -3e38, -1.0, -1e-45, -0.0, 0.0, 1e-45, 0.5, 1.0, 3e38, np.inf], np.float32)
    keys = float_keys(x)
    assert ((keys[:, None] >= keys) == (x[:, None] >= x)).all()


def test_memory_is_used_again_but_never_by_two_living_values():
    program = dense_logic(0)
    kinds = ["word"] * len(program.ops)
    offsets, sizes = places(program, list(range(len(program.ops))), kinds)
    assert sizes["word"] < sum(t.n_values for t in program.types)
    for number, op in enumerate(program.ops[1:], start=1):
        begin, end = offsets[number], offsets[number] + program.types[number].n_values
        for i in op.inputs:
            assert end <= offsets[i] or offsets[i] + program.types[i].n_values <= begin


def test_an_operation_without_a_rule_is_named(tmp_path):
    b = Builder()
    x = b.project(b.input("bits", (9,)), 5, "rademacher", 1)
    program = b.finish(b.to_int(x, "bits"))
    with pytest.raises(ProgramError, match="export c: no rule for 'project'; rules: add, affine"):
        export(program, "c", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "to, name, options, message",
    [
        ("fortran", "net", {}, "no target 'fortran'; targets: c, verilog"),
        ("c", "9net", {}, "name '9net'"),
        ("c", "register", {}, "name 'register'"),
        ("verilog", "Module", {}, "name 'Module'"),
        ("verilog", "small", {}, "name 'small'"),
        ("verilog", "logic", {}, "name 'logic'"),
        ("c", "own", {}, "name 'own'"),
        ("c", "string", {}, "name 'string'"),
        ("c", "net", {"pipeline": 2}, "no option 'pipeline'; options: lanes"),
        ("c", "net", {"lanes": 7}, "lanes is 7, expected one of 1, 8"),
        ("verilog", "net", {"pipeline": -1}, "pipeline is -1"),
        ("verilog", "net", {"vectors": np.zeros((0, 40), int)}, "vectors is empty"),
    ],
)
def test_what_cannot_be_written_says_why(tmp_path, to, name, options, message):
    with pytest.raises(ValueError, match=message):
        export(LOGIC["dense"](), to, tmp_path, name, **options)
    assert not list(tmp_path.iterdir())


def test_an_exporter_is_a_line_in_the_table(tmp_path):
    assert set(EXPORTERS) == {"c", "verilog"}
    paths = export(LOGIC["dense"](), "c", tmp_path / "deep" / "er", "my_net")
    assert [path.name for path in paths] == ["my_net.h", "my_net.c"] and all(path.exists() for path in paths)
