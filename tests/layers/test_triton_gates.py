"""The Triton kernels of logic gates: in Triton's interpreter wherever there is Triton, on a GPU where there is one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import gates  # noqa: E402

CHECKS, COMPILED = (Path(__file__).with_name(name) for name in ("triton_checks.py", "triton_compiled.py"))
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="no GPU build of torch, which would bring triton; on Linux: pip install triton",
)


def run(*arguments: object, interpreted: bool = False) -> None:
    """In a Python of its own: Triton reads the variable when it is imported."""
    environment = {**os.environ, "TRITON_INTERPRET": "1" if interpreted else "0"}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@needs_triton
def test_in_the_interpreter():
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", CHECKS, interpreted=True)


@needs_triton
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_this_gpu():
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", CHECKS)


@needs_triton
def test_they_compile_for_a_gpu_that_is_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    run(COMPILED)


def test_a_gpu_without_triton_gets_the_plain_form(monkeypatch):
    monkeypatch.setattr(gates, "find_spec", lambda name: None)
    gates.gpu_kernels.cache_clear()
    assert gates.gpu_kernels() is None
    gates.gpu_kernels.cache_clear()


def test_the_processor_never_asks_for_triton():
    code = "import sys, torch, bitwright.layers as l\nl.LogicLinear(4, 6).double()(torch.rand(3, 4).double())\n"
    code += "assert 'triton' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
