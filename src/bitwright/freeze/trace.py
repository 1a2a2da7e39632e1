"""Walks a model's forward by torch.fx and lowers it call by call. What has no rule is an error naming the module."""

import operator
from typing import Any

from torch import fx, nn
from torch.fx.node import map_arg

import bitwright.freeze.torch_rules  # noqa: F401  (registers torch's own modules)
from bitwright.freeze.call_rules import FUNCTIONS, RULES
from bitwright.freeze.emitter import Emitter
from bitwright.freeze.stream import Stream
from bitwright.ir import ProgramError, lower

NO_RULE = lower.dispatch(object)


class FreezeError(ProgramError):
    """A model that cannot be frozen: names the module, the reason and the way out."""


class _Tracer(fx.Tracer):
    """Modules that have a rule are leaves; whatever else is torch's own too, so that its name can be reported."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return has_rule(m) or super().is_leaf_module(m, module_qualified_name)


def has_rule(layer: nn.Module) -> bool:
    return lower.dispatch(type(layer)) is not NO_RULE


def _own_forward(layer: nn.Module) -> bool:
    """Whether its class has a forward that the rule, which is of a parent class, knows nothing of."""
    mro = type(layer).__mro__
    home = next(i for i, one in enumerate(mro) if one in lower.registry)
    return any("forward" in vars(one) for one in mro[:home])


def trace(model: nn.Module) -> fx.GraphModule:
    """The model's forward as a graph. Raises FreezeError if its control flow depends on data."""
    try:
        graph = _Tracer().trace(model)
    except (TypeError, ValueError, RuntimeError, NameError, AttributeError) as error:  # fx.TraceError is a ValueError
        raise FreezeError(
            f"freeze: the forward of {type(model).__name__} cannot be traced ({type(error).__name__}: {error}); "
            "it may branch on data or use python loops over tensors: keep it to layers, +, cat, view and flatten"
        ) from error
    return fx.GraphModule(model, graph)


def lower_graph(graph: fx.GraphModule, source: Stream) -> tuple[Stream, dict[str, int]]:
    """Lower every call. Returns the last stream, and for each fx node that closed to bits the number of its value."""
    emitter, env, bits = source.emitter, {}, {}
    for node in graph.graph.nodes:
        emitter.layer = str(node.target) if node.op == "call_module" else node.name
        try:
            _refuse_changes_of_what_is_read_again(graph, node)
            if node.op == "placeholder":
                if "source" in env:
                    raise ProgramError("a forward with more than one argument; a Program has one input")
                env["source"] = env[node.name] = source
            elif node.op == "output":
                return _one(node.args[0], env), bits
            else:
                env[node.name] = _lower_node(graph, node, env, emitter)
        except ProgramError as error:
            if isinstance(error, FreezeError):
                raise
            raise FreezeError(f"freeze: {_describe(graph, node)}: {error}") from None
        except (TypeError, ValueError, IndexError, ArithmeticError, AttributeError, RuntimeError) as error:
            told = f"{type(error).__name__}: {error}"
            raise FreezeError(f"freeze: {_describe(graph, node)} is used in a way no rule knows ({told})") from error
        result = env[node.name]
        if isinstance(result, Stream) and result.is_bits and node.op != "placeholder":
            bits[node.name] = result.value.number
    raise FreezeError("freeze: the model returns nothing")


def _refuse_changes_of_what_is_read_again(graph: fx.GraphModule, node: fx.Node) -> None:
    """An operation in place changes what later ones read; streams do not."""
    if not node.args or not isinstance(changed := node.args[0], fx.Node):
        return
    inplace = node.kwargs.get("inplace") or node.target in (operator.iadd, "relu_", "add_")
    if node.op == "call_module":
        inplace = inplace or getattr(graph.get_submodule(str(node.target)), "inplace", False)
    if not inplace:
        return
    order = {one: place for place, one in enumerate(graph.graph.nodes)}
    if any(order[user] > order[node] for user in changed.users):
        raise ProgramError(f"changes {changed.name!r} in place, which is read again later; use inplace=False")


def _describe(graph: fx.GraphModule, node: fx.Node) -> str:
    if node.op == "call_module":
        return f"{node.target!r} ({type(graph.get_submodule(str(node.target))).__name__})"
    return f"{node.name!r} ({getattr(node.target, '__name__', node.target)})"


def _one(argument: Any, env: dict[str, Any]) -> Stream:
    if not isinstance(argument, fx.Node):
        raise ProgramError("a forward must return one tensor, (batch, classes)")
    return env[argument.name]


def _lower_node(graph: fx.GraphModule, node: fx.Node, env: dict[str, Any], emitter: Emitter) -> Any:
    args = map_arg(node.args, lambda n: env[n.name])
    kwargs = map_arg(node.kwargs, lambda n: env[n.name])
    if node.op == "call_module":
        layer = graph.get_submodule(str(node.target))
        if not has_rule(layer):
            raise ProgramError(
                f"no rule for {type(layer).__name__}; train it with layers that freeze (bitwright's, Linear, "
                "Conv2d, BatchNorm, ReLU, Hardtanh, PReLU, pools, Flatten, Dropout, Identity), or register a rule with "
                "bitwright.ir.lower"
            )
        if _own_forward(layer):
            raise ProgramError(f"{type(layer).__name__} has a forward of its own; register a rule for it with "
                               "bitwright.ir.lower")  # fmt: skip
        return lower(layer, *args, **kwargs)
    if node.op == "get_attr":
        raise ProgramError(f"reads the tensor {node.target!r} directly; put it into a layer with a rule")
    name = node.target if node.op == "call_method" else FUNCTIONS.get(node.target, "")  # type: ignore[call-overload]
    rule = RULES.get(name)  # type: ignore[arg-type]
    if rule is None:
        raise ProgramError(f"no rule for this call; known are {', '.join(sorted(RULES))}, and layers with a rule")
    return rule(*args, **kwargs)
