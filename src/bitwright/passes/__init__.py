"""Program -> Program, meaning unchanged: simplification of logic."""

from bitwright.passes.simplify import SimplifyReport, n_gates, simplify

__all__ = ["SimplifyReport", "n_gates", "simplify"]
