"""Theory of (forward, backward) pairs as a tool: check_pair, synthesize, plus, closed forms of our own table."""

from .check import check_pair
from .report import Decomposition, Failure, PairReport
from .synthesize import (
    MonotoneMap,
    SmoothMap,
    by_autograd,
    identity_map,
    odd_polynomial,
    piecewise_affine_map,
    plus,
    sign_map,
    soft_threshold_map,
    synthesize,
)
from .table import BOUNDS, CLOSED_FORMS, ClosedForm, scalar_pair

__all__ = [
    "BOUNDS", "CLOSED_FORMS", "ClosedForm", "Decomposition", "Failure", "MonotoneMap", "PairReport", "SmoothMap",
    "by_autograd", "check_pair", "identity_map", "odd_polynomial", "piecewise_affine_map", "plus", "scalar_pair",
    "sign_map", "soft_threshold_map", "synthesize",
]  # fmt: skip
