"""The native kernels alone, compiled with gcc and reached by ctypes: for tests and benchmarks of single kernels."""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

NATIVE = Path(__file__).parents[2] / "native"
OPERATIONS = ("xnor_linear", "xnor_conv2d", "int_linear", "int_conv2d")
_AVX512_CPUINFO = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vpopcntdq", "avx512_vnni", "avx512vbmi"}
FLAGS = {
    "reference": [],
    "avx2": ["-mavx2", "-mpopcnt", "-mbmi2"],
    "avx512": [f"-mavx512{f}" for f in "f bw vl dq vpopcntdq vnni".split()] + ["-mpopcnt", "-mbmi2"],
}
FLAGS["amx"] = [*FLAGS["avx512"], "-mamx-tile", "-mamx-int8"]
SHAPE_FIELDS = (
    "channels height width out_channels kernel_h kernel_w stride_h stride_w pad_top pad_bottom pad_left pad_right "
    "dilation_h dilation_w groups pad_value input lo hi weight accumulator out"
).split()
INPUTS, WEIGHTS, ACCUMULATORS, OUTS = (
    ("bits", "u8", "i32"),
    ("sign", "i8", "i16"),
    ("int32", "wrap8", "wrap8_half"),
    ("i32", "i64", "bits"),
)


class Shape(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in SHAPE_FIELDS]


class Job(ctypes.Structure):
    _fields_ = [
        ("weights", ctypes.c_void_p), ("x", ctypes.c_void_p), ("x_stride", ctypes.c_size_t),
        ("out", ctypes.c_void_p), ("out_stride", ctypes.c_size_t), ("samples", ctypes.c_int64),
        ("row_begin", ctypes.c_int32), ("row_end", ctypes.c_int32),
        ("threshold", ctypes.c_void_p), ("flip", ctypes.c_void_p), ("scratch", ctypes.c_void_p),
    ]  # fmt: skip


class Kernel(ctypes.Structure):
    _fields_ = [
        ("weight_bytes", ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.POINTER(Shape))),
        ("pack_weights", ctypes.CFUNCTYPE(None, ctypes.POINTER(Shape), ctypes.c_void_p, ctypes.c_void_p)),
        ("scratch_bytes", ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.POINTER(Shape))),
        ("run", ctypes.CFUNCTYPE(None, ctypes.POINTER(Shape), ctypes.POINTER(Job))),
    ]


def cpu_has(isa):
    """Whether this CPU runs the kernels of that instruction set."""
    if isa == "reference":
        return True
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split())
    except (OSError, IndexError):
        return False
    need = {"avx2": {"avx2", "popcnt", "bmi2"}, "amx": {*_AVX512_CPUINFO, "amx_tile", "amx_int8"}}
    return need.get(isa, _AVX512_CPUINFO) <= flags and (isa != "amx" or may_use_tiles())


def may_use_tiles():
    """Asks Linux for AMX's tiles: arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA)."""
    return ctypes.CDLL(None).syscall(158, 0x1023, 18) == 0


def compiler():
    return os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")


