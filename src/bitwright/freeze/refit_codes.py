"""Weight codes as signs of real weights that were trained on the codes of inputs: the paper's refit, layer by layer.

The head, as in the paper: everything before it is frozen, its codes of the training samples are made once, real
weights that start at random learn their classes from logits / sqrt(N), and their signs are the new codes. A layer
before it is refit the same way through what follows, which stays as it is: its real weights start at its own codes,
and each row keeps a mean size of 1, as a code has, since the codes after it expect sums of that size. Layers are refit
one after another, first to last, so that each learns on the bits that those before it really send; all of them at once
would learn on sums that no Program makes. Signs are taken at the end and no gradient knows of them: `tune_codes`
trains through the signs instead.
Source: G-Net, NeurIPS 2025, arXiv:2511.21063, and its published code, which refits the last layer; the layers before
it are worked out here.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bitwright.freeze.tail import Tail, TailNet, find_tail, stored_values
from bitwright.freeze.tune_codes import Report, checked_labels, train_tail, with_codes
from bitwright.ir import Program
from bitwright.ir.checker import infer


def refit_codes(
    program: Program, x: np.ndarray, y: np.ndarray, layers: int = 1, epochs: int = 20, lr: float = 1e-3, seed: int = 0,
    batch_size: int = 128, progress: Report | None = None,
) -> Program:  # fmt: skip
    """A Program with other weight codes in its last `layers` embedded layers, each trained alone as real weights.

    x, y: training samples and labels as the Program takes them. epochs: of each layer. The paper's head takes layers=1,
    epochs=100, lr=1e-4, batch_size=420, and no cosine of the rate. Offsets that were corrected behind the head were of
    its old codes; they become 0. progress: called with (epoch, mean loss), epochs counted over all layers. Raises as
    `tune_codes`.
    """
    find_tail(program, layers, "refit_codes")
    labels = checked_labels("refit_codes", program, x, y, epochs)
    for done, left in enumerate(range(layers, 0, -1)):

        def report(epoch: int, loss: float, before: int = done * epochs) -> None:
            if progress is not None:
                progress(before + epoch, loss)

        tail = find_tail(program, left, "refit_codes")
        tail = Tail(tail.start, tail.sums[:1])
        stored = stored_values(program, tail.start, x)
        net = _RealHead(program, tail, seed) if left == 1 else TailNet(program, tail, unit_rows)
        train_tail(net, net.block, stored, labels, epochs, lr, seed, batch_size, report)
        program = with_codes(program, net.codes(), {"refit_layers": layers})
    return _without_old_offsets(program)


def unit_rows(latent: Tensor) -> Tensor:
    """Rows of mean absolute value 1, of which signs are the nearest codes."""
    return latent / latent.abs().mean(1, keepdim=True)


class _RealHead(nn.Module):
    """Codes of inputs (batch, N) -> logits, a real weight for each bit, from Xavier's uniform start."""

    def __init__(self, program: Program, tail: Tail, seed: int):
        super().__init__()
        (self.sum,), (classes, n) = tail.sums, program.ops[tail.sums[0]].consts["w"].shape
        self.weight, self.block = nn.Parameter(torch.empty(classes, n)), 1 << 16
        nn.init.xavier_uniform_(self.weight, generator=torch.Generator().manual_seed(seed))

    def forward(self, stored: Tensor) -> Tensor:
        signs = 2 * stored.float() - 1
        return F.linear(signs, self.weight) / stored.shape[1] ** 0.5

    def codes(self) -> dict[int, np.ndarray]:
        return {self.sum: (self.weight.detach() >= 0).numpy().astype(np.uint8)}


def _without_old_offsets(program: Program) -> Program:
    head = find_tail(program, 1, "refit_codes").sums[0]
    ops = list(program.ops)
    for number in range(head + 1, len(ops)):
        if "b" in ops[number].consts:
            ops[number] = replace(ops[number], consts={"b": np.zeros_like(ops[number].consts["b"])})
    return Program(tuple(ops), infer(ops), program.header)
