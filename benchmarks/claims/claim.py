"""A claim, what measuring it gave, and the file that keeps the last measurements."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bitwright.bench.machine import commit, hardware, versions

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"


class NotMeasured(Exception):
    """There is nothing to measure yet; the text says what to run."""


@dataclass(frozen=True)
class Measured:
    """What a measurement gave. value: for people; met: whether the bar is; numbers: the raw ones, for JSON."""

    value: str
    met: bool
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """One row. measure: gives Measured, or raises NotMeasured; reads: True if it only reads files, so costs nothing."""

    key: str
    what: str
    bar: str
    command: str
    measure: Callable[[], Measured]
    reads: bool = False


@dataclass(frozen=True)
class Row:
    """A claim with what was measured, now or earlier. met: None while open for want of a measurement."""

    key: str
    what: str
    bar: str
    measured: str
    met: bool | None
    command: str
    when: str = ""
    commit: str | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return "met" if self.met else "open"


def measure(claim: Claim) -> Row:
    """The row, measured now. A measurement that fails is an open row that says so, never the end of the table."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    row = unmeasured(claim)
    try:
        found = claim.measure()
    except NotMeasured as reason:
        return replace(row, measured=str(reason))
    except Exception as error:
        words = str(error).splitlines()[0] if str(error) else ""
        said = f"failed: {type(error).__name__}: {words}"
        return replace(row, measured=said, met=False, when=now, commit=commit(ROOT))
    return replace(row, measured=found.value, met=found.met, when=now, commit=commit(ROOT), numbers=dict(found.numbers))


def unmeasured(claim: Claim) -> Row:
    return Row(claim.key, claim.what, claim.bar, "not measured yet", None, claim.command)


def recall(claim: Claim, last: Mapping[str, Row]) -> Row:
    """The last measurement of a claim, for `--quick`; files are read anyway."""
    if claim.reads:
        return measure(claim)
    if claim.key in last:
        return replace(last[claim.key], what=claim.what, bar=claim.bar, command=claim.command)
    return unmeasured(claim)


def table_path(of: str, folder: Path | None = None) -> Path:
    return (folder or RESULTS) / f"claims-{of}.json"


def load_rows(of: str, folder: Path | None = None) -> dict[str, Row]:
    """Key -> row of the last measurements; {} if there are none."""
    path = table_path(of, folder)
    if not path.exists():
        return {}
    return {row["key"]: Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))["rows"]}


def save_rows(of: str, rows: list[Row], folder: Path | None = None) -> Path:
    """results/claims-<of>.json, written whole or not at all."""
    path = table_path(of, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {"of": of, "hardware": hardware(), "versions": versions(), "rows": [asdict(row) for row in rows]}
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)
    return path
