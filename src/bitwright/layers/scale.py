"""The positive factor behind a binary layer's integer sum: none, one number, one a channel, learned, or fixed.

Source: Rastegari et al. 2016 (XNOR-Net), arXiv:1603.05279, Sec. 3.1: mean |w| a filter is the least-squares scale;
Zhou et al. 2016 (DoReFa), arXiv:1606.06160: one mean a layer. Here the analytic scales are detached from the gradient.
"""

import torch
from torch import Tensor, nn

SCALES = ("none", "tensor", "channel", "learned")
TINY = 1e-12  # an all-zero weight would give scale 0, and a scale is always positive


class Scale(nn.Module):
    """mode: "none", "tensor" (mean |w|), "channel" (mean |w| an output), "learned" (an output), or a positive number.

    A learned scale is exp of its parameter `log_scale`, (out,), so it stays positive whatever the optimizer does.
    Raises ValueError for another mode or a number that is not positive.
    """

    def __init__(self, mode: str | float, out_channels: int):
        super().__init__()
        if isinstance(mode, int | float):
            if not 0 < float(mode) < float("inf"):
                raise ValueError(f"scale: a fixed scale must be positive and finite, got {mode}")
            self.register_buffer("fixed", torch.tensor(float(mode)))
            self.mode = "fixed"
            return
        if mode not in SCALES:
            raise ValueError(f"scale: no {mode!r}; choose one of {', '.join(SCALES)}, or a positive number")
        self.mode = mode
        if mode == "learned":
            self.log_scale = nn.Parameter(torch.zeros(out_channels))

    def factor(self, latent_weight: Tensor) -> Tensor | None:
        """A scalar, (out,), or None for no scale."""
        if self.mode == "none":
            return None
        if self.mode == "fixed":
            return self.fixed  # type: ignore[return-value]
        if self.mode == "learned":
            return self.log_scale.exp()
        size = latent_weight.detach().abs()
        return (size.mean() if self.mode == "tensor" else size.flatten(1).mean(1)).clamp_min(TINY)
