"""Random logic gate networks that nothing can be simplified in, and their inference beside the rival's."""

import sys
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.logic.rival import KINDS, Rival
from bitwright.bench.timing import Timing, interleaved, pinned
from bitwright.ir import Builder, Program, from_bytes

TRUE_GATES = np.array([1, 2, 4, 6, 7, 8, 9, 11, 13, 14])  # tables that depend on both inputs
IMAGES = 8192
ROUNDS = 15


def random_net(width: int = 8000, depth: int = 6, n_pixels: int = 784, seed: int = 0, classes: int = 10) -> Program:
    """uint8 pixels -> one threshold each -> layers of true two-input gates -> sums of equal groups.

    Wiring is balanced: every signal is read equally often (within one), a gate's inputs differ.
    """
    rng, b = np.random.default_rng(seed), Builder()
    x = b.threshold(b.input("int", (n_pixels,), 0, 255), rng.integers(1, 255, (n_pixels, 1)))
    for _ in range(depth):
        x = b.lut(x, balanced_pairs(rng, x.shape[0], width), TRUE_GATES[rng.integers(0, 10, width)])
    return b.finish(b.count(x, np.arange(width).reshape(classes, -1).tolist()))


def any_net(width: int, depth: int, n_pixels: int = 784, seed: int = 0, classes: int = 10) -> Program:
    """The same with gates of all sixteen kinds: constants, wires and inverters among them, and what they make dead."""
    rng, b = np.random.default_rng(seed), Builder()
    x = b.threshold(b.input("int", (n_pixels,), 0, 255), rng.integers(1, 255, (n_pixels, 1)))
    for _ in range(depth):
        x = b.lut(x, balanced_pairs(rng, x.shape[0], width), rng.integers(0, 16, width))
    return b.finish(b.count(x, np.arange(width).reshape(classes, -1).tolist()))


def balanced_pairs(rng: np.random.Generator, n_inputs: int, n_gates: int) -> np.ndarray:
    """(n_gates, 2), the two inputs of a gate distinct."""
    rounds = -(-2 * n_gates // n_inputs)
    pairs = np.concatenate([rng.permutation(n_inputs) for _ in range(rounds)])[: 2 * n_gates].reshape(n_gates, 2)
    while len(same := np.flatnonzero(pairs[:, 0] == pairs[:, 1])):
        for gate in same:
            other = rng.integers(n_gates)
            pairs[gate, 1], pairs[other, 1] = pairs[other, 1], pairs[gate, 1]
    return pairs


@dataclass(frozen=True)
class Inference:
    """Whole runs from uint8 pixels to int32 scores on one core, on the same images in the same rounds."""

    own: Timing
    plain: Timing
    tuned: Timing
    images: int
    backend: str

    @property
    def ratio(self) -> float:
        """Against the plain rival."""
        return self.plain.seconds / self.own.seconds

    @property
    def ratio_tuned(self) -> float:
        return self.tuned.seconds / self.own.seconds

    def __str__(self) -> str:
        own, plain, tuned = (self.images / timing.seconds / 1e6 for timing in (self.own, self.plain, self.tuned))
        return (
            f"{self.ratio:.1f} x: {own:.2f} M images/s ({self.backend}), straight-line C {plain:.2f} M images/s; "
            f"{self.ratio_tuned:.1f} x where the C packs and counts by words too ({tuned:.2f} M)"
        )


def compare_inference(program: Program, backend: str, images: int = IMAGES, rounds: int = ROUNDS) -> Inference:
    """All give the same scores (checked, also at odd batches), then are timed in turns."""
    print("compiling the rival (half a minute, once) ...", file=sys.stderr, flush=True)
    rivals = {kind: Rival(program, kind) for kind in KINDS}
    x = np.random.default_rng(1).integers(0, 256, (images, *program.input_type.shape), dtype=np.uint8)
    for kind, rival in rivals.items():
        for n in (1, 65, images):
            if not np.array_equal(rival(x[:n]), program.run(x[:n], backend, 1)):
                raise AssertionError(f"the {kind} rival and {backend} differ on {n} images")
    calls = {kind: (lambda rival=rival: rival(x)) for kind, rival in rivals.items()}
    with pinned(1):
        taken = interleaved({"own": lambda: program.run(x, backend, 1), **calls}, rounds=rounds)
    return Inference(taken["own"], taken["plain"], taken["tuned"], images, backend)


def time_runs(program: Program, x: np.ndarray, backend: str, rounds: int = ROUNDS) -> Timing:
    """A whole run on all of x, one thread on one core."""
    with pinned(1):
        return interleaved({"run": lambda: program.run(x, backend, 1)}, rounds=rounds)["run"]


def seconds_to_answer(data: bytes, backend: str, times: int = 9) -> float:
    """Median time from the bytes of a .bw file to the scores of its first image: loading, planning, running."""
    from bitwright.ir.executors import executor

    taken = []
    for _ in range(times):
        started = time.perf_counter()
        program = from_bytes(data)
        executor(backend).run(program, np.zeros((1, *program.input_type.shape), np.uint8))
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))
