"""Times of several calls beside each other: warm, interleaved, medians, on the same pinned cores.

Interleaved, a busy or throttled machine slows all of them alike; a ratio of medians is then worth something.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median, quantiles

ROUNDS = 9
NOISY = 1.5
SAMPLE_SECONDS = 0.02  # a sample is as many calls as fill this: the clock's grain does not matter


@dataclass(frozen=True)
class Timing:
    """Seconds of one call. low, high: quartiles of the samples; calls: in each of `rounds` samples."""

    seconds: float
    low: float
    high: float
    rounds: int
    calls: int

    @property
    def noisy(self) -> bool:
        """Whether the samples lie so far apart that something else must have used the cores."""
        return self.high > NOISY * self.low


def interleaved(
    calls: Mapping[str, Callable[[], object]], rounds: int = ROUNDS, sample_seconds: float = SAMPLE_SECONDS
) -> dict[str, Timing]:
    """Name -> Timing. Every round takes one sample of each call, the first of a round being another one each time."""
    repeats = {name: _calls_a_sample(call, sample_seconds) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for number in range(rounds):
        at = number % len(names)
        for name in names[at:] + names[:at]:
            samples[name].append(_sample(calls[name], repeats[name]))
    return {name: _timing(taken, repeats[name]) for name, taken in samples.items()}


@contextmanager
def pinned(n_cores: int) -> Iterator[list[int]]:
    """All threads of this process, and those it starts meanwhile, on the last n of its cores; yields their numbers.

    Yields [] and changes nothing where the system has no such call. Raises ValueError if there are fewer cores.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield []
        return
    allowed = os.sched_getaffinity(0)
    if n_cores > len(allowed):
        raise ValueError(f"pinned: {n_cores} cores asked for, this process may use {len(allowed)}")
    chosen = sorted(allowed)[-n_cores:]
    before = {thread: os.sched_getaffinity(thread) for thread in _threads()}
    try:
        _set_affinity({thread: set(chosen) for thread in before})
        yield chosen
    finally:
        _set_affinity({thread: before.get(thread, allowed) for thread in _threads()})


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """torch computes with n threads meanwhile."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _calls_a_sample(call: Callable[[], object], sample_seconds: float) -> int:
    """How many calls fill a sample; finding out warms the call up."""
    call()
    repeats = 1
    while True:
        taken = _sample(call, repeats) * repeats
        if taken >= sample_seconds / 2:
            return max(1, ceil(repeats * sample_seconds / taken))
        repeats *= 2


def _sample(call: Callable[[], object], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats


def _timing(taken: list[float], calls: int) -> Timing:
    low, _, high = quantiles(taken, n=4) if len(taken) > 1 else (taken[0],) * 3
    return Timing(median(taken), low, high, len(taken), calls)


def _threads() -> list[int]:
    try:
        return [int(path.name) for path in Path("/proc/self/task").iterdir()]
    except OSError:
        return [threading.get_native_id()]


def _set_affinity(wanted: Mapping[int, set[int]]) -> None:
    for thread, cores in wanted.items():
        try:
            os.sched_setaffinity(thread, cores)
        except ProcessLookupError:  # it has ended meanwhile
            continue
