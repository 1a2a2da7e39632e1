"""The Verilog that `export` writes: simulated with its testbench, proved equal to another description, synthesised."""

import subprocess

import numpy as np
import pytest

from bitwright.backends.export import export
from bitwright.backends.verilog.netlist import number, width_of
from bitwright.backends.verilog.testbench import hex_lines
from bitwright.ir import Builder, ProgramError
from tests.backends.exported import conv_logic, dense_logic, needs_tools
from tests.backends.programs import random_input
from tests.backends.verilog_gold import gold

needs_iverilog = needs_tools("iverilog", "vvp")


def say(folder, *command):
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]
    return ran.stdout + ran.stderr


def simulate(folder, program, n=40, **options):
    x = random_input(program, n, np.random.default_rng(3))
    export(program, "verilog", folder, "net", vectors=x, **options)
    said = say(folder, "iverilog", "-g2001", "-Wall", "-Wno-timescale", "-o", "net.vvp", "net.v", "net_tb.v")
    assert not said, said
    return say(folder, "vvp", "-n", "net.vvp")


def sums_of_signs():
    """Every accumulator, every pad value, groups, strides, dilation."""
    rng, b = np.random.default_rng(0), Builder()
    x = b.input("bits", (4, 5, 4))
    made = []
    for accumulator, pad_value in (("int32", -1), ("wrap8", 0), ("wrap8_half", 1)):
        s = b.xnor_conv2d(x, rng.integers(0, 2, (2, 2, 3, 2)), (2, 1), (1, 1, 0, 1), (1, 2), 2, pad_value, accumulator)
        made.append(b.reshape(s, (s.type.n_values,)))
    bits = b.threshold(b.concat(made), rng.integers(-3, 3, sum(v.shape[0] for v in made)))
    return b.finish(b.xnor_linear(bits, rng.integers(0, 2, (3, bits.shape[0]))))


def arithmetic():
    """Numbers of both signs through everything that is no sum of bits."""
    rng, b = np.random.default_rng(1), Builder()
    x = b.input("int", (3, 3, 4), -128, 100)
    s = b.int_conv2d(x, rng.integers(-8, 8, (4, 3, 2, 2)), "i4", 1, (1, 0, 0, 1), pad_value=-7)
    s = b.prelu(s, rng.integers(-5, 9, 4), rng.integers(-9, 5, 4), rng.integers(-99, 99, 4), rng.integers(0, 4, 4))
    s = b.clip(b.affine(s, rng.integers(-9, 9, 4), rng.integers(-99, 99, 4), rng.integers(0, 4, 4)), -2048, 1500)
    s = b.add(b.max_pool2d(s, 2, 1, 1), rng.integers(-9, 9, 4))
    s = b.add(s, s)
    s = b.sum_pool2d(s, 2, 2, (1, 0, 0, 1))
    flat = b.reshape(s, (s.type.n_values,))
    level = b.digitize(flat, np.sort(rng.integers(-4000, 4000, (flat.shape[0], 3)), axis=1))
    bits = b.threshold(flat, rng.integers(-4000, 4000, flat.shape[0]))
    back = b.int_linear(bits, rng.integers(-8, 8, (5, bits.shape[0])), "i4")
    signs = b.int_linear(level, rng.integers(0, 2, (3, level.shape[0])), "bit")
    return b.finish(b.concat([back, b.to_int(bits, "signs"), b.to_int(bits, "bits"), signs]))


def moves():
    rng, b = np.random.default_rng(2), Builder()
    x = b.input("bits", (3, 3, 2))
    y = b.patches(b.pad(x, (1, 0), (1, 0, 0, 1), 1), 2, 1, (0, 1, 0, 0), pad_value=1)
    y = b.lut(b.gather(y, rng.integers(0, y.shape[0], 9)), rng.integers(0, 9, (5, 3)), rng.integers(0, 256, 5))
    flat = b.concat([b.reshape(y, (y.type.n_values,)), b.reshape(x, (18,))])
    return b.finish(b.count(flat, [list(range(20)), list(range(9, flat.shape[0]))], offset=np.array([-128, 1 << 20])))


def tie():
    """Every class has the same score for half of the inputs."""
    b = Builder()
    x = b.input("bits", (3,))
    return b.finish(b.count(x, [[0], [1], [2], [0], [1]], offset=np.array([0, 0, 0, 0, 0])))


CASES = {
    "dense": lambda: dense_logic(0, (12, 60, 30, 40)),
    "dense, three thresholds": lambda: dense_logic(1, (7, 30, 40), planes=3),
    "dense, tables of six": lambda: dense_logic(3, (12, 20, 20), k=6),
    "convolution": lambda: conv_logic(5),
    "convolution, tables of four": lambda: conv_logic(6, 4, 1),
    "moves": moves,
    "tie": tie,
    "sums of signs": sums_of_signs,
    "arithmetic": arithmetic,
}


@needs_iverilog
@pytest.mark.parametrize("pipeline", [0, 1, 3])
@pytest.mark.parametrize("name", CASES)
def test_the_testbench_passes(tmp_path, name, pipeline):
    assert simulate(tmp_path, CASES[name](), pipeline=pipeline).strip().startswith("PASS: 40 vectors")


