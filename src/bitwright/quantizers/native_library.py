"""The native training library, which ctypes opens: `bitwright/native/libbw_train.so`, built at installation, or what
BITWRIGHT_NATIVE_TRAIN names. Where it is missing everything is computed by plain PyTorch.
"""

import ctypes
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

ABI = 5
OPERATORS = torch.library.Library("bitwright", "FRAGMENT")
Signatures = Mapping[str, tuple[Any, Sequence[Any]]]  # name of a function -> what it gives and takes


def library_path() -> Path:
    """Where the training library is looked for."""
    named = os.environ.get("BITWRIGHT_NATIVE_TRAIN")
    return Path(named or Path(__file__).parents[1] / "native" / "libbw_train.so")


def open_functions(path: str | Path, signatures: Signatures) -> ctypes.CDLL | None:
    """The library at `path` with these functions; None if it is not built, of another machine or version, or lacks
    one of them."""
    try:
        opened = ctypes.CDLL(str(path))
        if opened.bw_train_abi() != ABI:
            return None
        for name, (result, arguments) in signatures.items():
            function = getattr(opened, name)
            function.restype, function.argtypes = result, arguments
        return opened
    except (OSError, AttributeError):
        return None


@cache
def parallel() -> int | None:
    """GOMP_parallel of the OpenMP runtime of torch's own loops: two teams of threads would be in each other's way.

    None where torch has another runtime; the library then makes threads itself.
    """
    try:
        found = ctypes.CDLL(torch._C.__file__).GOMP_parallel  # looks into what torch is linked with
    except (OSError, AttributeError, TypeError):
        return None
    return ctypes.cast(found, ctypes.c_void_p).value
