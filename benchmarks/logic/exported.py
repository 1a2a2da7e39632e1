"""The C and the Verilog that `export` writes for a Program, run on images, beside the Program's own scores."""

import ctypes
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitwright.backends.export import export
from bitwright.ir import Program

NAME = "net"


@dataclass(frozen=True)
class Exported:
    """differing: scores that are not the Program's (C), or images with such a score or another class (Verilog)."""

    target: str
    differing: int
    compared: int
    seconds_to_build: float
    seconds_to_run: float

    def __str__(self) -> str:
        return (
            f"{self.target}: {self.differing} of {self.compared:,} differ, {self.seconds_to_build:.1f} s to build, "
            f"{self.seconds_to_run:.1f} s to run"
        )


def compare_c(program: Program, x: np.ndarray, scores: np.ndarray, compiler: str = "cc", level: str = "-O1",
              lanes: int = 0) -> Exported:  # fmt: skip
    """x: (n, *shape), uint8; scores: int32 (n, classes), what the Program says. Raises RuntimeError with the compiler's
    words."""
    with tempfile.TemporaryDirectory() as folder:
        export(program, "c", folder, NAME, lanes=lanes)
        started = time.perf_counter()
        library = Path(folder) / "net.so"
        _say(folder, compiler, "-std=c99", level, "-shared", "-fPIC", f"{NAME}.c", "-o", str(library))
        built = time.perf_counter()
        batch = ctypes.CDLL(str(library)).net_batch
        batch.argtypes, batch.restype = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p], None
        mine, images = np.empty(scores.shape, np.int32), np.ascontiguousarray(x, np.uint8)
        batch(images.ctypes.data, len(images), mine.ctypes.data)
        run = time.perf_counter()
    return Exported("C", int((mine != scores).sum()), scores.size, built - started, run - built)


def compare_verilog(program: Program, x: np.ndarray, pipeline: int = 0) -> Exported:
    """The testbench under Icarus Verilog; what the interpreter says of x (n, *shape) is in its vectors."""
    with tempfile.TemporaryDirectory() as folder:
        export(program, "verilog", folder, NAME, vectors=x, pipeline=pipeline)
        started = time.perf_counter()
        _say(folder, "iverilog", "-g2001", "-o", f"{NAME}.vvp", f"{NAME}.v", f"{NAME}_tb.v")
        built = time.perf_counter()
        said = _say(folder, "vvp", "-n", f"{NAME}.vvp")
        run = time.perf_counter()
    passed, failed = re.search(r"PASS: (\d+) vectors", said), re.search(r"FAIL: (\d+) of (\d+) vectors", said)
    if passed is None and failed is None:
        raise RuntimeError(f"the testbench said neither PASS nor FAIL: {said[-200:]}")
    differing, compared = (0, passed[1]) if passed else (failed[1], failed[2])  # type: ignore[index]
    return Exported("Verilog", int(differing), int(compared), built - started, run - built)


def _say(folder: str, *command: str) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"{command[0]}: {(ran.stdout + ran.stderr)[-2000:]}")
    return ran.stdout + ran.stderr
