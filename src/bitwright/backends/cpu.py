"""The packed engine on CPUs, by ctypes: the only file that knows both Python and the C of native/bitwright.h.

The library is `bitwright/native/libbw_run.so`, built at installation, or what BITWRIGHT_NATIVE names.
"""

import ctypes
import os
import threading
import warnings
import weakref
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bitwright.ir.executors import Executor
from bitwright.ir.inputs import check_input
from bitwright.ir.program import Program
from bitwright.ir.types import ProgramError

ABI = 1
KEEP, NO_FUSE = 1, 2
BAD_INPUT = 7
DTYPES = {
    b"u8": np.dtype(np.uint8),
    b"i32": np.dtype(np.int32),
    b"i64": np.dtype(np.int64),
    b"f32": np.dtype(np.float32),
}


class _Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("operation", ctypes.c_int32), ("message", ctypes.c_char * 360)]


_POINTER, _SIZE, _INT, _TEXT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p
_ERROR, _OUT = ctypes.POINTER(_Error), ctypes.POINTER(ctypes.c_void_p)
_SIGNATURES = {
    "bw_abi": (_INT, []),
    "bw_isa_name": (_TEXT, [_INT]),
    "bw_program_open": (_INT, [_TEXT, _SIZE, _POINTER, _OUT, _ERROR]),
    "bw_program_free": (None, [_POINTER]),
    "bw_plan_create": (_INT, [_POINTER, _TEXT, _INT, ctypes.c_uint32, _OUT, _ERROR]),
    "bw_plan_free": (None, [_POINTER]),
    "bw_plan_bytes": (_SIZE, [_POINTER]),
    "bw_plan_block": (_SIZE, [_POINTER]),
    "bw_plan_input_dtype": (_TEXT, [_POINTER]),
    "bw_plan_scores_dtype": (_TEXT, [_POINTER]),
    "bw_run": (_INT, [_POINTER, _POINTER, _SIZE, _POINTER, _ERROR]),
    "bw_value_read": (_INT, [_POINTER, ctypes.c_uint32, _SIZE, _POINTER]),
}


def library_path() -> Path:
    """Where the native core is looked for."""
    return Path(os.environ.get("BITWRIGHT_NATIVE") or Path(__file__).parents[1] / "native" / "libbw_run.so")


def load_library(path: Path | None = None) -> ctypes.CDLL:
    """The native core with its signatures set. Raises OSError when it is missing or of another version."""
    path = path or library_path()
    if not path.exists():
        raise OSError(f"{path} is not there")
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name, None)
        if function is None:
            raise OSError(f"{path} has no {name}")
        function.restype, function.argtypes = result, arguments
    if library.bw_abi() != ABI:
        raise OSError(f"{path} is of version {library.bw_abi()}, this bitwright needs {ABI}")
    return library


def cpu_executors() -> dict[str, Executor]:
    """An executor for every kernel set of the core on this machine, slowest first; none, and a warning, without it."""
    try:
        library = load_library()
    except OSError as error:
        warnings.warn(
            f"bitwright runs without its native core ({error}): the NumPy interpreter does all the work, slower. "
            "Install a C compiler (e.g. apt install gcc) and install bitwright again, or set BITWRIGHT_NATIVE.",
            RuntimeWarning,
            stacklevel=2,
        )
        return {}
    executors = {}
    while name := library.bw_isa_name(len(executors)):
        executors[f"cpu:{name.decode()}"] = CpuExecutor(library, name.decode())
    return executors


class CpuExecutor:
    """Runs Programs with one kernel set. Plans live as long as their Program; calls from several threads take turns."""

    def __init__(self, library: ctypes.CDLL, isa: str):
        self.name = f"cpu:{isa}"
        self._library, self._isa = library, isa
        self._plans: weakref.WeakKeyDictionary[Program, dict[tuple[int, int], Plan]] = weakref.WeakKeyDictionary()
        self._making = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget_locks)

    def plan(self, program: Program, threads: int = 1, flags: int = 0) -> "Plan":
        plans = self._plans.get(program)
        plan = plans.get((threads, flags)) if plans else None
        if plan is None:
            with self._making:
                plans = self._plans.setdefault(program, {})
                plan = plans.get((threads, flags)) or Plan(self._library, program, self._isa, threads, flags)
                plans[threads, flags] = plan
        return plan

    def run(self, program: Program, x: np.ndarray, threads: int = 1) -> np.ndarray:
        return self.plan(program, threads).run(program, x)

    def values(self, program: Program, x: np.ndarray, threads: int = 1) -> Mapping[int, np.ndarray]:
        """Every value: of the fused plan that `run` uses, and what is fused away there of a plan without fusing."""
        plain = self.plan(program, 1, KEEP | NO_FUSE).values(program, x)
        return plain | self.plan(program, 1, KEEP).values(program, x)

    def _forget_locks(self) -> None:
        """In a forked child no other thread lives that could still give a lock back."""
        self._making = threading.Lock()
        for plans in self._plans.values():
            for plan in plans.values():
                plan.lock = threading.Lock()


