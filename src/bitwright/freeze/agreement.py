"""How well a Program agrees with the model it came from: every hidden bit and score where that is promised, accuracy
everywhere.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import fx

from bitwright.data.progress import Progress
from bitwright.freeze.freeze import as_tensor
from bitwright.ir import Program, execute
from bitwright.ir.interpreter import samples_at_once
from bitwright.ir.overflow import wrapped_sums


@dataclass
class Agreement:
    """Program against model on the same samples. For exact networks the differing counts are 0.

    hidden_*: bits of all sign layers, compared value by value. scores_differing: Program scores that differ from the
    model's scores divided by their scale (exact networks; else -1). same_class: samples with the same predicted
    class.
    twin_differing: values, scores included, on which the Program differs from its grid twin (must be 0).
    """

    samples: int
    exact: bool
    hidden_compared: int = 0
    hidden_differing: int = 0
    scores_compared: int = 0
    scores_differing: int = 0
    twin_compared: int = 0
    twin_differing: int = 0
    same_class: int = 0
    largest_score_difference: float = 0.0
    labelled: bool = False
    model_correct: int = 0
    program_correct: int = 0
    wrapped: dict[int, tuple[int, int]] = field(default_factory=dict)  # op -> 8-bit sums that wrapped, and all of them

    @property
    def ok(self) -> bool:
        """The promise: Program = twin always, Program = model where the network is exact."""
        return self.twin_differing == 0 and (not self.exact or self.hidden_differing + self.scores_differing == 0)

    def __str__(self) -> str:
        n = max(self.samples, 1)
        lines = [
            f"{self.samples} samples; "
            + ("bits and integer sums throughout" if self.exact else "with real-valued streams")
        ]
        if self.labelled:
            model, program = 100 * self.model_correct / n, 100 * self.program_correct / n
            lines.append(
                f"  accuracy: model {model:.2f} %, Program {program:.2f} %, difference {program - model:+.2f} points"
            )
        lines.append(
            f"  same class: {100 * self.same_class / n:.2f} %; scores within {self.largest_score_difference:.4g}"
        )
        lines.append(f"  Program against its grid twin: {self.twin_differing} of {self.twin_compared:,} values differ")
        if self.exact:
            lines.append(
                f"  Program against the model: {self.hidden_differing} of {self.hidden_compared:,} hidden bits differ,"
            )
            lines.append(f"    {self.scores_differing} of {self.scores_compared:,} scores differ")
        for number, (wrapped, total) in self.wrapped.items():
            lines.append(f"  op {number}: {100 * wrapped / max(total, 1):.3f} % of its 8-bit sums wrap around")
        return "\n".join(lines)


class _Recorder(fx.Interpreter):
    """Runs the model's own forward and keeps the results of some nodes."""

    def __init__(self, graph: fx.GraphModule, keep: set[str]):
        super().__init__(graph)
        self.keep, self.kept = keep, {}

    def run_node(self, n: fx.Node):
        result = super().run_node(n)
        if n.name in self.keep:
            self.kept[n.name] = result
        return result


def agreement(program: Program, x: np.ndarray, y: np.ndarray | None = None, batch: int | None = None) -> Agreement:
    """Compare a just-frozen Program with its model (eager CPU float32, eval) and its twin on x; y: labels, if known.

    batch: samples at a time; None takes 256, or fewer where the Program's values are many (long codes at every place).
    Raises ValueError for a Program that was loaded from a file: freeze the model again, then compare.
    """
    frozen = program.frozen
    if frozen is None:
        raise ValueError(
            "agreement: this Program was loaded from a file and knows no model; freeze the model and compare that"
        )
    size = batch or samples_at_once(frozen.whole or program)
    report = Agreement(len(x), frozen.exact, labelled=y is not None)
    with Progress("compare with model and twin, samples", len(x)) as bar:
        for start in range(0, len(x), size):
            block, labels = x[start : start + size], None if y is None else y[start : start + size]
            _add_block(report, program, block, labels)
            bar.advance(len(block))
    return report


def _add_block(report: Agreement, program: Program, x: np.ndarray, y: np.ndarray | None) -> None:
    frozen = program.frozen
    values = execute(frozen.whole or program, x, keep=True)
    last = values[-1] if frozen.whole is None else execute(program, x)[-1]  # simplified: the shipped scores count
    for number, (wrapped, total) in wrapped_sums(frozen.whole or program, values).items():
        before = report.wrapped.get(number, (0, 0))
        report.wrapped[number] = before[0] + wrapped, before[1] + total
    scores = last.astype(np.float64)
    inputs = as_tensor(x)
    recorder = _Recorder(frozen.graph, set(frozen.bits))
    with torch.no_grad():
        model_scores = recorder.run(inputs).double().numpy()
    for number, value in frozen.twin.values(inputs).items():
        if number:
            wrong = value.numpy() != values[number]
            report.twin_compared += wrong.size
            report.twin_differing += int(wrong.sum())
    if frozen.whole is not None:
        report.twin_compared += last.size
        report.twin_differing += int((last != values[-1]).sum())
    for name, number in frozen.bits.items():
        wrong = (recorder.kept[name].numpy() > 0.5) != values[number].astype(bool)
        report.hidden_compared += wrong.size
        report.hidden_differing += int(wrong.sum())
    scaled = scores * frozen.score_scale
    report.largest_score_difference = max(
        report.largest_score_difference, float(np.abs(scaled - model_scores).max(initial=0))
    )
    report.scores_compared += scores.size
    if frozen.exact:
        report.scores_differing += int((np.rint(model_scores / frozen.score_scale) != scores).sum())
    report.same_class += int((scores.argmax(1) == model_scores.argmax(1)).sum())
    if y is not None:
        report.model_correct += int((model_scores.argmax(1) == y).sum())
        report.program_correct += int((scores.argmax(1) == y).sum())
