"""FDA's noise adaptation module: a small network beside the sign that learns what the sine slope leaves out.

Training forward z = sign(t) + alpha e(t), e(t) = relu(t W1) W2 + eta(t), gradient s_n'(t) + alpha e'(t); in eval z is
the sign alone, and alpha falls to exactly 0. eta is nothing, a t or a sin(t), a = 0.1.
Source: Xu et al. 2021 (FDA-BNN), arXiv:2103.00841 (module, k = 64, a); what t is (a filter of weights, the channels of
a pixel) and alpha = 0.05 (1 + cos(pi progress)), from 0.1 to 0, follow the BiBench re-implementation.
"""

import math

import torch
from torch import Tensor, nn

from . import native_noise
from .fourier import fda
from .native_signs import SHORTCUTS
from .numbers import read_number, register_number, write_number
from .pair import Quantizer, QuantizerPair, Schedule, quantize
from .schedules import cosine


class NoiseAdaptation(nn.Module):
    """e(t) on t (..., features) -> the same shape: relu(t down) up + eta(t); no bias, weights of mean zero.

    reduction: k; the hidden width is max(1, features // k). shortcut: "none", "linear" (a t) or "sine" (a sin t).
    Raises ValueError for another shortcut.
    """

    def __init__(self, features: int, reduction: int = 64, shortcut: str = "sine", factor: float = 0.1):
        super().__init__()
        if shortcut not in SHORTCUTS:
            raise ValueError(f"NoiseAdaptation: no shortcut {shortcut!r}; choose one of {', '.join(SHORTCUTS)}")
        width = max(1, features // reduction)
        self.shortcut, self.factor = shortcut, factor
        self.down = nn.Parameter(torch.randn(features, width) / math.sqrt(features))
        self.up = nn.Parameter(torch.randn(width, features) / math.sqrt(width))

    def forward(self, t: Tensor) -> Tensor:
        return self.of(t, self.down, self.up)

    def of(self, t: Tensor, down: Tensor, up: Tensor) -> Tensor:
        """e(t) with these weights in the place of its own."""
        noise = torch.relu(t @ down.to(t.dtype)) @ up.to(t.dtype)
        if self.shortcut == "linear":
            return noise + self.factor * t
        return noise + self.factor * torch.sin(t) if self.shortcut == "sine" else noise


class NoisyFourier(Quantizer):
    """FDA with its module. features: of t, the products of one output of a weight, or the channels of an activation.

    pair: another (sign, slope) for the module to stand beside, such as sign_ste(); by default fda(**series).

    axis: 0 where x (out, ...) is a weight, whose filters are the rows of t; 1 where x (batch, channels, ...) is an
    activation, whose pixels are. alpha: a schedule, `alpha` its buffer. The rest as in `fda` and NoiseAdaptation.
    """

    alpha: Tensor

    def __init__(self, features: int, axis: int = 0, reduction: int = 64, shortcut: str = "sine", factor: float = 0.1,
                 alpha: Schedule | None = None, pair: QuantizerPair | None = None, **series: float):  # fmt: skip
        super().__init__(pair or fda(**series))  # type: ignore[arg-type]
        self.axis, self.alpha_at = axis, alpha or cosine(0.1, 0.0)
        self.noise: NoiseAdaptation | None = NoiseAdaptation(features, reduction, shortcut, factor)
        register_number(self, "alpha", float(self.alpha_at(0.0)))

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training or self.soft):
            return self.signs(x)
        alpha = read_number(self, "alpha")
        quiet = self.noise is None or (alpha == 0 and not self.training)
        if not quiet and self.axis == 1 and native_noise.takes(x, self.pair, self.noise):
            return native_noise.noisy_signs(x, self.pair, self.values(), self.noise, alpha)
        signs = quantize(x, self.pair, **self.values())
        if quiet or self.noise is None:
            return signs
        if self.axis == 0:
            noise = self.noise(x.flatten(1)).reshape(x.shape)
        else:
            noise = self.noise(x.movedim(1, -1)).movedim(-1, 1)
        return signs + alpha * noise  # also at alpha 0: distributed training wants every parameter in every step

    def set_progress(self, progress: float) -> None:
        super().set_progress(progress)
        write_number(self, "alpha", float(self.alpha_at(progress)))

    def drop_noise(self) -> None:
        """Takes the module away, for good; eval stays what it was, bit for bit."""
        self.noise = None


def fda_noise(features: int, axis: int = 0, **options) -> NoisyFourier:
    """NoisyFourier as an entry of QUANTIZERS; a layer gives `features` and `axis`."""
    return NoisyFourier(features, axis, **options)
