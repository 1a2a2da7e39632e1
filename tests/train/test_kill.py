"""kill -9 from another process at 20 random moments, three of them inside a checkpoint write: the resumed run ends
with bit for bit the weights, optimizer state and metrics of the uninterrupted one."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

RUNNER = Path(__file__).with_name("kill_runner.py")
KILLS = 20

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork: not on this system")


class Runner:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(RUNNER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def start(self, folder: Path, stall: str | None = None) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"folder": str(folder), "stall": stall}) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def status(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())


@pytest.fixture
def runner():
    runner = Runner()
    yield runner
    assert runner.process.stdin
    runner.process.stdin.close()
    runner.process.wait(timeout=30)


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.002)


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b


def test_twenty_kills_leave_no_trace(runner, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    runner.start(whole)
    assert runner.status() == 0
    broken.mkdir()
    rng = random.Random(int(os.environ.get("BITWRIGHT_KILL_SEED", "0")))
    stalls = ["part", "half", "replace"]
    moments = set(rng.sample(range(1, KILLS), len(stalls)))
    for i in range(KILLS):
        stall = stalls.pop() if i in moments else None
        pid = runner.start(broken, stall)
        if stall:
            wait_for(broken / "stalled")
            (broken / "stalled").unlink()
            assert (broken / "checkpoint.pt.part").exists()  # the kill comes inside the write
        else:
            wait_for(broken / "checkpoint.pt")
            time.sleep(rng.uniform(0, 0.12))
        os.kill(pid, signal.SIGKILL)
        assert runner.status() == signal.SIGKILL, "the run ended before it was killed: make it longer"
    position = torch.load(broken / "checkpoint.pt", weights_only=True)["epoch"]
    assert position < 45
    runner.start(broken)
    assert runner.status() == 0
    a, b = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (whole, broken))
    for key in a:
        assert key == "seconds" or same(a[key], b[key]), key
    texts = [(folder / "metrics.jsonl").read_text() for folder in (whole, broken)]
    rows = [[json.loads(line) for line in text.splitlines()] for text in texts]
    for row in rows[0] + rows[1]:
        row.pop("seconds")
    assert rows[0] == rows[1] and len(rows[0]) == 45