def kernels():
    """(isa, operation) of every kernel that is written, for this kind of CPU."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return [("reference", op) for op in OPERATIONS]
    return [(isa, op) for isa in FLAGS for op in OPERATIONS if (NATIVE / op / f"{isa}.c").exists()]


def compile_kernels(out, extra_sources=(), flags=()):
    """Compiles all kernels, each file with the flags of its instruction set, and links them into `out`."""
    objects = []
    with tempfile.TemporaryDirectory() as folder:
        sources = [
            *((s, []) for s in extra_sources),
            *((NATIVE / op / f"{isa}.c", FLAGS[isa]) for isa, op in kernels()),
        ]
        for i, (source, isa_flags) in enumerate(sources):
            objects.append(f"{folder}/{i}.o")
            command = [compiler(), "-std=gnu11", "-O3", "-Wall", "-Wextra", "-Werror", "-fPIC", *isa_flags, *flags]
            subprocess.run([*command, f"-I{NATIVE}", "-c", str(source), "-o", objects[-1]], check=True)
        link = [] if extra_sources else ["-shared"]
        subprocess.run([compiler(), *link, *flags, *objects, "-o", str(out)], check=True)
    return out


def load():
    """The kernels as a library, compiled again whenever a source changed: {(isa, operation): Kernel}."""
    digest = hashlib.sha256(compiler().encode())
    for source in sorted(NATIVE.glob("**/*")):
        if source.suffix in (".c", ".h"):
            digest.update(source.read_bytes())
    path = Path(tempfile.gettempdir()) / f"bitwright-kernels-{os.getuid()}-{digest.hexdigest()[:16]}.so"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        compile_kernels(fresh)
        fresh.replace(path)
    library = ctypes.CDLL(str(path))
    return {(isa, op): Kernel.in_dll(library, f"bw_{op}_{isa}") for isa, op in kernels()}


def aligned(n_bytes, fill=None):
    """A uint8 array whose first byte is aligned to 64."""
    raw = np.empty(n_bytes + 64, np.uint8) if fill is None else np.full(n_bytes + 64, fill, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n_bytes]


def shape(**fields):
    """A Shape; what is not named is 1 for sizes, strides, dilations and groups, else 0. Choices are given by name."""
    ones = "height width kernel_h kernel_w stride_h stride_w dilation_h dilation_w groups".split()
    values = dict.fromkeys(SHAPE_FIELDS, 0) | dict.fromkeys(ones, 1)
    for name, names in (("input", INPUTS), ("weight", WEIGHTS), ("accumulator", ACCUMULATORS), ("out", OUTS)):
        if name in fields:
            fields[name] = names.index(fields[name])
    return Shape(**values | fields)


def words(n_bits):
    return (n_bits + 63) // 64


def pack_bits(bits):
    """(..., n) of 0 and 1 -> uint64 (..., words(n)), least significant first."""
    bits = np.asarray(bits, np.uint8)
    padded = np.zeros((*bits.shape[:-1], words(bits.shape[-1]) * 64), np.uint8)
    padded[..., : bits.shape[-1]] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u8")


def unpack_bits(packed, n_bits):
    return np.unpackbits(np.ascontiguousarray(packed).view(np.uint8), axis=-1, bitorder="little", count=None)[
        ..., :n_bits
    ]


class Layer:
    """One layer with packed weights: layer(x) runs the kernel; run() again repeats the last call (for timing)."""

    def __init__(self, kernel, shape, canonical, positions=1, rows=1):
        self.kernel, self.shape, self.rows = kernel, shape, rows
        self.packed = aligned(kernel.weight_bytes(shape), 0xA5)
        self.scratch = aligned(kernel.scratch_bytes(shape), 0xA5)
        canonical = np.ascontiguousarray(canonical)
        kernel.pack_weights(shape, canonical.ctypes.data, self.packed.ctypes.data)
        n = shape.out_channels
        unit = {0: (np.int32, n), 1: (np.int64, n), 2: (np.uint64, words(n))}[shape.out]
        self.dtype, self.row = unit[0], positions * unit[1]

    def __call__(self, x, threshold=None, flip=None, row_begin=0, row_end=None):
        self.x = np.ascontiguousarray(x)
        self.threshold = None if threshold is None else np.ascontiguousarray(threshold, np.int32)
        self.flip = None if flip is None else np.ascontiguousarray(flip, np.uint64)
        self.out = np.full((len(x), self.row), 0x55, self.dtype)
        at = lambda a: None if a is None else a.ctypes.data  # noqa: E731
        row_end = self.rows if row_end is None else row_end
        strides = self.x[0].nbytes if len(x) else 0, self.row * self.out.itemsize
        self.job = Job(
            at(self.packed), at(self.x), strides[0], at(self.out), strides[1], len(x), row_begin, row_end,
            at(self.threshold), at(self.flip), at(self.scratch),
        )  # fmt: skip
        self.run()
        return self.out

    def run(self):
        self.kernel.run(self.shape, self.job)
