"""Claims that tests prove: run them, count what passed; a test that was skipped proves nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.claims.claim import ROOT, Measured, NotMeasured

COUNTS = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|deselected)")


def tests_prove(*places: str, environment: dict[str, str] | None = None) -> Measured:
    """Runs the test files (glob patterns under tests/) and says what they gave; met when all ran and passed.

    Raises NotMeasured if there are no such files, or if tests were skipped and none failed.
    """
    files = find_tests(*places)
    if not files:
        raise NotMeasured(f"no test yet: tests/{', tests/'.join(places)}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, files)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | (environment or {}))
    counts = count(run.stdout)
    said = ", ".join(f"{n} {word}" for word, n in counts.items()) or run.stdout.strip().splitlines()[-1:]
    if run.returncode == 0 and counts.get("skipped"):
        raise NotMeasured(f"{said}: {_first_skip(run.stdout)}")
    return Measured(str(said), run.returncode == 0 and counts.get("passed", 0) > 0, counts)


def find_tests(*places: str) -> list[Path]:
    return sorted({path.relative_to(ROOT) for place in places for path in (ROOT / "tests").glob(place)})


def count(output: str) -> dict[str, int]:
    """pytest's last line -> {"passed": 3, "skipped": 1}."""
    lines = [line for line in output.splitlines() if COUNTS.search(line)]
    return {word: int(n) for n, word in COUNTS.findall(lines[-1])} if lines else {}


def _first_skip(output: str) -> str:
    return next((line.split("] ", 1)[-1] for line in output.splitlines() if line.startswith("SKIPPED")), "skipped")
