"""`verify`: every backend on your data, every value it makes, against the interpreter."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bitwright.ir.executors import executor, join_backends
from bitwright.ir.inputs import check_input
from bitwright.ir.interpreter import samples_at_once
from bitwright.ir.program import Program


@dataclass
class BackendReport:
    """What one backend made of the data: how many values were compared and how many differed from the interpreter."""

    backend: str
    hidden_compared: int = 0
    hidden_differing: int = 0
    scores_differing: int = 0
    classes_differing: int = 0
    first: str = ""  # where the first difference was

    @property
    def differing(self) -> int:
        return self.hidden_differing + self.scores_differing + self.classes_differing


@dataclass
class VerifyReport:
    """Result of `verify`. `ok` is True when nothing differed."""

    samples: int
    backends: list[BackendReport] = field(default_factory=list)

    @property
    def differing(self) -> int:
        return sum(report.differing for report in self.backends)

    @property
    def ok(self) -> bool:
        return self.differing == 0

    def __str__(self) -> str:
        lines = [f"{self.samples} samples, every value against the interpreter"]
        for report in self.backends:
            line = f"  {report.backend:14s} {report.hidden_compared:>13,} hidden values, {report.differing} differing"
            lines.append(line + (f" (first: {report.first})" if report.first else ""))
        return "\n".join(lines)


def verify(
    program: Program, x: np.ndarray, backends: list[str] | str | None = None, batch: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> VerifyReport:  # fmt: skip
    """Compare backends (default: all of this machine) with the interpreter on x, in batches.

    Compares scores and classes of `run`, and of `values` every hidden value the backend keeps. batch: samples at a
    time; None takes 256, or fewer where the Program's values are many. progress: called with the samples of each batch
    once they are compared. Raises ValueError where there is nothing to compare.
    """
    x = check_input(program, x)
    if batch is None:
        batch = samples_at_once(program)
    if batch < 1:
        raise ValueError(f"verify: batch is {batch}, expected 1 or more")
    if not len(x) or backends == []:
        raise ValueError(f"verify: {len(x)} samples, backends {backends}: nothing to compare")
    backends = [backends] if isinstance(backends, str) else backends
    names = [name for name in join_backends() if name != "interpreter"] if backends is None else backends
    report = VerifyReport(len(x), [BackendReport(name) for name in names])
    for start in range(0, len(x), batch):
        block = x[start : start + batch]
        expected = executor("interpreter").values(program, block)
        scores = expected[len(program.ops) - 1]
        for entry in report.backends:
            runner = executor(entry.backend)
            _compare(entry, program, expected, runner.values(program, block), start)
            got = runner.run(program, block)
            wrong = np.asarray(got) != scores
            entry.scores_differing += int(wrong.sum())
            entry.classes_differing += int((got.argmax(1) != scores.argmax(1)).sum())
            if wrong.any() and not entry.first:
                sample, column = (int(i) for i in np.argwhere(wrong)[0])
                entry.first = (
                    f"sample {start + sample}, score {column}: {got[sample, column]}, not {scores[sample, column]}"
                )
        if progress is not None:
            progress(len(block))
    return report


def _compare(entry: BackendReport, program: Program, expected, got, start: int) -> None:
    for number, value in got.items():
        wrong = (
            np.asarray(value, np.int64) != expected[number]
            if program.types[number].kind != "float"
            else value != expected[number]
        )
        entry.hidden_compared += int(wrong.size)
        entry.hidden_differing += int(wrong.sum())
        if wrong.any() and not entry.first:
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            entry.first = f"sample {start + place[0]}, value {number} ({program.ops[number].name}){list(place[1:])}"
