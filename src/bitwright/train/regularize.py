"""BNN+'s regulariser: latent weights are pulled to two values, +-alpha of their layer.

Source: Darabi et al. 2018 (BNN+), arXiv:1812.11800, has such a term with an alpha that is trained. The form is ours:
the mean over a layer of |alpha - |w|| or of its square, alpha at every step the value that training it would tend to,
the median of |w| for the first and the mean for the second.
"""

from collections.abc import Iterable

import torch
from torch import Tensor


def pull_to_two_values(weights: Iterable[Tensor], power: int) -> Tensor:
    """Sum over the weights of mean |alpha - |w||^power, alpha without gradient. power: 1 or 2, else ValueError."""
    if power not in (1, 2):
        raise ValueError(f"regularize: power is {power}, expected 1 (absolute distance) or 2 (its square)")
    terms = []
    for weight in weights:
        size = weight.abs()
        alpha = (size.median() if power == 1 else size.mean()).detach()
        terms.append((alpha - size).abs().pow(power).mean())
    return torch.stack(terms).sum() if terms else torch.zeros(())
