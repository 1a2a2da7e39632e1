"""Runs jobs, several at once, within a budget of time; stopping it at any moment loses at most a minute of each."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bitwright.app.campaign.jobs import CHECKPOINT, Job, keep_unfinished, take_up_unfinished
from bitwright.bench.timing import usable_cores
from bitwright.train.progress import validation_words

PATIENCE = 20.0  # seconds a job gets to write its checkpoint when it is asked to stop
LOG = "log.txt"


def run_jobs(
    jobs: list[Job], budget: float | None = None, at_once: int = 1, store: Path | None = None,
    results: Path | None = None, say: Callable[[str], None] = print, every: float = 20.0,
) -> bool:  # fmt: skip
    """True when nothing is left of any job. budget: seconds, None for no end. store: for checkpoints of unfinished
    jobs. results: folder where each run that a row asks for leaves its reading of the test set, as soon as it is
    trained; None leaves the test set unread. say: gets a line of progress every `every` seconds.
    """
    if store is not None:
        take_up_unfinished(jobs, store)
    end = None if budget is None else time.monotonic() + budget
    running: dict[subprocess.Popen, Job] = {}
    taken = {job.folder for job in jobs if not job.left(results)}  # over, or running
    broken: set[Path] = set()
    said = time.monotonic()
    try:
        with _terminated_as_ctrl_c():
            while end is None or time.monotonic() < end:
                for process, job in list(running.items()):
                    if process.poll() is not None:
                        del running[process]
                        if process.returncode:
                            broken.add(job.folder)
                        say(_finished(job, process.returncode))
                for job in jobs:
                    if len(running) < at_once and job.folder not in taken and _ready(job, jobs):
                        running[_start(job, at_once, results)] = job
                        taken.add(job.folder)
                if not running:
                    break
                if time.monotonic() - said > every:
                    said = time.monotonic()
                    say("; ".join(f"{job.folder.name}: {how_far(job)}" for job in running.values()))
                time.sleep(0.2)
            else:
                say("the time is up: each run writes its checkpoint; the same command goes on")
    except KeyboardInterrupt:
        say("stopping: each run writes its checkpoint; the same command goes on")
    finally:
        _stop(running)
        if store is not None:
            for job in keep_unfinished(jobs, store):
                size = (job.folder / CHECKPOINT).stat().st_size / 1e6
                why = f"its checkpoint of {size:.0f} MB is too large for {store}; it is in {job.folder}"
                say(f"{job.folder.name}: {why}")
    stuck = broken | {job.folder for job in jobs if job.failed}
    for job in jobs:
        if not job.done and (waited := sorted(stuck.intersection(job.needs))):
            say(f"{job.folder.name}: not begun; it needs {waited[0].name}, which did not finish")
    return not any(job.left(results) for job in jobs)


@contextmanager
def _terminated_as_ctrl_c() -> Iterator[None]:
    """A polite end from outside (`timeout`, a batch system) stops the runs too, instead of leaving them alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ready(job: Job, jobs: list[Job]) -> bool:
    return {other.folder for other in jobs if other.done}.issuperset(job.needs)


def _start(job: Job, at_once: int, results: Path | None) -> subprocess.Popen:
    environment = {"OMP_NUM_THREADS": str(max(1, usable_cores() // at_once)), **os.environ}
    job.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bitwright.app.campaign.worker", str(job.recipe), str(job.seed), str(job.folder),
               str(os.getpid())]  # fmt: skip
    if results is not None and job.wanted:
        command.append(str(results))
    with (job.folder / LOG).open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)


def _stop(running: dict[subprocess.Popen, Job]) -> None:
    for process in running:
        process.send_signal(signal.SIGINT)
    end = time.monotonic() + PATIENCE
    for process in running:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()


def how_far(job: Job) -> str:
    """The last line of its log of epochs, in words."""
    try:
        last = json.loads((job.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    except (OSError, IndexError, ValueError):
        return "begun"
    seen = validation_words(last.get("val_accuracy"), last.get("soft_val_accuracy"))
    return f"epoch {last['epoch']}, loss {last['loss']:.4f}{seen}"


def _finished(job: Job, code: int) -> str:
    if code == 0:
        return f"{job.folder.name}: {how_far(job)}: done"
    lines = (job.folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{job.folder.name}: stopped with exit code {code}: {lines[-1] if lines else 'see its log.txt'}"
