"""Two-input gates in the native training library, registered with torch as operators bitwright::gates_*.

The library is `bitwright/native/libbw_train.so`, built at installation, or what BITWRIGHT_NATIVE_TRAIN names; without
it `available()` is False and gates.py computes everything. float32 on the CPU; the loops are in native/train/gates.h.
"""

import ctypes
import os
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

ABI = 2
_SIGNATURES = {  # p a pointer, n an int64
    "bw_train_gates16": "pnpp",
    "bw_train_gates16_back": "pppnp",
    "bw_train_forward": "pppnnnp",
    "bw_train_backward": "ppppnnnpp",
}
_LIBRARY = torch.library.Library("bitwright", "FRAGMENT")


def library_path() -> Path:
    """Where the training library is looked for."""
    named = os.environ.get("BITWRIGHT_NATIVE_TRAIN")
    return Path(named or Path(__file__).parents[1] / "native" / "libbw_train.so")


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(library_path()))
        if library.bw_train_abi() != ABI:
            return None
        for name, kinds in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = None
            function.argtypes = [{"p": ctypes.c_void_p, "n": ctypes.c_int64}[kind] for kind in kinds]
        return library
    except (OSError, AttributeError):  # not built, of another machine or of another version
        return None


def available() -> bool:
    """Whether the library is there and of this version."""
    return _library() is not None


def takes(*values: Tensor) -> bool:
    """Whether the library computes with these: it is there, and they are float32 on the CPU."""
    return available() and all(v.dtype == torch.float32 and v.device.type == "cpu" for v in values)


def _call(name: str, *arguments: Tensor | int | None) -> None:
    values = [a.data_ptr() if isinstance(a, Tensor) else a for a in arguments]
    getattr(_library(), name)(*values)


def _gates16(logits: Tensor) -> tuple[Tensor, Tensor]:
    logits = logits.contiguous()
    tables, probabilities = logits.new_empty(logits.shape[0], 4), torch.empty_like(logits)
    _call("bw_train_gates16", logits, logits.shape[0], tables, probabilities)
    return tables, probabilities


def _gates16_back(probabilities: Tensor, tables: Tensor, grad: Tensor) -> Tensor:
    grad, out = grad.contiguous(), torch.empty_like(probabilities)
    _call("bw_train_gates16_back", probabilities, tables, grad, grad.shape[0], out)
    return out


def _forward(x: Tensor, tables: Tensor, wiring: Tensor) -> Tensor:
    x, tables = x.contiguous(), tables.contiguous()
    y = x.new_empty(wiring.shape[1], x.shape[1])
    _call("bw_train_forward", x, wiring, tables, *x.shape[:1], *y.shape, y)
    return y


def _backward(x: Tensor, tables: Tensor, wiring: Tensor, grad: Tensor, to_x: bool) -> tuple[Tensor, Tensor]:
    x, tables, grad = x.contiguous(), tables.contiguous(), grad.contiguous()
    grad_tables, grad_x = torch.empty_like(tables), x.new_empty(x.shape if to_x else 0)
    _call(
        "bw_train_backward", x, wiring, tables, grad, *x.shape[:1], *grad.shape, grad_tables, grad_x if to_x else None
    )
    return grad_x, grad_tables


for _schema, _function in {
    "gates_from_16(Tensor logits) -> (Tensor, Tensor)": _gates16,
    "gates_from_16_back(Tensor probabilities, Tensor tables, Tensor grad) -> Tensor": _gates16_back,
    "gates_forward(Tensor x, Tensor tables, Tensor wiring) -> Tensor": _forward,
    "gates_backward(Tensor x, Tensor tables, Tensor wiring, Tensor grad, bool to_x) -> (Tensor, Tensor)": _backward,
}.items():
    _LIBRARY.define(_schema)
    _LIBRARY.impl(_schema.split("(")[0], _function, "CPU")

gates_from_16 = torch.ops.bitwright.gates_from_16
gates_from_16_back = torch.ops.bitwright.gates_from_16_back
gates_forward = torch.ops.bitwright.gates_forward
gates_backward = torch.ops.bitwright.gates_backward
