"""One paper's network a file. MODELS maps a name to the function that builds it; options are its keyword arguments."""

import difflib
import fnmatch
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..layers import BinaryConv2d, BinaryLinear, method_parts
from ..layers.accumulator import set_accumulator
from .convert import convert
from .float_twin import float_twin
from .gnet import gnet, gnet_cnn, gnet_sign
from .gnet_1d import gnet_1d
from .logic_conv import logic_conv
from .logic_mlp import logic_mlp
from .resnet import resnet18, resnet20
from .sign_cnn import sign_cnn
from .sign_mlp import sign_mlp
from .sign_resnet import sign_resnet
from .summary import summary
from .vgg_small import vgg_small
from .vit import vit

MODELS: dict[str, Callable[..., nn.Module]] = {
    "sign_mlp": sign_mlp,
    "sign_cnn": sign_cnn,
    "sign_resnet": sign_resnet,
    "resnet20": resnet20,
    "resnet18": resnet18,
    "vgg_small": vgg_small,
    "vit": vit,
    "gnet": gnet,
    "gnet_1d": gnet_1d,
    "gnet_cnn": gnet_cnn,
    "gnet_sign": gnet_sign,
    "logic_mlp": logic_mlp,
    "logic_conv": logic_conv,
}


METHOD_PARTS = ("weight_quantizer", "quantizer", "scale")  # what a model takes if it can be of any method


def create_model(name: str, seed: int | None = None, **options: Any) -> nn.Module:
    """The network MODELS[name](**options), untrained, in training mode.

    Two options are not the model's own. method: a name of METHODS, for models that take the three parts it stands for,
    METHOD_PARTS; a part that is given too wins, so method="parq", quantizer="relu" is PARQ on weights alone.
    accumulator: "wrap8" or "wrap8_half" for the sums of every layer that reads signs, but the last.
    seed: of the initial weights; None takes torch's global generator. Raises ValueError for an unknown name (naming
    the nearest) or option. The model carries `input_shape` and `identity` (its name and options) as attributes.
    """
    if name not in MODELS:
        near = difflib.get_close_matches(name, MODELS, n=1, cutoff=0.0)[0]
        raise ValueError(f"create_model: no {name!r}; did you mean {near!r}? Models: {', '.join(MODELS)}")
    if seed is None:
        return _built(name, options)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _built(name, options)


def _built(name: str, options: dict[str, Any]) -> nn.Module:
    takes = inspect.signature(MODELS[name]).parameters
    known = [*takes, "accumulator", *(["method"] if takes.keys() >= set(METHOD_PARTS) else [])]
    if unknown := [key for key in options if key not in known]:
        raise ValueError(f"create_model: {name} has no option {unknown[0]!r}; options: {', '.join(known)}")
    parts = method_parts(options["method"]) if "method" in options else {}
    model = MODELS[name](**{**parts, **{key: value for key, value in options.items() if key in takes}})
    model.input_shape = tuple(options.get("shape", takes["shape"].default))  # type: ignore[assignment]
    model.identity = {"name": name, "options": options}  # type: ignore[assignment]
    if options.get("accumulator", "int32") != "int32":
        _narrow(model, options["accumulator"])
    return model


def _narrow(model: nn.Module, accumulator: str) -> None:
    pixels = torch.randint(0, 256, (2, *model.input_shape), generator=torch.Generator().manual_seed(0))  # type: ignore
    binary = [key for key, layer in model.named_modules() if isinstance(layer, BinaryConv2d | BinaryLinear)]
    head = [key for key in binary[-1:] if isinstance(model.get_submodule(key), BinaryLinear)]
    if not set_accumulator(model, accumulator, pixels.float(), keep=head):
        raise ValueError(f"create_model: no layer but the last reads signs, so none can take accumulator {accumulator}")


def list_models(pattern: str = "*") -> list[str]:
    """Names of MODELS that match a shell pattern such as "sign_*", sorted."""
    return sorted(fnmatch.filter(MODELS, pattern))


__all__ = [
    "MODELS", "convert", "create_model", "float_twin", "gnet", "gnet_1d", "gnet_cnn", "gnet_sign", "list_models",
    "logic_conv", "logic_mlp", "resnet18", "resnet20", "sign_cnn", "sign_mlp", "sign_resnet", "summary", "vgg_small",
    "vit",
]  # fmt: skip
