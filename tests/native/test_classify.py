"""examples/classify.c, compiled against the installed core, prints the classes that `predict` gives."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from bitwright.backends.cpu import library_path
from tests.backends.programs import PROGRAMS, random_input
from tests.native.build import needs_compiler
from tests.native.kernels_lib import NATIVE, compiler

EXAMPLE = Path(__file__).parents[2] / "examples" / "classify.c"


@needs_compiler
@pytest.mark.skipif(not library_path().exists(), reason="the native core is not built; `make setup` builds it")
def test_classify_prints_the_classes(tmp_path):
    core = library_path().resolve()
    warnings = ["-Wall", "-Wextra", "-Werror", "-std=c11", "-O1"]
    link = [str(core), f"-Wl,-rpath,{core.parent}"]
    command = [str(compiler()), *warnings, f"-I{NATIVE}", str(EXAMPLE), *link, "-o", str(tmp_path / "classify")]
    subprocess.run(command, check=True)
    for name in ("mlp", "cnn", "threshold_float", "int_wide", "count_wide"):
        rng = np.random.default_rng(3)
        program = PROGRAMS[name](rng)
        x = random_input(program, 19, rng)
        program.save(tmp_path / "model.bw")
        (tmp_path / "input.raw").write_bytes(x.tobytes())
        arguments = [str(tmp_path / file) for file in ("classify", "model.bw", "input.raw")]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        assert [int(line) for line in done.stdout.split()] == program.predict(x, backend="interpreter").tolist()


def test_classify_is_short():
    assert len(EXAMPLE.read_text().splitlines()) < 60
