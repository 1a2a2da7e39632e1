"""Weight codes of an embedded network's last layers, trained straight through their signs.

The projections stay as they are, and so does everything before the trained layers. What was an embedding without
training becomes a binary network with fixed random projections: no longer "no training", but the same Program with
other bits. `refit_codes` is the other way to train them.
Source: G-Net, NeurIPS 2025, arXiv:2511.21063 (refit of the last layer's codes); straight-through: Hubara et al. 2016,
arXiv:1602.02830.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bitwright.data.progress import Progress
from bitwright.freeze.tail import TailNet, find_tail, stored_values
from bitwright.freeze.tail_steps import weight_signs
from bitwright.ir import Program
from bitwright.ir.checker import infer

Report = Callable[[int, float], object]


def tune_codes(
    program: Program, x: np.ndarray, y: np.ndarray, layers: int = 1, epochs: int = 5, lr: float = 3e-3, seed: int = 0,
    batch_size: int = 128, reach: float = 2.0, progress: Report | None = None,
) -> Program:  # fmt: skip
    """A Program with other weight codes in its last `layers` embedded layers, trained on (x, y) with cross-entropy.

    x, y: training samples and labels as the Program takes them. layers: counted from the head; with convolutions among
    them projections are made anew in every batch, which costs what the Program's own cost in float32, three times.
    reach: a sign between tuned layers passes its gradient up to so many standard deviations from its threshold.
    progress: called with (epoch, mean loss). Raises ValueError for layers that are not there, and samples and labels
    that do not go together; ProgramError where something between the layers has no gradient.
    """
    tail = find_tail(program, layers, "tune_codes")
    labels = checked_labels("tune_codes", program, x, y, epochs)
    net = TailNet(program, tail, weight_signs, reach)
    scatter(net.latent, seed)
    train_tail(net, net.block, stored_values(program, tail.start, x), labels, epochs, lr, seed, batch_size, progress)
    return with_codes(program, net.codes(), {"tuned_layers": layers})


def scatter(latent: Iterable[Tensor], seed: int) -> None:
    """Numbers of one size are moved, in place, to random distances from 0 of that mean, each on its own side.

    From equal distances no code would change for many steps, and then very many at once.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for w in latent:
            w *= 2 * (1 - torch.rand(w.shape, generator=generator))  # above 0


def checked_labels(who: str, program: Program, x: np.ndarray, y: np.ndarray, epochs: int) -> Tensor:
    """int64 labels. Raises ValueError if they are not the samples', or the Program's classes."""
    classes = program.n_classes
    if not len(x) or len(x) != len(y) or epochs < 1 or not 0 <= int(np.min(y)) <= int(np.max(y)) < classes:
        raise ValueError(
            f"{who}: {len(x)} samples, {len(y)} labels, {epochs} epochs; expected as many labels, 0 to {classes - 1}, "
            "as samples, and at least one of all"
        )
    return torch.from_numpy(np.asarray(y, np.int64))


def train_tail(
    net: nn.Module, block: int, stored: Tensor, labels: Tensor, epochs: int, lr: float, seed: int, batch_size: int,
    report: Report | None = None,
) -> None:  # fmt: skip
    """Adam and a cosine of its rate on batches of stored values; `block` samples at a time, their gradients added."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(stored) // batch_size))
    with Progress(f"training codes, {len(stored):,} samples an epoch", epochs * len(stored)) as bar:
        for epoch in range(epochs):
            losses = []
            for rows in torch.randperm(len(stored), generator=generator).split(batch_size):
                optimizer.zero_grad()
                total = 0.0
                for part in rows.split(block):
                    loss = F.cross_entropy(net(stored[part]), labels[part], reduction="sum") / len(rows)
                    loss.backward()
                    total += float(loss.detach())
                    bar.advance(len(part))
                optimizer.step()
                schedule.step()
                losses.append(total)
            if report is not None:
                report(epoch, float(np.mean(losses)))


def with_codes(program: Program, codes: Mapping[int, np.ndarray], header: dict[str, Any]) -> Program:
    """The Program with other weights in the sums of these numbers, and more in its header."""
    ops = list(program.ops)
    for number, w in codes.items():
        ops[number] = replace(ops[number], consts={**ops[number].consts, "w": w})
    return Program(tuple(ops), infer(ops), {**program.header, **header})
