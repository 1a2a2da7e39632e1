"""The parts of one optimizer step: device, optimizer, seeds, loss, latent clipping, batch norm refresh."""

import os
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from ..layers import BinaryConv2d, BinaryLinear, LogicRestarts
from .recipe import Recipe


def pick_device(name: str) -> torch.device:
    """ "auto": CUDA, else the CPU. Raises ValueError for CUDA where there is none, and for Apple's MPS, which has no
    float64: progress and sums of losses are kept in it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("mps"):
        raise ValueError(f"device: {name!r} has no float64, which training needs; use device='cpu' or 'auto'")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"device: {name!r} asked for, but this torch sees no CUDA device; use device='cpu' or 'auto'")
    if name == "cuda" and "LOCAL_RANK" in os.environ:  # torchrun: a device for each process
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    return torch.device(name)


def generator(*numbers: int) -> Generator:
    """A CPU generator seeded by all the numbers; the same numbers give the same stream, so it need not be saved."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1))


def loss_of(scores: Tensor, labels: Tensor, teacher_scores: Tensor | None, recipe: Recipe) -> Tensor:
    """Cross-entropy with the labels, mixed with KL to the teacher when there is one.

    scores: (batch, classes), or (batch, networks, classes): the sum of the losses of networks that share nothing.
    Source of the mixture: Hinton, Vinyals, Dean 2015, arXiv:1503.02531, Sec. 2; temperature^2 keeps the gradients'
    size. Raises ValueError for a teacher with scores of another shape.
    """
    if teacher_scores is not None and teacher_scores.shape != scores.shape:
        given, wanted = tuple(teacher_scores.shape), tuple(scores.shape)
        raise ValueError(f"distill: the teacher's scores have shape {given}, the network's {wanted}; make them agree")
    if scores.dim() == 3:
        n_networks = scores.shape[1]
        scores, labels = scores.flatten(0, 1), labels.repeat_interleave(n_networks)
        return n_networks * F.cross_entropy(scores, labels, label_smoothing=recipe.label_smoothing)
    loss = F.cross_entropy(scores, labels, label_smoothing=recipe.label_smoothing)
    if teacher_scores is None:
        return loss
    heat, weight = recipe.distill.temperature, recipe.distill.weight
    soft = F.log_softmax(teacher_scores / heat, 1)
    apart = F.kl_div(F.log_softmax(scores / heat, 1), soft, log_target=True, reduction="batchmean")
    return (1 - weight) * loss + weight * heat * heat * apart


@torch.no_grad()
def settle_restarts(model: nn.Module, x: Tensor, labels: Tensor, batch_size: int = 512) -> None:
    """Modules that hold networks to choose from choose by these examples."""
    for module in [module for module in model.modules() if isinstance(module, LogicRestarts)]:
        module.settle(_inputs_of(module, model.eval(), x.split(batch_size)), labels)


def _inputs_of(module: nn.Module, model: nn.Module, parts: Sequence[Tensor]) -> Tensor:
    """What the module gets to read when the model reads these parts."""
    seen: list[Tensor] = []
    handle = module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for part in parts:
        model(part.float())
    handle.remove()
    return torch.cat(seen)


def latent_weights(model: nn.Module) -> list[nn.Parameter]:
    return [m.weight for m in model.modules() if isinstance(m, BinaryLinear | BinaryConv2d)]


@torch.no_grad()
def clip_latent(weights: list[nn.Parameter], clip: float) -> None:
    for weight in weights:
        weight.clamp_(-clip, clip)


@torch.no_grad()
def refresh_batchnorm(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Batch norm statistics become the plain average over the batches, under the present weights."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for a cumulative average
    model.train()
    for batch in batches:
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def data_mark(x: np.ndarray, y: np.ndarray) -> str:
    """A short name for the training data: shape and a checksum."""
    check = 0
    for array in (x, y):
        check = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), check)
    return f"{x.dtype}{x.shape}:{check:08x}"
