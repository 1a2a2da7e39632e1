"""The battery shares the oracle and the small programs of tests/ir."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "ir"))
