"""A packed matrix product alone, bits in and int32 out, beside PyTorch's float32 product of the same signs."""

import ctypes
from dataclasses import dataclass

import numpy as np

from bitwright.backends.cpu import library_path
from bitwright.bench.timing import ROUNDS, SAMPLE_SECONDS, Timing, interleaved, pinned, torch_threads


@dataclass(frozen=True)
class GemmReport:
    """(m, k) x (k, n). ratio: float32's time over ours."""

    m: int
    n: int
    k: int
    isa: str
    bits: Timing
    floats: Timing

    @property
    def ratio(self) -> float:
        return self.floats.seconds / self.bits.seconds

    def __str__(self) -> str:
        products = self.m * self.n * self.k / 1e12
        return (
            f"{self.m} x {self.n} x {self.k}, 1 thread: {self.isa} {1e6 * self.bits.seconds:,.0f} us "
            f"({products / self.bits.seconds:.2f} T products/s), torch float32 {1e6 * self.floats.seconds:,.0f} us "
            f"({products / self.floats.seconds:.3f} T): {self.ratio:.1f} x"
        )


class PackedGemm:
    """a (m, k) and b (n, k) of 0 and 1, read as -1 and +1, packed once; `run` gives (m, n) int32 sums in `out`.

    isa: a kernel set of this CPU. Raises FileNotFoundError without the native core, ValueError for an unknown set.
    """

    def __init__(self, a: np.ndarray, b: np.ndarray, isa: str):
        if not library_path().exists():
            raise FileNotFoundError(f"gemm: no native core at {library_path()}; build it: make setup")
        self._library = ctypes.CDLL(str(library_path()))
        (self.m, self.k), self.n, self.isa = a.shape, len(b), isa.encode()
        self._library.bw_gemm_bytes.restype = ctypes.c_size_t
        size = self._library.bw_gemm_bytes(self.isa, self.n, self.k)
        if size == 0:
            raise ValueError(f"gemm: this machine has no kernel set {isa!r}; bitwright doctor names those it has")
        self.a, weights = pack_rows(a), pack_rows(b)
        self.out = aligned(4 * self.m * self.n).view(np.int32).reshape(self.m, self.n)
        self._work = aligned(size)
        self._library.bw_gemm_pack(self.isa, self.n, self.k, _at(weights), _at(self._work))
        self._call = (self.isa, ctypes.c_int64(self.m), self.n, self.k, _at(self.a), _at(self._work), _at(self.out))

    def run(self) -> np.ndarray:
        self._library.bw_gemm_run(*self._call)
        return self.out


def compare_gemm(
    isa: str, m: int = 1024, n: int = 1024, k: int = 1024, rounds: int = ROUNDS, sample_seconds: float = SAMPLE_SECONDS
) -> GemmReport:
    """Times both, interleaved, on one pinned core, after checking that they give the same sums. Needs torch."""
    import torch

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (m, k), np.uint8), rng.integers(0, 2, (n, k), np.uint8)
    with pinned(1), torch_threads(1), torch.inference_mode():
        packed = PackedGemm(a, b, isa)
        left, right = (torch.from_numpy(2 * signs.astype(np.float32) - 1) for signs in (a, b))
        right, out = right.T.contiguous(), torch.empty(m, n)
        torch.mm(left, right, out=out)
        if not np.array_equal(packed.run(), out.numpy().astype(np.int32)):
            raise RuntimeError(f"gemm: {isa} and torch differ; `make test` finds the kernel at fault")
        taken = interleaved(
            {"bits": packed.run, "floats": lambda: torch.mm(left, right, out=out)}, rounds, sample_seconds
        )
    return GemmReport(m, n, k, isa, taken["bits"], taken["floats"])


def pack_rows(bits: np.ndarray) -> np.ndarray:
    """(rows, k) of 0 and 1 -> uint64 (rows, ceil(k / 64)), least significant first, 64-byte aligned."""
    rows, k = bits.shape
    words = -(-k // 64)
    out = aligned(8 * rows * words).reshape(rows, 8 * words)
    out[:] = 0
    packed = np.packbits(bits, axis=1, bitorder="little")
    out[:, : packed.shape[1]] = packed
    return out.view("<u8")


def aligned(n_bytes: int) -> np.ndarray:
    """uint8 (n_bytes,) whose first byte is at a multiple of 64."""
    raw = np.empty(n_bytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n_bytes]


def _at(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
