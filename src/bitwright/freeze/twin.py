"""The grid twin: the same torch model, its eval forward using only what a Program can say.

In eval mode it computes value by value what the Program should compute, from the model's own modules wherever the
model is exact. In training mode it is the model with its real-valued streams rounded to the grid (straight-through
gradient), so it can be fine-tuned; freeze the model again afterwards.
"""

from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import map_aggregate

from bitwright.freeze.emitter import TwinStep


class _Rounding(fx.Interpreter):
    """Runs the model's graph and rounds what freezing put on the grid: the inputs of the nodes in `closings`."""

    def __init__(self, graph: fx.GraphModule, closings: set[str], fraction_bits: int, stream_bits: int):
        super().__init__(graph)
        self.closings, self.unit, self.limit = closings, 2.0**-fraction_bits, 2.0 ** (stream_bits - 1)

    def fetch_args_kwargs_from_env(self, n: fx.Node) -> Any:
        args, kwargs = super().fetch_args_kwargs_from_env(n)
        if (str(n.target) if n.op == "call_module" else n.name) in self.closings:
            args = map_aggregate(args, self._on_grid)
        return args, kwargs

    def _on_grid(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        grid = (x / self.unit).round().clamp(-self.limit, self.limit - 1) * self.unit
        return x + (grid - x).detach()


class GridTwin(nn.Module):
    """x: (batch, *input shape), raw integers as floats -> (batch, classes) scores in the model's unit.

    fraction_bits, stream_bits: the grid. In eval mode all arithmetic is float64 on integers, exact.
    """

    def __init__(self, graph: fx.GraphModule, steps: list[TwinStep], score_scale: float, closings: set[str],
                 fraction_bits: int, stream_bits: int):  # fmt: skip
        super().__init__()
        self.model = graph
        self.steps, self.score_scale, self.closings = steps, score_scale, closings
        self.fraction_bits, self.stream_bits = fraction_bits, stream_bits

    def values(self, x: Tensor) -> dict[int, Tensor]:
        """Every value by its number in the Program, float64: ints as they are, bits as 0 and 1."""
        found: dict[int, Tensor] = {0: x.double()}
        with torch.no_grad():
            for step in self.steps:
                found[step.number] = step.function(*(found[i] for i in step.inputs))
        return found

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return _Rounding(self.model, self.closings, self.fraction_bits, self.stream_bits).run(x)
        values = self.values(x)
        return (values[self.steps[-1].number] * self.score_scale).float()
