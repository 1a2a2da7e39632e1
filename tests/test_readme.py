"""Every block of Python in the README runs as it stands, in one process each, and the commands it names exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bitwright.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0] for block in BLOCKS])
def test_python_block_runs(block, tmp_path):
    pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
    check = (
        "\nassert 'labels' not in dir() or ((labels == data.y_test).mean() > 0.9 and program.verify(data.x_test).ok)"
    )
    done = subprocess.run([sys.executable, "-c", block + check], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_blocks_are_found_and_short():
    assert len(BLOCKS) == 3
    ten, six = ([line for line in block.splitlines() if line.strip() and "import" not in line] for block in BLOCKS[:2])
    assert len(ten) <= 10 and len(six) <= 6


def test_every_command_and_make_target_named_exists():
    named = set(re.findall(r"^bitwright (\w+)", README, re.M)) | set(re.findall(r"`bitwright (\w+)", README))
    assert named and named <= set(COMMANDS)
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"make (demo|test|claims|setup|lint)\b", README)) <= targets


def test_no_measured_number_stands_outside_the_blocks_that_a_command_writes():
    prose = re.sub(r"```.*?```|<!-- numbers: .*?<!-- /numbers -->", "", README, flags=re.S)
    assert not re.findall(r"\d+(?:\.\d+)?\s*(?:%|x faster|times faster|images)", prose)
