"""Images a second of `Program.run`, the whole call from raw inputs, beside the float twin on the same cores."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bitwright.bench.rivals import FLOAT_TWIN, rival_calls
from bitwright.bench.timing import ROUNDS, SAMPLE_SECONDS, Timing, interleaved, pinned, torch_threads, usable_cores
from bitwright.ir import Program
from bitwright.ir.executors import join_backends

BATCHES, THREADS = (1, 256), (1, 2)
BITS_PREFIX = "bitwright "


@dataclass(frozen=True)
class SpeedRow:
    """One call, timed. name: "bitwright cpu:avx512", "float twin, PyTorch", ... ratio: the twin's time over this."""

    batch: int
    threads: int
    name: str
    timing: Timing
    ratio: float | None

    @property
    def per_second(self) -> float:
        """Samples a second."""
        return self.batch / self.timing.seconds

    @property
    def microseconds(self) -> float:
        """Of one call."""
        return 1e6 * self.timing.seconds


@dataclass
class SpeedReport:
    """Result of `compare_speed`; print it, or read rows. left_out: what was not timed, and why."""

    rows: list[SpeedRow] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def row(self, batch: int, threads: int, name: str) -> SpeedRow:
        """The row of that batch, threads and name; raises KeyError naming those there are."""
        for row in self.rows:
            if (row.batch, row.threads, row.name) == (batch, threads, name):
                return row
        raise KeyError(f"{name!r} at batch {batch}, {threads} threads was not timed; rows: {self.rows}")

    def fastest(self, batch: int, threads: int) -> SpeedRow:
        """bitwright's own fastest row."""
        own = [r for r in self.rows if (r.batch, r.threads) == (batch, threads) and r.name.startswith(BITS_PREFIX)]
        return min(own, key=lambda row: row.timing.seconds)

    def __str__(self) -> str:
        width = max((len(row.name) for row in self.rows), default=4)
        lines = [f"{'batch':>5} {'threads':>7}  {'':{width}} {'a second':>12} {'us a call':>11}  beside the float twin"]
        for row in self.rows:
            beside = "" if row.ratio is None or row.name == FLOAT_TWIN else f"{row.ratio:.1f} x"
            lines.append(
                f"{row.batch:>5} {row.threads:>7}  {row.name:{width}} {row.per_second:>12,.0f} "
                f"{row.microseconds:>11,.1f}  {beside}".rstrip()
            )
        lines += [f"left out: {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


def compare_speed(
    program: Program,
    twin: Any = None,
    x: np.ndarray | None = None,
    batches: Sequence[int] = BATCHES,
    threads: Sequence[int] = THREADS,
    backends: Sequence[str] | None = None,
    rounds: int = ROUNDS,
    sample_seconds: float = SAMPLE_SECONDS,
) -> SpeedReport:
    """Times every backend of this machine, and the rivals on `twin`, warm and interleaved, pinned to as many cores.

    twin: the float network (`float_twin_of(program)` makes it), or None for none. It is handed float32 tensors that are
    ready; the Program gets raw inputs. x: samples to draw batches from, else random ones over the whole input range.
    backends: names as of `run`; by default all, the slow ones (interpreter, reference) only at batch 1.
    """
    report = SpeedReport()
    for n_threads in threads:
        if n_threads > usable_cores():
            report.left_out[f"{n_threads} threads"] = f"this process may use {usable_cores()} cores"
            continue
        for batch in batches:
            inputs = _batch(program, x, batch)
            with pinned(n_threads):
                _compare(report, program, twin, inputs, n_threads, _names(backends, batch), rounds, sample_seconds)
    return report


def float_twin_of(program: Program) -> Any:
    """The float twin, its weights untrained, that the .bw's header describes; None without a recipe in it, or torch."""
    recipe, described = program.header.get("recipe"), program.header.get("input")
    if not isinstance(recipe, dict) or not isinstance(described, dict) or importlib.util.find_spec("torch") is None:
        return None
    from bitwright.models import create_model, float_twin

    options = {"shape": list(program.input_type.shape), "classes": program.n_classes, **recipe.get("model_options", {})}
    return float_twin(create_model(recipe["model"], seed=0, **options)).eval()


def _names(backends: Sequence[str] | None, batch: int) -> list[str]:
    if backends is not None:
        return list(backends)
    names = list(join_backends())
    quick = [name for name in names if name not in ("interpreter", "cpu:reference")]
    return names if batch == 1 or not quick else quick


def _compare(report, program, twin, x, threads, backends, rounds, sample_seconds) -> None:
    calls = {BITS_PREFIX + name: (lambda name=name: program.run(x, name, threads)) for name in backends}
    if twin is None:
        taken = interleaved(calls, rounds, sample_seconds)
    else:
        with torch_threads(threads):
            others, missing = rival_calls(twin, x.astype(np.float32), threads)
            report.left_out.update(missing)
            taken = interleaved(calls | others, rounds, sample_seconds)
    beside = taken[FLOAT_TWIN].seconds if FLOAT_TWIN in taken else None
    for name, timing in taken.items():
        ratio = None if beside is None else beside / timing.seconds
        report.rows.append(SpeedRow(len(x), threads, name, timing, ratio))


def _batch(program: Program, x: np.ndarray | None, n: int) -> np.ndarray:
    if x is not None and len(x):
        return np.ascontiguousarray(x[np.arange(n) % len(x)])
    rng, taken = np.random.default_rng(0), program.input_type
    shape = (n, *taken.shape)
    if taken.kind == "float":
        return rng.standard_normal(shape).astype(np.float32)
    lo, hi = (0, 1) if taken.kind == "bits" else (taken.lo, taken.hi)
    return rng.integers(lo, hi + 1, shape).astype(np.uint8 if lo >= 0 and hi < 256 else np.int32)
