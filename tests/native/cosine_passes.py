"""The training library's passes over cosine layers, of every instruction set by name."""

from ctypes import CDLL

import pytest

from bitwright.layers import native_cosine
from bitwright.quantizers import native_signs
from tests.native.kernels_lib import compiler
from tests.native.sign_passes import passes, sets_with


def cosine_passes(isa: str) -> CDLL | None:
    """Those of one instruction set; None if this CPU lacks it."""
    return passes("cosines", isa, native_cosine.SIGNATURES)


@pytest.fixture(params=sets_with("cosines"))
def isa(request, monkeypatch):
    """Its passes are those that are used, for tensors of any size."""
    if compiler() is None:
        pytest.skip("needs a C compiler: apt install gcc")
    if (library := cosine_passes(request.param)) is None:
        pytest.skip(f"this CPU lacks {request.param}")
    monkeypatch.setattr(native_cosine, "library", lambda: library)
    monkeypatch.setattr(native_signs, "available", lambda: True)
    monkeypatch.setattr(native_signs, "SMALL", 0)
    return request.param
