"""Activations of two learned levels, centre +- reach: AdaBin's, one pair of numbers a layer.

Source: Tu et al. 2022 (AdaBin), arXiv:2208.08084. Convention here: levels are centre - reach and centre + reach in the
unit of x, the upper one where x >= centre.
"""

import torch
from torch import Tensor, nn

from ..ir import lower
from ..quantizers import make_quantizer
from .binary import QuantizerLike


class TwoLevel(nn.Module):
    """reach * sign((x - centre) / reach) + centre, any shape; both learned, reach = exp(log_reach) positive.

    The gradients are those of the formula with the quantizer's surrogate for the sign.
    """

    def __init__(self, quantizer: QuantizerLike = "ste"):
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(()))
        self.log_reach = nn.Parameter(torch.zeros(()))
        self.quantizer = make_quantizer(quantizer, axis=1)

    def forward(self, input: Tensor) -> Tensor:
        reach = self.log_reach.exp()
        if not self.training:
            return self.quantizer(input - self.centre) * reach + self.centre
        return self.quantizer((input - self.centre) / reach) * reach + self.centre


@lower.register
def _(layer: TwoLevel, x):
    reach, centre = layer.log_reach.detach().exp(), layer.centre.detach()
    signs = x.affine(lambda v: v - centre, 1.0, -centre).sign()
    return signs.affine(lambda v: v * reach + centre, reach, centre)
