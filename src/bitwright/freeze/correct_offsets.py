"""Offsets of an embedded network's sums, taken out on a few unlabelled samples.

The rows of one projection are the same for every window and image, so what a code of N signs is off by at a common
window (an image's empty part) is off everywhere: an offset of the whole channel, which the next layer adds up over all
its inputs. The mean of each channel over samples is compared with the float network's, layer by layer, each after those
before it have been corrected, and the difference joins the sums as an integer, behind their max-pool. No label and no
gradient is used, and no code changes.
Source: worked out here; means of channels corrected after quantization: Nagel et al. 2019, arXiv:1906.04721, Sec. 4.2.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from bitwright.data.progress import Progress
from bitwright.freeze.embedded import is_agreement
from bitwright.ir import Builder, Program, ProgramError, Value
from bitwright.layers import CosineConv2d, CosineLinear, EmbeddingNoise

BATCH = 250


def correct_offsets(program: Program, model: nn.Module, x: np.ndarray, draws: int = 1) -> Program:
    """A Program with one `add` more behind the sums of every cosine layer.

    program: `model` embedded. x: samples as the Program takes them, best of the training split. A network trained with
    noise expects what noise does to max-pools, so its means are taken with it, `draws` times, the same in every call:
    of a layer's own N, or where that is shorter than in training, of the training's. Raises ValueError without samples,
    ProgramError where program and model have different cosine layers.
    """
    if not len(x):
        raise ValueError("correct_offsets: no samples; a few hundred of the training split do")
    sums = [i for i, op in enumerate(program.ops) if is_agreement(program, op)]
    lengths = [program.types[program.ops[i].inputs[0]].shape[0] for i in sums]
    layers = [layer for layer in model.modules() if isinstance(layer, (CosineConv2d, CosineLinear))]
    if [len(layer.weight) for layer in layers] != [program.types[i].shape[0] for i in sums]:
        raise ProgramError("correct_offsets: the Program embeds other layers than the model has; freeze this model")
    wanted = _means(model, layers, x, lengths, draws)
    builder = Builder()
    values: list[Value] = []  # of program's numbers
    places = {_end(program, i, layer): k for k, (i, layer) in enumerate(zip(sums, layers, strict=True))}
    with Progress("offsets of sums, layer by layer", len(sums)) as bar:
        for number, op in enumerate(program.ops[:-1]):
            inputs = [values[i] for i in op.inputs]
            values.append(builder.add_op(op.name, inputs, op.attrs, op.consts, op.weight_dtype))
            if (k := places.get(number)) is not None:
                offset = lengths[k] * wanted[k] - _mean_of(builder, values[-1], x)
                values[-1] = builder.add(values[-1], np.rint(offset).astype(np.int64))
                bar.advance()
    last = values[program.ops[-1].inputs[0]]
    return builder.finish(last, {**program.header, "corrected_samples": len(x)})


def _end(program: Program, number: int, layer: nn.Module) -> int:
    """The layer's own max-pool behind its sum, or the sum."""
    after = number + 1
    pooled = bool(getattr(layer, "pool", 0)) and program.ops[after].name == "max_pool2d"
    return after if pooled and program.ops[after].inputs == (number,) else number


def _mean_of(so_far: Builder, value: Value, x: np.ndarray) -> np.ndarray:
    """Mean of a value's channels over samples and places, float64 (C,)."""
    builder = Builder()
    builder.ops, builder.types = list(so_far.ops), list(so_far.types)
    places = 1
    if len(value.shape) == 3:
        places = value.shape[1] * value.shape[2]
        value = builder.reshape(builder.sum_pool2d(value, value.shape[1:]), (value.shape[0],))
    return builder.finish(value).run(x).astype(np.float64).mean(0) / places


def _means(
    model: nn.Module, layers: Sequence[Any], x: np.ndarray, lengths: Sequence[int], draws: int
) -> list[np.ndarray]:
    """Mean of each cosine layer's channels, behind its pool, with the noise of lengths but no more than in training."""
    noises: list[EmbeddingNoise] = [layer.noise for layer in layers]
    kept = [(noise.training, noise.inverse.clone()) for noise in noises]
    seen: dict[int, list[np.ndarray]] = {k: [] for k in range(len(layers))}
    hooks = []
    for k, layer in enumerate(layers):

        def watch(_, __, out, k=k):
            seen[k].append(out.double().transpose(0, 1).flatten(1).mean(1).numpy())

        hooks.append(layer.register_forward_hook(watch))
    was_training = model.training
    try:
        model.eval()
        for noise, n in zip(noises, lengths, strict=True):
            noise.train()
            noise.inverse.clamp_(max=1 / n)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for _ in range(draws if any(noise.active for noise in noises) else 1):
                for first in range(0, len(x), BATCH):
                    model(torch.from_numpy(x[first : first + BATCH]).float())
    finally:
        for hook in hooks:
            hook.remove()
        model.train(was_training)
        for noise, (training, inverse) in zip(noises, kept, strict=True):
            noise.train(training)
            noise.inverse.copy_(inverse)
    return [np.mean(means, 0) for means in seen.values()]
