"""Program -> Program, meaning unchanged: simplification of logic.

PASSES maps a name to a pass, Program -> (Program, report). `freeze` runs "simplify" and, asked for by name, others.
"""

from collections.abc import Callable
from typing import Any

from bitwright.ir import Program
from bitwright.passes.rewrite import RewriteReport, rewrite
from bitwright.passes.simplify import SimplifyReport, n_gates, simplify

PASSES: dict[str, Callable[[Program], tuple[Program, Any]]] = {
    "simplify": simplify,
    "rewrite": rewrite,  # needs the extra `aig`
}

__all__ = ["PASSES", "RewriteReport", "SimplifyReport", "n_gates", "rewrite", "simplify"]
