"""BiPer: the sign of a fast sine of the weight, so that a small step flips it; first the sine itself, then its sign.

Source: Vargas et al. 2024 (BiPer), arXiv:2404.01278: stage one trains with sin(omega w), omega = 20, stage two with its
sign, the gradient straight through to the sine in both.
"""

import torch

from .pair import QuantizerPair, hard_sign


def biper_weights(omega: float = 20.0, stage_two: float = 0.5) -> QuantizerPair:
    """forward(w) = sin(omega w) before the share `stage_two` of the training is done, sign(sin(omega w)) after;
    backward(w, g) = g omega cos(omega w) in both.

    `hard` is 0 in stage one, 1 in stage two. Latent weights should start well inside pi / omega.
    Raises ValueError unless omega is positive and stage_two lies in [0, 1].
    """
    if not omega > 0 or not 0 <= stage_two <= 1:
        raise ValueError(f"biper_weights: omega must be positive and stage_two in [0, 1], got {omega} and {stage_two}")
    return QuantizerPair(
        lambda x, hard: hard_sign(x) if hard >= 1 else x.clone(),
        lambda x, grad, hard: grad,
        {"hard": lambda progress: 1.0 if progress >= stage_two else 0.0},
        prepare=lambda w, hard: torch.sin(w * omega),
    )
