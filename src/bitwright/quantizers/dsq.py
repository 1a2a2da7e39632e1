"""DSQ for one bit: sign forward, the gradient that of a scaled tanh whose sharpness is learned.

Source: Gong et al. 2019 (DSQ), arXiv:1908.05033; the one-bit case written out here: on [-1, 1],
phi(x) = tanh(k x) / (1 - alpha), k = ln(2 / alpha - 1) / 2, so that phi(+-1) = +-1; alpha in (0, 1/2] is learned and
smaller is sharper. Nothing passes beyond |x| = 1.
"""

import torch
from torch import Tensor, nn

from .pair import Quantizer, QuantizerPair, hard_sign

LEAST, MOST = 1e-3, 0.5


def dsq_curve(x: Tensor, alpha: Tensor) -> Tensor:
    """phi on x clamped to [-1, 1]; differentiable in both."""
    k = torch.log(2 / alpha - 1) / 2
    return torch.tanh(k * x.clamp(-1, 1)) / (1 - alpha)


class DSQ(Quantizer):
    """Training: forward hard sign, the gradients to x and alpha those of phi. Eval: hard sign.

    alpha: its start. The parameter `alpha` is clamped to [0.001, 0.5] where it is used. Raises ValueError beyond.
    """

    def __init__(self, alpha: float = 0.2):
        if not LEAST <= alpha <= MOST:
            raise ValueError(f"DSQ: alpha must lie in [{LEAST}, {MOST}], got {alpha}")
        super().__init__(QuantizerPair(hard_sign, lambda x, grad: grad * self.slope(x)))
        self.alpha = nn.Parameter(torch.tensor(float(alpha)))

    def slope(self, x: Tensor) -> Tensor:
        """phi'(x) at the present alpha, without gradient."""
        alpha = self.alpha.detach().clamp(LEAST, MOST).to(x.dtype)
        k = torch.log(2 / alpha - 1) / 2
        return torch.where(x.abs() <= 1, k * (1 - torch.tanh(k * x) ** 2) / (1 - alpha), torch.zeros_like(x))

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training or self.soft):
            return self.signs(x)
        soft = dsq_curve(x, self.alpha.clamp(LEAST, MOST).to(x.dtype))
        return hard_sign(soft) + (soft - soft.detach())  # the bracket is exactly 0
