"""Two processes by torchrun are one process at the same batch: equal losses within float rounding."""

import json
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from bitwright.data import load_data
from bitwright.train import fit
from bitwright.train.parallel import Team

SCRIPT = """
import sys, torch
from bitwright.data import load_data
from bitwright.layers import BinaryLinear, Sign
from bitwright.train import fit
from torch import nn
torch.manual_seed(0)
layers = nn.Flatten(), BinaryLinear(64, 48, scale="channel"), Sign(), BinaryLinear(48, 10, scale="learned")
fit(nn.Sequential(*layers), load_data("digits"), folder=sys.argv[1], epochs=3, lr=1e-2, batch_size=62, device="cpu",
    augment={"mixup": 0.2}, progress=False)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="torchrun with gloo: not on this system")
def test_two_ranks_are_one_process(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for name, command in (("one", [sys.executable]), ("two", run)):
        done = subprocess.run([*command, tmp_path / "train.py", tmp_path / name], capture_output=True, text=True,
                              env=environment, timeout=300)  # fmt: skip
        assert done.returncode == 0, done.stderr
    one, two = ([json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
                for name in ("one", "two"))  # fmt: skip
    assert [row["loss"] for row in two] == pytest.approx([row["loss"] for row in one], rel=1e-4)
    assert len(two) == 3 and one[-1]["loss"] < one[0]["loss"]
    weights = [torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["model"]["1.weight"]
               for name in ("one", "two")]  # fmt: skip
    assert torch.allclose(*weights, atol=1e-3)


def test_a_batch_that_does_not_divide_is_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ValueError, match="a batch of 64 does not divide among 3 processes"):
        Team(torch.device("cpu"), 64)


def test_alone_everything_is_its_own(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team, rows = Team(torch.device("cpu"), 5), torch.arange(5)
    assert team.mine(rows) is rows and team.mean(0.25) == 0.25
    model = nn.Linear(64, 10)
    assert team.wrap(model, torch.device("cpu")) is model
    alone = fit(nn.Sequential(nn.Flatten(), model), load_data("digits"), epochs=1, lr=1e-2, progress=False)
    assert alone.val_accuracy > 20
