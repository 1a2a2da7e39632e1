"""A trained model becomes a Program: pending chains, thresholds, the fixed-point grid and its twin, and the agreement
report.
"""

from bitwright.freeze.agreement import Agreement, agreement
from bitwright.freeze.allocate import Sensitivity, allocate_dimensions, sensitivities
from bitwright.freeze.allocate_accuracy import dimensions_for_accuracy
from bitwright.freeze.correct_offsets import correct_offsets
from bitwright.freeze.freeze import Frozen, freeze
from bitwright.freeze.guarantees import LayerBound, guaranteed_errors, required_hyperdimensions
from bitwright.freeze.refit_codes import refit_codes
from bitwright.freeze.trace import FreezeError
from bitwright.freeze.tune_codes import tune_codes
from bitwright.freeze.twin import GridTwin

__all__ = [
    "Agreement", "FreezeError", "Frozen", "GridTwin", "LayerBound", "Sensitivity", "agreement", "allocate_dimensions",
    "correct_offsets", "dimensions_for_accuracy", "freeze", "guaranteed_errors", "refit_codes",
    "required_hyperdimensions", "sensitivities", "tune_codes",
]  # fmt: skip
