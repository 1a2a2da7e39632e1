"""tests/native/fuzz_driver.c with the native core and sanitizers, built once for the same sources."""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

from tests.native.build import SANITIZE, build_with_core, has_sanitizers
from tests.native.kernels_lib import NATIVE

DRIVER = Path(__file__).parents[1] / "native" / "fuzz_driver.c"


@cache
def missing() -> str:
    """What keeps the driver from being built here, or an empty string."""
    return "" if has_sanitizers() else "needs a C compiler with sanitizers: apt install gcc libasan"


def build() -> Path:
    """Path of the driver, compiled unless the same sources were before."""
    text = hashlib.sha256(" ".join(SANITIZE).encode())
    for path in [*sorted(NATIVE.rglob("*.[ch]")), DRIVER]:
        text.update(path.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"bitwright-fuzz-{os.getuid()}-{text.hexdigest()[:16]}"
    program = folder / "fuzz_driver"
    if not program.exists():
        folder.mkdir(exist_ok=True)
        build_with_core(DRIVER, folder / f"part-{os.getpid()}", SANITIZE).rename(program)
    return program
