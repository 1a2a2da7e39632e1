"""docs/gnet-use.md runs as it stands, from top to bottom."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "gnet-use.md"


def test_the_guide_runs():
    told = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert len(told) == 3
    names: dict = {}
    exec(compile("\n".join(told), str(GUIDE), "exec"), names)
    data, program = names["data"], names["program"]
    ways = (program, names["corrected"], names["tuned"], names["head"])
    right = [(each.predict(data.x_val) == data.y_val).mean() for each in ways]
    assert right[0] >= 0.8 and min(right) > 0.75
    lengths = [op.attrs["n_out"] for op in names["named"].ops if op.name == "project"]
    assert lengths == [511, 255, 1023] and max(names["lengths"]) <= 1023
    assert [bound.name for bound in names["bounds"]] == ["conv1", "linear2", "head"]