class Plan:
    """A Program made ready by the native core: packed weights, memory, threads."""

    def __init__(self, library: ctypes.CDLL, program: Program, isa: str, threads: int, flags: int):
        self.lock = threading.Lock()
        self._library, self._error = library, _Error()
        self._error_at = ctypes.byref(self._error)
        self._handle = 0
        data, opened, planned = Program(program.ops, program.types).to_bytes(), ctypes.c_void_p(), ctypes.c_void_p()
        self._check(library.bw_program_open(data, len(data), None, opened, self._error_at))
        weakref.finalize(self, _free, library, opened, planned)
        self._check(library.bw_plan_create(opened, isa.encode(), threads, flags, planned, self._error_at))
        self._handle = planned.value
        self._run = library.bw_run
        self._shape = program.input_type.shape
        self._classes = program.n_classes
        self._dtype = DTYPES[library.bw_plan_input_dtype(planned)]
        self._scores = DTYPES[library.bw_plan_scores_dtype(planned)]

    @property
    def n_bytes(self) -> int:
        """Memory the plan holds: packed weights and room for a block of samples a thread."""
        return self._library.bw_plan_bytes(self._handle)

    def _check(self, status: int) -> None:
        if status:
            raise ProgramError(self._error.message.decode(errors="replace"))

    def _ready(self, program: Program, x: np.ndarray) -> np.ndarray:
        """x in the dtype the core reads, untouched where it already is; the core itself checks ranges and NaN."""
        if type(x) is np.ndarray and x.dtype == self._dtype and x.shape[1:] == self._shape:
            flags = x.flags
            if flags.c_contiguous and flags.aligned:
                return x
        return np.require(check_input(program, x), self._dtype, ["C_CONTIGUOUS", "ALIGNED"])

    def _call(self, program: Program, x: np.ndarray, scores: np.ndarray) -> None:
        status = self._run(self._handle, _pointer(x), x.shape[0], _pointer(scores), self._error_at)
        if status:
            message = self._error.message.decode(errors="replace")
            if status == BAD_INPUT:
                check_input(program, x)  # says it with the place in x
                raise ValueError(f"run: {message}")
            raise ProgramError(message)

    def run(self, program: Program, x: np.ndarray) -> np.ndarray:
        x = self._ready(program, x)
        scores = np.empty((x.shape[0], self._classes), self._scores)
        with self.lock:
            self._call(program, x, scores)
        return scores

    def values(self, program: Program, x: np.ndarray) -> dict[int, np.ndarray]:
        """The values this plan keeps, by number; the plan must have been made with KEEP."""
        x = self._ready(program, x)
        values: dict[int, np.ndarray] = {}
        block = self._library.bw_plan_block(self._handle)
        with self.lock:
            for start in range(0, max(x.shape[0], 1), block):
                part = x[start : start + block]
                self._call(program, part, np.empty((len(part), self._classes), self._scores))
                for number, type_ in enumerate(program.types):
                    wide = np.dtype(np.float32 if type_.kind == "float" else np.int64)
                    value = np.empty((len(part), *type_.shape), wide)
                    if not self._library.bw_value_read(self._handle, number, len(part), _pointer(value)):
                        continue
                    if number not in values:
                        values[number] = np.empty((len(x), *type_.shape), np.uint8 if type_.kind == "bits" else wide)
                    values[number][start : start + block] = value
        return values


_Byte = ctypes.c_char * 1


def _pointer(array: np.ndarray):
    """The place of a contiguous array's values, as an argument of a C function. The first way takes half as long."""
    if array.size and array.flags.writeable:
        return _Byte.from_buffer(array.data)
    return array.__array_interface__["data"][0]


def _free(library: ctypes.CDLL, program: ctypes.c_void_p, plan: ctypes.c_void_p) -> None:
    library.bw_plan_free(plan)
    library.bw_program_free(program)
