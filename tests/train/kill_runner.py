"""Trains in forked children on command, so that test_kill pays for `import torch` once.

A line on stdin is JSON: {"folder": ..., "stall": null | "part" | "half" | "replace"}. The answer is the child's pid,
then, when it ended, its wait status. With `stall` the child's second checkpoint write leaves a file named "stalled"
and hangs: with part of the temporary file written, half of it, or all of it but the rename.
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from bitwright.layers import BinaryLinear, Sign
from bitwright.train import checkpoint, fit


def data():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (300, 1, 8, 8), dtype=np.uint8)
    y = x.reshape(300, -1)[:, :4].argmax(1).astype(np.int64)
    return SimpleNamespace(name="made up", x_train=x[:250], y_train=y[:250], x_val=x[250:], y_val=y[250:])


def model():
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Flatten(), BinaryLinear(64, 32, weight_quantizer="bnn++"), nn.BatchNorm1d(32), Sign(), nn.Dropout(0.1),
        BinaryLinear(32, 4, scale="learned"),
    )  # fmt: skip


def stall_in_write(how: str, folder: Path) -> None:
    calls = {"n": 0}
    fsync, replace = os.fsync, os.replace

    def hang():
        (folder / "stalled").touch()
        time.sleep(60)

    def slow_fsync(handle):
        calls["n"] += 1
        if calls["n"] == 3 and how in ("part", "half"):  # two fsyncs a checkpoint: file and folder
            size = os.fstat(handle).st_size
            os.ftruncate(handle, 10 if how == "part" else size // 2)
            hang()
        fsync(handle)

    def slow_replace(a, b):
        if calls["n"] == 3 and how == "replace":
            hang()
        replace(a, b)

    checkpoint.os.fsync, checkpoint.os.replace = slow_fsync, slow_replace


def train(folder: Path, stall: str | None) -> None:
    if stall:
        stall_in_write(stall, folder)
    random.seed(3)  # a fork reseeds Python's generator
    np.random.seed(3)
    fields = {"augment": {"shift": 1.0, "noise": 2.0}, "checkpoint_seconds": 0.0, "lr": 0.01, "device": "cpu"}
    fit(model(), data(), folder=folder, resume=True, progress=False, epochs=45, batch_size=16, **fields)


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                train(Path(order["folder"]), order["stall"])
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main()
