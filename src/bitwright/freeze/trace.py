"""Walks a model's forward by torch.fx and lowers it call by call. What has no rule is an error naming the module."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.fx.node import map_arg
from torch.nn import functional as F

import bitwright.freeze.torch_rules  # noqa: F401  (registers torch's own modules)
from bitwright.freeze import stream as streams
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


def _add(a: Any, b: Any, alpha: float = 1) -> Any:
    if isinstance(a, Stream) and isinstance(b, Stream):
        if alpha != 1:
            raise ProgramError("add with alpha; scale the second value by a layer")
        return a.plus(b)
    x, number = (a, float(b)) if isinstance(a, Stream) else (b, float(a))
    return x.shift(number)


def _subtract(a: Any, b: Any) -> Any:
    if not isinstance(a, Stream) or isinstance(b, Stream):
        raise ProgramError("a difference of two values; negate one by a layer and add")
    return a.shift(-b)


def _multiply(a: Any, b: Any) -> Any:
    if isinstance(a, Stream) and isinstance(b, Stream):
        raise ProgramError("a product of two values; a Program multiplies by constants only")
    x, number = (a, float(b)) if isinstance(a, Stream) else (b, float(a))
    return x.scale(number)


def _divide(a: Any, b: Any) -> Any:
    if isinstance(b, Stream):
        raise ProgramError("a division by a value; a Program divides by constants only")
    return a.affine(lambda v: v / b, 1 / b)


def _cat(values: list[Stream], dim: int = 0, axis: int | None = None) -> Stream:
    if (dim if axis is None else axis) != 1:
        raise ProgramError("a concatenation along another axis than channels (dim=1)")
    return streams.concat(values)


def _flatten(x: Stream, start_dim: int = 0, end_dim: int = -1) -> Stream:
    if start_dim != 1 or end_dim not in (-1, len(x.shape)):
        raise ProgramError(f"flatten({start_dim}, {end_dim}); only everything behind the batch axis: flatten(x, 1)")
    return x.reshape((x.value.type.n_values,))


class _BatchSize:
    """Stands for x.shape[0] and x.size(0) in a view."""


class _Shape:
    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape

    def __getitem__(self, i: int) -> Any:
        return _BatchSize() if i == 0 else (_BatchSize(), *self.shape)[i]


def _getattr(x: Any, name: str) -> Any:
    if name != "shape":
        raise ProgramError(f"reads .{name} of a value; only .shape is possible")
    return _Shape(x.shape)


def _size(x: Stream, dim: int | None = None) -> Any:
    return _Shape(x.shape) if dim is None else _Shape(x.shape)[dim]


def _view(x: Stream, *shape: Any) -> Stream:
    sizes = list(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else list(shape)
    if not sizes or (sizes[0] != -1 and not isinstance(sizes[0], _BatchSize)) or len(sizes) not in (2, 4):
        raise ProgramError(f"view{tuple(shape)}; write x.view(x.size(0), -1) or x.view(-1, C, H, W)")
    rest, n_values = [int(s) for s in sizes[1:]], x.value.type.n_values
    if rest.count(-1) == 1:
        known = -int(np.prod(rest))
        rest[rest.index(-1)] = n_values // max(known, 1)
    return x.reshape(tuple(rest))


def _relu(x: Stream, inplace: bool = False) -> Stream:
    return x.clamp(0.0, float("inf"))


def _hardtanh(x: Stream, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Stream:
    return lower(nn.Hardtanh(min_val, max_val), x)


def _max_pool2d(x: Stream, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if return_indices:
        raise ProgramError("max_pool2d with return_indices; a Program has values only")
    return lower(nn.MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode), x)


def _avg_pool2d(
    x: Stream, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
) -> Stream:
    return lower(nn.AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override), x)


def _mean(x: Stream, dim: Any = None, keepdim: bool = False) -> Stream:
    if len(x.shape) != 3 or sorted(d % 4 for d in np.atleast_1d(dim)) != [2, 3]:
        raise ProgramError("mean over other axes than height and width: mean((2, 3))")
    pooled = lower(nn.AdaptiveAvgPool2d(1), x)
    return pooled if keepdim else pooled.reshape(pooled.shape[:1])


def _dropout(x: Stream, p: float = 0.5, training: bool = True, inplace: bool = False) -> Stream:
    if training and p > 0:
        raise ProgramError("a dropout that drops in eval mode too; write F.dropout(x, p, self.training), or nn.Dropout")
    return x


def _same(x: Stream, *args: Any, **kwargs: Any) -> Stream:
    return x


RULES: dict[str, Callable[..., Any]] = {
    "add": _add, "add_": _add, "sub": _subtract, "mul": _multiply, "div": _divide, "cat": _cat, "flatten": _flatten,
    "view": _view, "reshape": _view, "size": _size, "getattr": _getattr, "getitem": operator.getitem, "relu": _relu,
    "relu_": _relu, "hardtanh": _hardtanh, "max_pool2d": _max_pool2d, "avg_pool2d": _avg_pool2d, "mean": _mean,
    "float": _same, "contiguous": _same, "dropout": _dropout,
}  # fmt: skip

FUNCTIONS: dict[Any, str] = {
    operator.add: "add", operator.iadd: "add", torch.add: "add", operator.sub: "sub", torch.sub: "sub",
    operator.mul: "mul", torch.mul: "mul", operator.truediv: "div", torch.div: "div", torch.cat: "cat",
    torch.concat: "cat", torch.flatten: "flatten", torch.reshape: "reshape", getattr: "getattr",
    operator.getitem: "getitem", torch.relu: "relu", F.relu: "relu", F.hardtanh: "hardtanh",
    F.max_pool2d: "max_pool2d", torch.max_pool2d: "max_pool2d", F.avg_pool2d: "avg_pool2d", torch.mean: "mean",
    F.dropout: "dropout",
}  # fmt: skip
