"""A trained model becomes a Program: pending chains, thresholds, the fixed-point grid and its twin, and the agreement
report.
"""

from bitwright.freeze.agreement import Agreement, agreement
from bitwright.freeze.correct_offsets import correct_offsets
from bitwright.freeze.freeze import Frozen, freeze
from bitwright.freeze.guarantees import LayerBound, required_hyperdimensions
from bitwright.freeze.trace import FreezeError
from bitwright.freeze.twin import GridTwin

__all__ = [
    "Agreement", "FreezeError", "Frozen", "GridTwin", "LayerBound", "agreement", "correct_offsets", "freeze",
    "required_hyperdimensions",
]  # fmt: skip
