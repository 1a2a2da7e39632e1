"""The latent weight as it stands in training, its sign in eval: full precision, or whatever an optimizer puts there.

ProxConnect's updates place weights at P(w) or T(P(w)) themselves (train/proximal.py); a layer then uses them unchanged.
"""

from torch import Tensor

from .pair import QuantizerPair


def as_it_is(x: Tensor) -> Tensor:
    return x


def latent() -> QuantizerPair:
    """forward(w) = w;  backward(w, g) = g."""
    return QuantizerPair(as_it_is, lambda x, grad: grad)
