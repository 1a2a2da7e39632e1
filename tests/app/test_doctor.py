"""`bitwright doctor` with and without what it looks for, and the one warning of a bitwright without its native core."""

import os
import subprocess
import sys

import pytest

RUN_A_PROGRAM = """
import numpy as np
from bitwright.ir import Builder
builder = Builder()
bits = builder.threshold(builder.input("int", (2,), 0, 9), np.array([[1], [5]]))
program = builder.finish(builder.xnor_linear(bits, np.ones((2, 2), np.uint8)))
for _ in range(3):
    assert program.run(np.array([[9, 9]], np.uint8)).tolist() == [[2, 2]]
"""


def call(*command, **environment):
    done = subprocess.run([sys.executable, *command], env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def rows(**environment) -> dict[str, str]:
    lines = call("-m", "bitwright", "doctor", **environment).stdout.splitlines()
    return {line[4:18].strip(): line for line in lines}


def test_doctor_says_what_is_there():
    found = rows()
    assert {"bitwright", "python", "numpy", "torch", "native core", "C compiler", "data", "cpu"} <= set(found)
    assert found["python"].startswith("ok") and sys.version.split()[0] in found["python"]


def test_doctor_names_the_kernels_or_the_way_to_them():
    from bitwright.ir import join_backends

    kernels = [name for name in join_backends() if name.startswith("cpu:")]
    if not kernels:
        pytest.skip("needs the native core: a C compiler, then install again")
    assert all(name in rows()["native core"] for name in kernels)


def test_without_the_core_doctor_says_how_to_get_it(tmp_path):
    line = rows(BITWRIGHT_NATIVE=str(tmp_path / "none.so"))["native core"]
    assert line.startswith("--") and "gcc" in line


def test_without_the_core_programs_run_and_one_warning_says_the_way_out(tmp_path):
    said = call("-c", RUN_A_PROGRAM, BITWRIGHT_NATIVE=str(tmp_path / "none.so")).stderr
    assert said.count("RuntimeWarning") == 1 and "C compiler" in said


def test_a_data_folder_that_is_not_there_is_said(tmp_path):
    line = rows(BITWRIGHT_DATA=str(tmp_path / "nowhere"))["data"]
    assert line.startswith("--") and "BITWRIGHT_DATA" in line