@needs_iverilog
@pytest.mark.parametrize("pipeline", [0, 2])
def test_the_testbench_sees_wrong_gates(tmp_path, pipeline):
    program = CASES["dense"]()
    simulate(tmp_path, program, pipeline=pipeline)
    text = (tmp_path / "net.v").read_text()
    assert " & " in text
    (tmp_path / "net.v").write_text(text.replace(" & ", " | "))
    say(tmp_path, "iverilog", "-g2001", "-o", "net.vvp", "net.v", "net_tb.v")
    assert "FAIL" in say(tmp_path, "vvp", "-n", "net.vvp")


@needs_iverilog
def test_without_argmax_there_is_no_class(tmp_path):
    assert "PASS" in simulate(tmp_path, tie(), argmax=False)
    assert "class_index" not in (tmp_path / "net.v").read_text() + (tmp_path / "net_tb.v").read_text()


@needs_tools("verilator", "g++")
def test_verilator_agrees(tmp_path):
    program = conv_logic(5)
    export(program, "verilog", tmp_path, "net", pipeline=2, vectors=200)
    flags = ["--binary", "--timing", "-Wno-fatal", "-CFLAGS", "-O0", "-O3", "--top-module", "net_tb"]
    say(tmp_path, "verilator", *flags, "net_tb.v", "net.v")
    assert "PASS: 200 vectors" in say(tmp_path, "./obj_dir/Vnet_tb")


@needs_tools("yosys")
@pytest.mark.parametrize("name", ["dense", "dense, tables of six", "convolution"])
def test_yosys_proves_it_equal_to_another_description(tmp_path, name):
    program = {
        "dense": lambda: dense_logic(0, (4, 30, 20, 12)),
        "dense, tables of six": lambda: dense_logic(3, (4, 12, 8), k=6),
        "convolution": small_convolution,
    }[name]()
    assert "SUCCESS" in proved(tmp_path, program)


@needs_tools("yosys")
def test_yosys_sees_one_wrong_gate(tmp_path):
    with pytest.raises(AssertionError, match="FAIL|proof did fail"):
        proved(tmp_path, small_convolution(), " & ", " | ")


def small_convolution():
    rng, b = np.random.default_rng(5), Builder()
    x = b.threshold(b.input("int", (1, 4, 3), 0, 3), np.array([[2]]), np.array([1]))
    taps = np.array([[0, 0, 0], [0, 1, 1], [0, 0, 1], [0, 2, 0]])
    wiring = np.array([[0, 1], [2, 3], [4, 5], [0, 6]])
    x = b.lut_conv2d(x, taps, wiring, rng.integers(1, 15, 4), np.array([6, 7, 1]), (3, 2), 1, (1, 0, 0, 1), 1)
    x = b.max_pool2d(x, 2, 1)
    x = b.reshape(x, (x.type.n_values,))
    groups = [list(range(6)), [0, 3, 3, 5]]
    return b.finish(b.count(x, groups, [[0, 1, 0, 0, 1, 0], [1, 0, 0, 0]], np.array([-3, 2])))


def proved(folder, program, old="", new=""):
    export(program, "verilog", folder, "net", argmax=False)
    text = (folder / "net.v").read_text()
    assert old in text
    (folder / "net.v").write_text(text.replace(old, new, 1) if old else text)
    (folder / "gold.v").write_text(gold(program))
    script = (
        "read_verilog net.v gold.v; proc; flatten; opt -full; miter -equiv -flatten -make_outputs gold net miter; "
        "sat -verify -prove trigger 0 miter"
    )
    return say(folder, "yosys", "-p", script)


@needs_tools("yosys")
def test_it_synthesises_without_latches_or_conflicts(tmp_path):
    export(conv_logic(5), "verilog", tmp_path, "net", pipeline=3)
    checks = "synth -top net; check -assert; select -assert-none t:$_DLATCH* t:$_SR*; select -assert-min 1 t:$_DFF_P_"
    say(tmp_path, "yosys", "-q", "-p", f"read_verilog net.v; {checks}")


def test_operations_without_a_rule_are_named(tmp_path):
    b = Builder()
    program = b.finish(b.to_int(b.project(b.input("bits", (9,)), 5, "rademacher", 1), "bits"))
    with pytest.raises(ProgramError, match="export verilog: no rule for 'project'; rules: add, affine"):
        export(program, "verilog", tmp_path)
    b = Builder()
    program = b.finish(b.to_int(b.threshold(b.input("float", (2,)), np.zeros(2, np.float32)), "bits"))
    with pytest.raises(ProgramError, match="float input"):
        export(program, "verilog", tmp_path)
    assert not list(tmp_path.iterdir())


def test_vectors_are_hexadecimal_numbers_the_first_value_lowest():
    assert hex_lines(np.array([[1, 2, 3], [-1, 0, 7]]), 5) == "0c41\n1c1f\n"


def test_literals_hold_what_they_say():
    assert [width_of(0, 0), width_of(0, 1), width_of(-1, 1), width_of(-128, 127), width_of(0, 128)] == [2, 2, 2, 8, 9]
    assert number(-8, 4) == "-5'sd8" and number(7, 4) == "4'sd7"
