"""What `run` accepts: the one check of inputs that all backends share."""

import numpy as np

from bitwright.ir.program import Program


def check_input(program: Program, x: np.ndarray) -> np.ndarray:
    """x as the Program wants it: uint8 bits, integers within range, or float32, C-contiguous; (batch, *input shape).

    Integers keep their dtype. Raises TypeError for a dtype and ValueError for a shape, a range or a NaN, naming the
    way out.
    """
    type_ = program.input_type
    x = np.asarray(x)
    if x.shape[1:] != type_.shape or x.ndim != len(type_.shape) + 1:
        hint = (
            "add the batch axis: x[None]"
            if x.shape == type_.shape
            else f"reshape it, e.g. x.reshape(-1, {_dims(type_.shape)})"
        )
        raise ValueError(f"run: x has shape {x.shape}, expected (batch, {_dims(type_.shape)}); {hint}")
    if type_.kind == "float":
        return _check_floats(x)
    if x.dtype.kind not in "iub":
        raise TypeError(
            f"run: x is {x.dtype}, this Program takes {_wanted(program)}; convert it, e.g. x.astype({_cast(program)})"
        )
    lo, hi = (0, 1) if type_.kind == "bits" else (type_.lo, type_.hi)
    if x.dtype == np.bool_:
        x = x.astype(np.uint8)
    info = np.iinfo(x.dtype)
    if x.size and (info.min < lo or info.max > hi):
        smallest, largest = x.min(), x.max()
        if smallest < lo or largest > hi:
            where = np.unravel_index(int(np.argmax((x < lo) | (x > hi))), x.shape)
            at = ", ".join(str(int(i)) for i in where)
            raise ValueError(
                f"run: x[{at}] is {x[where]}, this Program takes {_wanted(program)}; scale the data as in training"
            )
    dtype = np.dtype(np.uint8) if type_.kind == "bits" else x.dtype.newbyteorder("=")
    return np.ascontiguousarray(x.astype(dtype, copy=False))


def _check_floats(x: np.ndarray) -> np.ndarray:
    if x.dtype != np.float32:
        raise TypeError(f"run: x is {x.dtype}, this Program takes float32; convert it, e.g. x.astype(np.float32)")
    if np.isnan(x).any():
        where = ", ".join(str(int(i)) for i in np.argwhere(np.isnan(x))[0])
        raise ValueError(f"run: x[{where}] is NaN; fill or drop missing values first")
    return np.ascontiguousarray(x)


def _wanted(program: Program) -> str:
    type_ = program.input_type
    return "bits, 0 and 1" if type_.kind == "bits" else f"integers in {type_.lo}..{type_.hi}"


def _cast(program: Program) -> str:
    type_ = program.input_type
    return "np.uint8" if type_.kind == "bits" or (type_.lo >= 0 and type_.hi < 256) else "np.int32"


def _dims(shape: tuple[int, ...]) -> str:
    return ", ".join(str(n) for n in shape)
