"""What a model weighs and computes, layer by layer, and which layers stay wider than a bit, and why.

Bits of a layer's input are read off the values of one eval forward pass on random integers: all -1/+1, or all 0/1, is
one bit.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..layers import BinaryConv2d, BinaryLinear, LogicConv2d, LogicLinear, RPReLU, RSign, Sign

FOLDS = (nn.modules.batchnorm._BatchNorm, RPReLU, nn.PReLU)
BINARY = (BinaryLinear, BinaryConv2d)
LOGIC = (LogicLinear, LogicConv2d)  # their weights are the bits of their truth tables


@dataclass(frozen=True)
class LayerSummary:
    """One layer. input_bits: 1 (signs), 0 (integers of some width) or 32 (real numbers). why: "" if all is one bit."""

    name: str
    kind: str
    output: tuple[int, ...]
    weights: int
    weight_bits: int
    input_bits: int
    macs: int
    why: str


@dataclass(frozen=True)
class ModelSummary:
    """Layers and totals; print it, or take to_dict(). MACs are of one example."""

    layers: list[LayerSummary]

    @property
    def totals(self) -> dict[str, Any]:
        binary = sum(x.weights for x in self.layers if x.weight_bits == 1)
        wide = sum(x.weights for x in self.layers if x.weight_bits > 1)
        one_bit = sum(x.macs for x in self.layers if x.weight_bits == 1 and x.input_bits == 1)
        return {
            "binary_weights": binary, "wider_numbers": wide,
            "macs_1bit": one_bit, "macs_wider": sum(x.macs for x in self.layers) - one_bit,
            "bytes_packed": math.ceil(binary / 8) + 4 * wide, "bytes_float32": 4 * (binary + wide),
        }  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        return {"layers": [asdict(layer) for layer in self.layers], "totals": self.totals}

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "weights", "W bits", "A bits", "MACs")
        names = {0: "int", 1: "1", 32: "32"}
        rows = [
            (x.name, x.kind, "x".join(map(str, x.output)), f"{x.weights:,}", str(x.weight_bits or "-"),
             names[x.input_bits], f"{x.macs:,}")
            for x in self.layers
        ]  # fmt: skip
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in [head, *rows]]
        lines.insert(1, "  ".join("-" * w for w in widths))
        t = self.totals
        macs = t["macs_1bit"] + t["macs_wider"]
        share = 100 * t["macs_1bit"] / macs if macs else 0.0
        lines += [
            "",
            f"weights: {t['binary_weights']:,} of one bit, {t['wider_numbers']:,} numbers wider",
            f"memory: {t['bytes_packed'] / 1e3:,.1f} kB packed, {t['bytes_float32'] / 1e3:,.1f} kB in float32",
            f"multiply-adds an example: {t['macs_1bit']:,} of one bit ({share:.1f} %), {t['macs_wider']:,} wider",
        ]
        wide = [f"  {x.name} ({x.kind}): {x.why}" for x in self.layers if x.why]
        return "\n".join(lines + (["wider than a bit, and why:", *wide] if wide else []))


def _value_bits(x: Tensor) -> int:
    if bool((x.abs() == 1).all()) or bool(((x == 0) | (x == 1)).all()):
        return 1
    return 0 if bool((x == x.round()).all()) else 32


def _macs(layer: nn.Module, out: Tensor) -> int:
    if isinstance(layer, nn.Linear):
        return out[0].numel() * layer.in_features
    if isinstance(layer, nn.Conv2d):
        return out[0].numel() * layer.weight[0].numel()
    return 0


def _why(layer: nn.Module, input_bits: int) -> str:
    if isinstance(layer, LOGIC):
        return ""
    if isinstance(layer, BINARY):
        if input_bits == 1:
            return ""
        kind = "integers" if input_bits == 0 else "real numbers"
        return f"weights of one bit, but its input is {kind}; a Sign before it would make it all bits"
    if isinstance(layer, nn.Linear | nn.Conv2d):
        return f"real weights; use Binary{type(layer).__name__} or convert(model)"
    if isinstance(layer, FOLDS):
        return "numbers a channel; they fold into thresholds where a sign follows, else they become integer arithmetic"
    return "its parameters are real numbers" if any(True for _ in layer.parameters(recurse=False)) else ""


def summary(model: nn.Module, shape: Sequence[int] | None = None) -> ModelSummary:
    """Sizes, widths and multiply-adds of each layer that holds numbers or makes bits.

    shape: of one example; default is what create_model noted. The model's mode, weights and statistics are left as
    they are. Raises ValueError if no shape is known or a forward pass with it fails.
    """
    shape = shape if shape is not None else getattr(model, "input_shape", None)
    if shape is None:
        raise ValueError("summary: the model's input shape is not known; pass shape=(C, H, W) or (features,)")
    rows: list[LayerSummary] = []

    def note(name: str):
        def hook(layer: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
            bits = _value_bits(args[0])
            main = layer.weight.numel() if isinstance(layer, nn.Linear | nn.Conv2d) else 0
            rest = sum(p.numel() for p in layer.parameters()) - main
            if isinstance(layer, LOGIC):
                main, rest = layer.tables.hard().numel(), 0
            binary = isinstance(layer, BINARY + LOGIC)
            width = 1 if binary else 32 if main + rest else 0
            weights = main if binary else main + rest
            kind, shape, why = type(layer).__name__, tuple(out.shape[1:]), _why(layer, bits)
            rows.append(LayerSummary(name, kind, shape, weights, width, bits, _macs(layer, out), why))

        return hook

    interesting = (nn.Linear, nn.Conv2d, Sign, RSign, RPReLU, *LOGIC)
    named = [(n or type(m).__name__, m) for n, m in model.named_modules()]
    chosen = [(n, m) for n, m in named if isinstance(m, interesting) or any(True for _ in m.parameters(recurse=False))]
    inside = {id(c) for _, m in chosen for c in m.modules() if c is not m}
    handles = [m.register_forward_hook(note(n)) for n, m in chosen if id(m) not in inside]
    was_training = model.training
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    example = torch.randint(0, 256, (2, *shape), generator=torch.Generator().manual_seed(0)).float().to(device)
    try:
        with torch.no_grad():
            model.eval()(example)
    except RuntimeError as error:
        raise ValueError(f"summary: the model does not take an example of shape {tuple(shape)}: {error}") from error
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return ModelSummary(rows)
