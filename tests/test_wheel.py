"""The built wheel in an empty environment: no torch, NumPy alone when running, the shipped network from both sides."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not any(map(shutil.which, ("cc", "gcc", "clang"))),
        reason="needs a C compiler to build the wheel: apt install gcc",
    ),
]


def call(*command, **kwargs):
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "BITWRIGHT_NATIVE")}
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600, env=clean, **kwargs)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory, wheel) -> Path:
    """The bin folder of an environment with the wheel and its dependencies, nothing else."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    call(sys.executable, "-m", "venv", folder)
    constraints = ROOT / "constraints.txt"
    call(folder / "bin/python", "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel)
    return folder / "bin"


def test_one_wheel_a_platform_with_everything_in_it(wheel):
    assert "-py3-none-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert {"bitwright/native/libbw_run.so", "bitwright/native/libbw_train.so"} <= set(names)
    assert "bitwright/data/digits.csv.gz" in names
    assert "bitwright/recipes/digits_sign_mlp.toml" in names
    assert not [name for name in names if name.endswith((".c", ".pyc")) or name.startswith("tests")]
    for program in [name for name in names if name.endswith(".bw")]:
        assert program[:-3] + ".json" in names


def test_it_brings_no_torch_and_runs_on_numpy_alone(empty, tmp_path):
    code = """
import sys, numpy as np, bitwright
from bitwright.ir import Builder
builder = Builder()
x = builder.input("int", (4,), 0, 9)
bits = builder.threshold(x, np.array([[1], [2], [3], [4]]))
program = builder.finish(builder.xnor_linear(bits, np.array([[1, 1, 1, 1], [0, 0, 0, 0]], np.uint8)))
program.save("tiny.bw")
program = bitwright.load("tiny.bw")
x = np.array([[9, 9, 9, 9], [0, 0, 0, 0], [9, 9, 0, 0]], np.uint8)
assert program.run(x).tolist() == [[4, -4], [-4, 4], [0, 0]]
assert program.predict(x).tolist() == [0, 1, 0]
report = program.verify(x)
assert report.ok and any(entry.backend.startswith("cpu:") for entry in report.backends)
str(program.summary())
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"torch", "rich", "tyro", "PIL"}, loaded
np.save("x.npy", x)
"""
    call(empty / "python", "-c", code, cwd=tmp_path)
    rows = call(empty / "bitwright", "predict", "tiny.bw", "x.npy", "--json", cwd=tmp_path).splitlines()
    assert [json.loads(row)["scores"] for row in rows] == [{"0": 4, "1": -4}, {"0": -4, "1": 4}, {"0": 0, "1": 0}]
    call(empty / "bitwright", "verify", "tiny.bw", cwd=tmp_path)
    call(empty / "bitwright", "summary", "tiny.bw", cwd=tmp_path)
    assert "missing" in call(empty / "bitwright", "doctor", cwd=tmp_path)
    assert call(empty / "python", "-m", "pip", "list").find("torch") < 0


def test_what_needs_torch_says_how_to_get_it(empty, tmp_path):
    done = subprocess.run(
        [empty / "bitwright", "train", "digits_sign_mlp"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and "pip install 'bitwright[train]'" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["mnist_sign_mlp", "mnist_logic"])
def test_the_shipped_network_is_what_its_results_file_says(empty, tmp_path, name):
    if not (ROOT / "src/bitwright/pretrained" / f"{name}.bw").exists():
        pytest.fail(f"{name}.bw is not shipped yet")
    code = f"import bitwright, os; p = bitwright.pretrained({name!r}); print(len(p.to_bytes()), p.n_classes)"
    size, classes = map(int, call(empty / "python", "-c", code, cwd=tmp_path).split())
    assert size <= 400_000 and classes == 10
    call(empty / "bitwright", "summary", name, cwd=tmp_path)
