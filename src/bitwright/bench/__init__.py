"""Accuracy, bits, time and size, and the results files that every number in the documentation comes from."""

from bitwright.bench.evaluate import evaluate, evaluate_model
from bitwright.bench.results import (
    SeedSummary,
    binomial_error,
    read_result,
    read_results,
    summarize_seeds,
    write_failure,
    write_result,
)
from bitwright.bench.size import Sizes, Widths, sizes, widths
from bitwright.bench.speed import SpeedReport, SpeedRow, compare_speed, float_twin_of

__all__ = [
    "SeedSummary", "Sizes", "SpeedReport", "SpeedRow", "Widths", "binomial_error", "compare_speed", "evaluate",
    "evaluate_model", "float_twin_of", "read_result", "read_results", "sizes", "summarize_seeds", "widths",
    "write_failure", "write_result",
]  # fmt: skip
