"""What the projection to signs costs: accuracy with each quantizer's own forward beside that of the signs that ship."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from torch import nn

from ..quantizers import NoisyFourier, Quantizer, hard_sign
from .metrics import evaluate


def relaxed_quantizers(model: nn.Module) -> list[Quantizer]:
    """Those whose forward in training need not be a sign: BNN++, PARQ, a noise module that still speaks."""

    def relaxed(quantizer: Quantizer) -> bool:
        speaks = isinstance(quantizer, NoisyFourier) and quantizer.noise is not None
        return speaks or quantizer.pair.forward is not hard_sign

    return [module for module in model.modules() if isinstance(module, Quantizer) and relaxed(module)]


@contextmanager
def soft_forward(model: nn.Module) -> Iterator[None]:
    """Inside, eval uses each quantizer's forward at the present schedules instead of the sign."""
    quantizers = relaxed_quantizers(model)
    for quantizer in quantizers:
        quantizer.soft = True
    try:
        yield
    finally:
        for quantizer in quantizers:
            del quantizer.soft


def soft_accuracy(model: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    """Percent of x classified as y says with the relaxed forwards, in eval otherwise; nan for an empty x."""
    with soft_forward(model):
        return evaluate(model, x, y)
