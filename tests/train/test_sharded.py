"""examples/sharded.py: two processes, each with half of every weight, are one process at the same batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "sharded.py"


@pytest.mark.skipif(sys.platform != "linux", reason="torchrun with gloo: not on this system")
def test_two_sharded_ranks_are_one_process(tmp_path):
    """Within 1e-3 of each loss: gradients are averages of averages, and Adam enlarges their rounding near 0."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for name, command in (("one", [sys.executable]), ("two", run)):
        done = subprocess.run([*command, EXAMPLE, tmp_path / name], capture_output=True, text=True, env=environment,
                              timeout=300)  # fmt: skip
        assert done.returncode == 0, done.stderr
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one", "two"))
    assert two == pytest.approx(one, rel=1e-3) and one[-1] < 0.5 * one[0]
