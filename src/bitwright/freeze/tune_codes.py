"""Weight codes of an embedded network's last layers, trained: head refit, and straight-through tuning.

The projections stay as they are, and so does everything before: its codes of the training samples are computed once by
the Program itself. A head alone (layers=1) is a linear classifier on codes whose signs are kept; with more layers the
codes between are recomputed, and signs pass their gradient where they are near the threshold. What was an embedding
without training becomes a binary network with fixed random projections: no longer "no training", but the same Program.
Source: G-Net, NeurIPS 2025, arXiv:2511.21063 (refit of the last layer); straight-through: Hubara et al. 2016,
arXiv:1602.02830.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bitwright.freeze.embedded import is_agreement
from bitwright.freeze.projection import Projection
from bitwright.ir import Builder, Program, ProgramError
from bitwright.ir.checker import infer
from bitwright.ir.ops import CHOICES
from bitwright.ir.program import Op
from bitwright.quantizers import hard_sign


@dataclass(frozen=True)
class _Tail:
    """Operations from the codes that the first tuned layer reads to the scores; sums: numbers of its xnor_linear."""

    first: int
    sums: list[int]


def tune_codes(
    program: Program, x: np.ndarray, y: np.ndarray, layers: int = 1, epochs: int = 5, lr: float = 1e-3, seed: int = 0,
    batch_size: int = 128, reach: float = 2.0, progress: Callable[[int, float], object] | None = None,
) -> Program:  # fmt: skip
    """A Program with other weight codes in its last `layers` linear layers, trained on (x, y) with cross-entropy.

    x, y: training samples and labels as the Program takes them. reach: a sign between tuned layers passes its
    gradient up to so many standard deviations from its threshold. progress: called with (epoch, mean loss).
    Raises ValueError for fewer than one layer, more linear embedded layers than there are, and samples and labels that
    do not go together; ProgramError where something between the layers has no gradient.
    """
    tail = _find_tail(program, layers)
    classes = program.types[-1].shape[0]
    if not len(x) or len(x) != len(y) or epochs < 1 or not 0 <= int(np.min(y)) <= int(np.max(y)) < classes:
        raise ValueError(
            f"tune_codes: {len(x)} samples, {len(y)} labels, {epochs} epochs; expected as many labels, 0 to "
            f"{classes - 1}, as samples, and at least one of all"
        )
    codes = _codes(program, tail.first, x)
    torch_generator = torch.Generator().manual_seed(seed)
    net = _TailNet(program, tail, reach)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    labels = torch.from_numpy(np.asarray(y, np.int64))
    steps = epochs * -(-len(x) // batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in range(epochs):
        losses = []
        order = torch.randperm(len(x), generator=torch_generator)
        for rows in order.split(batch_size):
            loss = F.cross_entropy(net(2.0 * codes[rows].float() - 1), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if progress is not None:
            progress(epoch, float(np.mean(losses)))
    ops = list(program.ops)
    for number, latent in zip(tail.sums, net.latent):
        ops[number] = replace(ops[number], consts={"w": (latent.detach() >= 0).numpy().astype(np.uint8)})
    return Program(tuple(ops), infer(ops), {**program.header, "tuned_layers": layers})


def _find_tail(program: Program, layers: int) -> _Tail:
    sums = [i for i, op in enumerate(program.ops) if op.name == "xnor_linear" and is_agreement(program, op)]
    if layers < 1 or layers > len(sums):
        raise ValueError(
            f"tune_codes: layers is {layers}; this Program has {len(sums)} linear layers behind a projection, and "
            "convolutions are not tuned"
        )
    return _Tail(program.ops[sums[-layers]].inputs[0], sums[-layers:])


def _codes(program: Program, number: int, x: np.ndarray) -> Tensor:
    """Bits of value `number`, uint8 (n, N), by the fastest backend: the Program cut off behind it."""
    ops = list(program.ops[: number + 1])
    builder = Builder()
    builder.ops, builder.types = ops, list(program.types[: number + 1])
    last = builder.add_op("to_int", [_value(builder, number)], {"mode": CHOICES["mode"].index("bits")})
    return torch.from_numpy(builder.finish(last).run(x).astype(np.uint8))


def _value(builder: Builder, number: int):
    from bitwright.ir import Value

    return Value(number, builder.types[number])


class _TailNet(nn.Module):
    """The tail's operations on real numbers with straight-through signs. Input: codes as signs, (batch, N)."""

    def __init__(self, program: Program, tail: _Tail, reach: float):
        super().__init__()
        self.program, self.tail, self.reach = program, tail, reach
        codes = [2.0 * program.ops[i].consts["w"].astype(np.float32) - 1 for i in tail.sums]
        self.latent = nn.ParameterList(nn.Parameter(torch.from_numpy(0.1 * c)) for c in codes)
        self.heat = nn.Parameter(torch.tensor(float(np.log(20.0 / codes[-1].shape[1]))))
        self.projections = {i: _projection(program, i) for i in range(tail.first + 1, len(program.ops))
                            if program.ops[i].name == "project"}  # fmt: skip

    def forward(self, signs: Tensor) -> Tensor:
        values: dict[int, Tensor] = {self.tail.first: signs}
        for i in range(self.tail.first + 1, len(self.program.ops)):
            op = self.program.ops[i]
            values[i] = self._step(i, op, values[op.inputs[0]])
        return values[len(self.program.ops) - 1] * self.heat.exp()

    def _step(self, i: int, op: Op, x: Tensor) -> Tensor:
        if op.name == "xnor_linear":
            return F.linear(x, _pass_through(self.latent[self.tail.sums.index(i)], 1.0))
        if op.name == "int_linear":
            return F.linear(x, torch.from_numpy(op.consts["w"].astype(np.float32)))
        if op.name == "add" and "b" in op.consts:
            return x + torch.from_numpy(op.consts["b"].astype(np.float32))
        if op.name == "clip":
            return x.clamp(op.attrs["lo"], op.attrs["hi"])
        if op.name == "affine":
            mul, add, shift = (torch.from_numpy(op.consts[k].astype(np.float32)) for k in ("mul", "add", "shift"))
            exact = (x * mul + add) / 2**shift
            return exact + (exact.floor() - exact).detach()
        if op.name == "threshold":
            t = torch.from_numpy(op.consts["t"].astype(np.float32)).flatten()
            turned = 1 - 2 * torch.from_numpy(op.consts["flip"].astype(np.float32))
            return self._sign(x - t + 0.25) * turned  # a quarter: sums are integers, equality is +1
        if op.name == "project":
            matrix, limit = self.projections[i]
            return self._sign(x @ matrix.T - limit)
        if op.name in ("output", "reshape"):
            return x
        raise ProgramError(f"tune_codes: {op.name} stands between the layers that are tuned; tune fewer layers")

    def _sign(self, x: Tensor) -> Tensor:
        return _pass_through(x, self.reach * float(x.detach().std()))


def _pass_through(x: Tensor, reach: float) -> Tensor:
    """Signs of x; the gradient goes through where |x| <= reach, divided by it."""
    soft = (x / max(reach, 1e-9)).clamp(-1, 1)
    return soft + (hard_sign(x.detach()) - soft).detach()


def _projection(program: Program, number: int) -> tuple[Tensor, Tensor]:
    """(rows, thresholds) of a project, float32."""
    op = program.ops[number]
    n_out, p = program.types[number].shape[0], program.types[op.inputs[0]].shape[0]
    kind, seed = CHOICES["kind"][op.attrs["kind"]], op.attrs["seed"] & ((1 << 64) - 1)
    rows = Projection(kind, n_out, p, seed, op.attrs["layer"], op.attrs["rounds"]).matrix().float()
    limit = op.consts["t"].astype(np.float32) if "t" in op.consts else np.zeros(n_out, np.float32)
    return rows, torch.from_numpy(limit)
