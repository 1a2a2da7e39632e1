"""The training library's passes over sign layers, of every instruction set by name."""

import subprocess
import tempfile
from ctypes import CDLL
from functools import cache
from pathlib import Path

import pytest

from bitwright.quantizers import native_signs
from bitwright.quantizers.native_library import ABI, Signatures, open_functions
from tests.native.kernels_lib import FLAGS, NATIVE, compiler, cpu_has


def sets_with(stem: str) -> list[str]:
    """The instruction sets that have loops of their own for these passes."""
    return [isa for isa in FLAGS if (NATIVE / "train" / f"{stem}_{isa}.c").exists()]


@pytest.fixture(params=sets_with("signs"))
def isa(request, monkeypatch):
    """Its passes are those that are used, for tensors of any size."""
    if compiler() is None:
        pytest.skip("needs a C compiler: apt install gcc")
    if (library := sign_passes(request.param)) is None:
        pytest.skip(f"this CPU lacks {request.param}")
    monkeypatch.setattr(native_signs, "_library", lambda: library)
    monkeypatch.setattr(native_signs, "SMALL", 0)
    return request.param


def sign_passes(isa: str) -> CDLL | None:
    """The training library's passes over sign layers alone, for one instruction set; None if this CPU lacks it."""
    return passes("signs", isa, native_signs.SIGNATURES)


def passes(stem: str, isa: str, signatures: Signatures) -> CDLL | None:
    """The passes whose files begin with `stem`."""
    return _passes(stem, isa, tuple((name, (gives, tuple(takes))) for name, (gives, takes) in signatures.items()))


@cache
def _passes(stem: str, isa: str, signatures: tuple) -> CDLL | None:
    if not cpu_has(isa):
        return None
    names = {f"{stem}.c", "threads.c", f"{stem}_reference.c", f"{stem}_{isa}.c"}
    flags = [*FLAGS[isa], *([] if isa == "reference" else [f"-DBW_HAVE_{isa.upper()}=1"])]
    with tempfile.TemporaryDirectory() as folder:
        (abi := Path(folder) / "abi.c").write_text(f"int bw_train_abi(void) {{ return {ABI}; }}")
        sources, out = [abi, *(NATIVE / "train" / name for name in names)], Path(folder) / f"{stem}.so"
        command = [compiler(), "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-shared",
                   "-fPIC", *flags, f"-I{NATIVE}", *map(str, sources), "-o", str(out), "-lpthread"]  # fmt: skip
        subprocess.run(command, check=True)
        opened = open_functions(out, dict(signatures))
    assert opened is not None
    return opened
