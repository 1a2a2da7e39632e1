"""One training iteration of a logic net, forward and backward, beside plain PyTorch forms of the same net.

The plain forms read the same wiring: `coefficients` learns four numbers a gate and is written with gathers of whole
rows, the fastest layout that plain PyTorch has; `by_hand` is that with its gradient written out (the library's own
fallback); `sixteen` evaluates all gates and mixes them by a softmax, as Petersen et al. 2022 (arXiv:2210.08277) do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from bitwright.bench.timing import Timing, interleaved, pinned, torch_threads
from bitwright.layers import LogicLinear
from bitwright.layers.gates import relaxed_gates, scatter_plan, two_input_coefficients
from bitwright.layers.parametrizations import mean_of_16
from bitwright.models import create_model

BATCH, WIDTHS, TAU = 128, (8000,) * 6, 10.0
OURS, HALF, COEFFICIENTS, BY_HAND, SIXTEEN = "bitwright", "bitwright, 16 bits", "4 coefficients", "by hand", "16 gates"
PLAIN = (COEFFICIENTS, BY_HAND)


@dataclass(frozen=True)
class IterationTimes:
    """Seconds of an iteration in each form, with so many threads."""

    threads: int
    times: dict[str, Timing]

    def ratio(self, form: str = OURS) -> float:
        """The best plain form of four coefficients over `form`."""
        return min(self.times[name].seconds for name in PLAIN) / self.times[form].seconds

    def __str__(self) -> str:
        each = ", ".join(f"{name} {timing.seconds * 1e3:.1f} ms" for name, timing in self.times.items())
        sixteen = self.times[SIXTEEN].seconds / self.times[OURS].seconds
        return (
            f"{self.ratio():.1f} x ({self.ratio(HALF):.1f} x with 16 bits between layers), {sixteen:.0f} x the mixture "
            f"of 16 gates; {each}; {self.threads} thread{'s' * (self.threads != 1)}"
        )


def forms(batch: int = BATCH, widths: tuple[int, ...] = WIDTHS) -> dict[str, Callable[[], Tensor]]:
    """Name -> an iteration from bits to gradients, returning the loss; all forms give the same one."""
    torch.manual_seed(0)
    model = create_model("logic_mlp", seed=0, shape=[784], widths=widths, thresholds=[0.5], tau=TAU).train()
    layers = [layer for layer in model.modules() if isinstance(layer, LogicLinear)]
    bits, labels = torch.randint(2, (batch, 784)).float(), torch.randint(10, (batch,))
    wirings = [layer.wiring for layer in layers]
    plans = [scatter_plan(layer.wiring, layer.in_features) for layer in layers]
    logits = [layer.tables.params for layer in layers]
    tables = [mean_of_16(numbers.detach()).requires_grad_() for numbers in logits]
    learned = [torch.cat(two_input_coefficients(table.detach()), 1).requires_grad_() for table in tables]
    every = [*logits, *tables, *learned]

    def step(scores: Tensor) -> Tensor:
        loss = F.cross_entropy(scores.float(), labels)
        for numbers in every:
            numbers.grad = None
        loss.backward()
        return loss.detach()

    def ours() -> Tensor:
        return step(model(bits))

    def half() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            scores = model(bits)
        return step(scores)

    def votes(rows: Tensor) -> Tensor:
        return rows.reshape(10, -1, batch).sum(1).t() / TAU

    def coefficients() -> Tensor:
        rows = bits.t().contiguous()
        for (first, second), numbers in zip(wirings, learned, strict=True):
            a, b = rows.index_select(0, first), rows.index_select(0, second)
            c0, ca, cb, cab = numbers.t().unsqueeze(2)
            rows = torch.addcmul(c0, ca, a) + b * torch.addcmul(cb, cab, a)
        return step(votes(rows))

    def by_hand() -> Tensor:
        rows = bits.t().contiguous()
        for wiring, table, plan in zip(wirings, tables, plans, strict=True):
            rows = relaxed_gates(rows, table, wiring, plan)
        return step(votes(rows))

    def sixteen() -> Tensor:
        x = bits
        for (first, second), numbers in zip(wirings, logits, strict=True):
            a, b, p = x[:, first], x[:, second], numbers.softmax(1)
            ab = a * b
            gates = (
                0 * a, ab, a - ab, a, b - ab, b, a + b - 2 * ab, a + b - ab,
                1 - (a + b - ab), 1 - (a + b - 2 * ab), 1 - b, 1 - b + ab, 1 - a, 1 - a + ab, 1 - ab, 0 * a + 1,
            )  # fmt: skip
            x = sum((p[:, i] * gate for i, gate in enumerate(gates)), start=torch.zeros_like(a))
        return step(votes(x.t()))

    return {OURS: ours, HALF: half, COEFFICIENTS: coefficients, BY_HAND: by_hand, SIXTEEN: sixteen}


def time_iteration(threads: int = 1, rounds: int = 9) -> IterationTimes:
    """All forms, interleaved, on the same cores."""
    with pinned(threads), torch_threads(threads):
        return IterationTimes(threads, interleaved(forms(), rounds=rounds))


if __name__ == "__main__":
    for n in (1, 2):
        print(time_iteration(n))
