"""Examples a second of several calls beside each other: interleaved, so that a busy machine slows all of them alike."""

import time
from collections.abc import Callable, Mapping
from statistics import median


def rates(calls: Mapping[str, Callable[[], object]], batch: int, seconds: float = 1.0) -> dict[str, float]:
    """Name -> batch / median time of one call. seconds: spent on each, at least three calls, after one to warm up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    while any(len(taken) < 3 or sum(taken) < seconds for taken in times.values()):
        for name, call in calls.items():
            if len(times[name]) >= 3 and sum(times[name]) >= seconds:
                continue
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    return {name: batch / median(taken) for name, taken in times.items()}
