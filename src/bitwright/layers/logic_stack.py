"""LogicStack: modules in a row, of which dense logic layers with two inputs a gate are computed together."""

from torch import Tensor, nn

from .gate_stack import Remembered, gate_stack, stack_plan, takes
from .group_sum import GroupSum
from .logic import LogicLinear


class LogicStack(nn.Sequential):
    """An nn.Sequential of any modules; LogicLinear layers in a row, and a GroupSum behind them, are one fast operation
    where the native training library takes them (float32 on a CPU, k = 2, fixed wiring). Otherwise, and for layers
    with hooks, module by module; the results differ by rounding alone.
    """

    def forward(self, input: Tensor) -> Tensor:
        if type(input) is not Tensor:  # a tracer's stand-in
            return super().forward(input)
        modules, at, x = list(self), 0, input
        while at < len(modules):
            run = self._run(modules[at:], x)
            if len(run) > 1:
                x = self._together(at, run, x)
            else:
                x = modules[at](x)
            at += max(len(run), 1)
        return x

    def _run(self, modules: list[nn.Module], x: Tensor) -> list[nn.Module]:
        """The layers, and the head, that go together with the first."""
        run, width = [], x.shape[-1]
        for module in modules:
            if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks:
                break
            if isinstance(module, GroupSum) and run:
                return [*run, module]
            if not isinstance(module, LogicLinear) or module.choice is not None or x.dim() != 2:
                break
            if module.in_features != width or not takes(module.wiring, x, module.tables.params):
                break
            run.append(module)
            width = module.out_features
        return run

    def _together(self, at: int, run: list[nn.Module], x: Tensor) -> Tensor:
        layers = [module for module in run if isinstance(module, LogicLinear)]
        head = run[-1] if isinstance(run[-1], GroupSum) else None
        groups = 0 if head is None else head.k
        if head is not None:
            head.group_size(layers[-1].out_features)
        wirings = [layer.wiring for layer in layers]
        plans: dict[tuple[int, int, int], Remembered] = self.__dict__.setdefault("_plans", {})
        remembered = plans.setdefault((at, len(run), groups), Remembered())
        plan = remembered.get(lambda: stack_plan(wirings, layers[0].in_features, groups), *wirings)
        soft = all(layer.tables.plainly_soft() for layer in layers)
        y = gate_stack(x, [layer.tables.params if soft else layer.tables() for layer in layers], plan, groups)
        return y if head is None else y / head.tau
