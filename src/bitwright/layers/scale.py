"""The positive factor behind a binary layer's integer sum: none, one number, one a channel, learned, or fixed.

"power_of_two" is IR-Net's shift, Qin et al. 2020, arXiv:1909.10788: 2^round(log2 mean |w'|) of the prepared weight.
"two_level" is AdaBin's, Tu et al. 2022, arXiv:2208.08084: weights mean +- deviation of the latent ones; the mean is
the layer's offset.

Source: Rastegari et al. 2016 (XNOR-Net), arXiv:1603.05279, Sec. 3.1: mean |w| a filter is the least-squares scale;
Zhou et al. 2016 (DoReFa), arXiv:1606.06160: one mean a layer. Here the analytic scales are detached from the gradient.
"""

import torch
from torch import Tensor, nn

STRAIGHT = "_straight"
SCALES = ("none", "tensor", "channel", "tensor_straight", "channel_straight", "learned", "power_of_two", "two_level")
TINY = 1e-12  # an all-zero weight would give scale 0, and a scale is always positive


class Scale(nn.Module):
    """mode: "none", "tensor" (mean |w|), "channel" (mean |w| an output), "learned" (an output), "power_of_two" (an
    output), "two_level" (deviation an output) or a positive number. "tensor_straight" and "channel_straight" have the
    same factor, but latent weights get the gradient of the scaled weight, not that times the factor, as DoReFa and PARQ
    have it: with SGD the published learning rates are meant for that.

    A learned scale is exp of its parameter `log_scale`, (out,), so it stays positive whatever the optimizer does.
    Raises ValueError for another mode or a number that is not positive.
    """

    def __init__(self, mode: str | float, out_channels: int):
        super().__init__()
        self.straight = False
        if isinstance(mode, int | float):
            if not 0 < float(mode) < float("inf"):
                raise ValueError(f"scale: a fixed scale must be positive and finite, got {mode}")
            self.register_buffer("fixed", torch.tensor(float(mode)))
            self.mode = "fixed"
            return
        if mode not in SCALES:
            raise ValueError(f"scale: no {mode!r}; choose one of {', '.join(SCALES)}, or a positive number")
        self.straight = mode.endswith(STRAIGHT)
        self.mode = mode.removesuffix(STRAIGHT)
        if mode == "learned":
            self.log_scale = nn.Parameter(torch.zeros(out_channels))

    def factor(self, latent_weight: Tensor) -> Tensor | None:
        """A scalar, (out,), or None for no scale. latent_weight: (out, ...); for "tensor", "channel" and "power_of_two"
        as its quantizer prepares it.
        """
        if self.mode == "none":
            return None
        if self.mode == "fixed":
            return self.fixed  # type: ignore[return-value]
        if self.mode == "learned":
            return self.log_scale.exp()
        if self.mode == "two_level":
            return latent_weight.detach().flatten(1).std(1, correction=0).clamp_min(TINY)
        size = latent_weight.detach().abs()
        if self.mode == "power_of_two":
            return torch.exp2(size.flatten(1).mean(1).clamp_min(TINY).log2().round())
        return (size.mean() if self.mode == "tensor" else size.flatten(1).mean(1)).clamp_min(TINY)
