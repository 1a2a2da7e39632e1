"""A quantizer is a (forward, backward) pair, and `Quantizer` is the module that puts one into a network.

Source of the framework: Lu et al. 2023 (PC++), arXiv:2402.17710: the forward map and the backward map are chosen apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from . import native_signs
from .numbers import read_number, register_number, write_number

Schedule = Callable[[float], float]  # progress of training in [0, 1] -> value; schedule(1.0) is exactly the end value


def hard_sign(x: Tensor, **values: float) -> Tensor:
    """+1 where x >= 0, else -1, in x's shape and dtype. Zero (also -0.0) gives +1, nan gives -1.

    values: of a pair's schedules, not used, so that hard_sign can be the forward of any pair.
    """
    if native_signs.takes(x):
        return torch.ops.bitwright.sign_pass(x, None, None, native_signs.SIGN)[0]
    signs = torch.ge(x, 0, out=torch.empty_like(x, requires_grad=False))  # 1 or 0, without a detour over bool
    return signs.mul_(2).sub_(1)


@dataclass(frozen=True)
class QuantizerPair:
    """forward(x, **values) and backward(x, grad, **values), both of x's shape and dtype.

    schedules: name -> schedule of a number both maps receive by that name, for instance `sharpness`. A pair without
        schedules is called as forward(x) and backward(x, grad).
    prepare: prepare(x, **values), of x's shape, comes before both maps and has autograd's own derivative: for weights
        that are standardised, for instance, a filter being one index of axis 0. None is the identity.
    In evaluation every pair is the hard sign of the prepared x: what is measured is what ships.
    """

    forward: Callable[..., Tensor]
    backward: Callable[..., Tensor]
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    prepare: Callable[..., Tensor] | None = None

    def values_at(self, progress: float) -> dict[str, float]:
        """Each schedule's value at `progress` in [0, 1]."""
        return {name: schedule(progress) for name, schedule in self.schedules.items()}


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, pair: QuantizerPair, values: dict[str, float]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.pair, ctx.values = pair, values
        return pair.forward(x, **values)

    @staticmethod
    def backward(ctx, *grads: Tensor):
        (x,) = ctx.saved_tensors
        return ctx.pair.backward(x, grads[0], **ctx.values), None, None


def quantize(x: Tensor, pair: QuantizerPair, **values: float) -> Tensor:
    """pair.forward(x) whose gradient is pair.backward.

    values: one number for each of the pair's schedules. Raises ValueError where they are others.
    """
    if values.keys() != pair.schedules.keys():
        wanted = ", ".join(pair.schedules) or "none"
        raise ValueError(f"quantize: got values of {', '.join(values) or 'none'}, the pair's schedules are {wanted}; "
                         "pass **pair.values_at(progress)")  # fmt: skip
    return _Apply.apply(x, pair, values)  # type: ignore[return-value]


class Quantizer(nn.Module):
    """A pair inside a network: the pair while training, the hard sign in eval.

    Every schedule's current value is a float64 buffer of that name, so it is saved with the weights. `set_progress`
    moves all of them; nobody else writes them.
    """

    soft = False  # True: eval uses the pair's forward too; only to measure what the projection to signs costs

    def __init__(self, pair: QuantizerPair):
        super().__init__()
        self.pair = pair
        for name, schedule in pair.schedules.items():
            register_number(self, name, float(schedule(0.0)))

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training or self.soft):
            return self.signs(x)
        return quantize(self.prepared(x), self.pair, **self.values())

    def prepared(self, x: Tensor) -> Tensor:
        """What the sign is taken of: x itself, or the pair's `prepare` of it."""
        return x if self.pair.prepare is None else self.pair.prepare(x, **self.values())

    def signs(self, x: Tensor) -> Tensor:
        """What ships for x: -1 or +1, in x's shape and dtype, without gradient."""
        return hard_sign(self.prepared(x.detach()))

    def values(self) -> dict[str, float]:
        """The present value of each schedule."""
        return {name: read_number(self, name) for name in self.pair.schedules}

    def set_progress(self, progress: float) -> None:
        """Moves each schedule to `progress`, the share of the training that is done, 0..1; 1 is exactly its end."""
        for name, schedule in self.pair.schedules.items():
            write_number(self, name, float(schedule(progress)))


def set_progress(model: nn.Module, progress: float) -> None:
    """Moves the schedules of every quantizer, and of every module with a `set_progress` of its own, in `model`.

    Raises ValueError unless 0 <= progress <= 1.
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"set_progress: progress is a share of the training in [0, 1], got {progress}")
    for module in model.modules():
        if callable(move := getattr(module, "set_progress", None)):
            move(progress)
