"""`freeze`: a trained model becomes a Program, by way of its grid twin."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from bitwright.freeze.embedding import Dimensions, Embedding
from bitwright.freeze.emitter import Emitter
from bitwright.freeze.features import encode_floats
from bitwright.freeze.limit import Limit
from bitwright.freeze.stream import Stream
from bitwright.freeze.trace import FreezeError, has_rule, lower_graph, trace
from bitwright.freeze.twin import GridTwin
from bitwright.ir import Builder, Program, ProgramError
from bitwright.passes import PASSES, SimplifyReport, n_gates
from bitwright.passes import simplify as without_superfluous

FORMAT_HEADER = "bitwright"
DEFAULT_FRACTION_BITS = 8
CALIBRATION_SAMPLES = 1024


@dataclass
class Frozen:
    """What freezing knows beyond the Program. twin: the grid twin. graph: the model's forward.

    bits: fx node -> number of the value that holds its bits. exact: True if no real-valued stream was rounded, so
    that the Program equals the model bit for bit. score_scale: model score = scale * Program score (exact networks).
    wide: what stays wider than a bit, and why. whole, simplified: if gates were simplified, the Program before, whose
    values `bits` and the twin number, and the report.
    """

    twin: GridTwin
    graph: fx.GraphModule
    bits: dict[str, int]
    score_scale: float
    exact: bool
    wide: list[dict[str, Any]] = field(default_factory=list)
    whole: Program | None = None
    simplified: SimplifyReport | None = None


def freeze(
    model: nn.Module,
    input: Any = None,
    classes: list[str] | None = None,
    calibrate: np.ndarray | None = None,
    header: dict[str, Any] | None = None,
    stream_bits: int = 16,
    fraction_bits: int | None = None,
    hyperdimensions: Dimensions | None = None,
    projection: str | None = None,
    rounds: int | None = None,
    seed: int = 0,
    activation_bits: int = 8,
    simplify: bool = True,
    limit_bits: int | None = None,
    passes: Sequence[str] = (),
) -> Program:
    """The Program of a trained model; `program.frozen` holds the twin and the report (it is not saved in the file).

    model: any nn.Module whose forward mixes bitwright's layers with torch's (see freeze/torch_rules.py,
    freeze/call_rules.py).
    input: what the model eats: a Dataset, an InputSpec, or an array such as x_train (uint8 or other integers, or
    float32).
    classes: names of the classes, taken from a Dataset if `input` is one.
    calibrate: samples as for `run`; they choose the grid of real-valued streams, and are required for float inputs.
    By default the first training samples of a Dataset; without any, streams saturate beyond +-2^(stream_bits - 9).
    header: more JSON for people. stream_bits, fraction_bits: the grid; fraction_bits None chooses by `calibrate`,
    else 8.
    hyperdimensions, projection, rounds, seed, activation_bits: how cosine layers become codes of random signs, see
    embedding.Embedding; what is None is taken from `model.embedding`, a dict, where the model has one.
    limit_bits: cosine layers become what their codes tend to instead, see limit.Limit: weights of 4, 8 or 16 bits.
    simplify: gates of logic layers that constants, wires, equal gates or nobody's reading make superfluous are left
    out; the scores stay the same on every input. False keeps each trained gate at its place.
    passes: names of passes.PASSES to run after that, such as "rewrite", which needs the extra `aig`.
    Raises FreezeError naming the module that cannot be lowered, the reason and the way out.
    """
    passes = [passes] if isinstance(passes, str) else passes
    for name in passes:
        if name not in PASSES:
            raise ValueError(f"freeze: no pass {name!r}; choose among {', '.join(PASSES)}")
    if not isinstance(model, nn.Module):
        raise TypeError(f"freeze: the model is {type(model).__name__}, expected a torch.nn.Module")
    if not 2 <= stream_bits <= 32:
        raise ValueError(f"freeze: stream_bits is {stream_bits}, expected 2..32")
    if not (fraction_bits is None or isinstance(fraction_bits, int)):
        raise ValueError(f"freeze: fraction_bits is {fraction_bits!r}, expected an integer or None")
    chosen = {"hyperdimensions": hyperdimensions, "projection": projection, "rounds": rounds}
    chosen = getattr(model, "embedding", {}) | {key: value for key, value in chosen.items() if value is not None}
    codes: Embedding | Limit | None = None
    if limit_bits is not None:
        if hyperdimensions is not None:
            raise ValueError(
                f"freeze: limit_bits={limit_bits} and hyperdimensions={hyperdimensions}: the limit has no codes; "
                "give one of them"
            )
        codes = Limit(limit_bits)
    elif "hyperdimensions" in chosen:
        codes = Embedding(**chosen, seed=seed, activation_bits=activation_bits)
    if calibrate is None and len(getattr(input, "x_train", ())):
        calibrate = input.x_train[:CALIBRATION_SAMPLES]
    kind, shape, lo, hi, described = describe_input(input, calibrate)
    if calibrate is not None and (not len(calibrate) or np.shape(calibrate)[1:] != tuple(shape)):
        raise ValueError(f"freeze: calibrate has shape {np.shape(calibrate)}, expected (samples, {str(shape)[1:-1]})")
    frozen_model = copy.deepcopy(model).cpu().float().eval()
    if has_rule(model) and not any(model.children()):  # a layer alone
        frozen_model = nn.Sequential(frozen_model)
    graph = trace(frozen_model)
    _check_traced(graph, frozen_model, calibrate[:2] if calibrate is not None else _two_samples(kind, shape, lo, hi))
    if classes is None:
        classes = getattr(input, "classes", None)
    extra = described | ({"classes": list(classes)} if classes else {}) | (header or {})
    known = fraction_bits if fraction_bits is not None else DEFAULT_FRACTION_BITS
    program = _freeze_once(graph, kind, shape, (lo, hi), calibrate, extra, stream_bits, known, codes)
    if fraction_bits is None and calibrate is not None and program.frozen.twin.closings:
        better = _fitting_fraction(program, calibrate, known, stream_bits)
        if better != known:
            program = _freeze_once(graph, kind, shape, (lo, hi), calibrate, extra, stream_bits, better, codes)
    return _simplified(program, passes) if (simplify or passes) and n_gates(program) else program


def _two_samples(kind: str, shape: tuple[int, ...], lo: int, hi: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(lo, hi, (2, *shape), endpoint=True) if kind == "int" else rng.normal(size=(2, *shape))


def _check_traced(graph: fx.GraphModule, model: nn.Module, x: np.ndarray) -> None:
    """The graph is what becomes a Program; some forwards, as with `x += y`, do something else."""
    with torch.no_grad():
        try:
            traced, told = _from_one_seed(graph, x), _from_one_seed(model, x)
        except (RuntimeError, ValueError, TypeError, IndexError):  # lowering says what is wrong, and where
            return
    if not (isinstance(traced, Tensor) and isinstance(told, Tensor)):
        return
    if traced.shape != told.shape or not torch.allclose(traced, told, rtol=1e-3, atol=1e-5, equal_nan=True):
        raise FreezeError(
            f"freeze: the forward of {type(model).__name__} gives other numbers than the calls it is made of; it may "
            "change values in place that are read again (x += y) or use hooks: write x = x + y, and layers"
        )


def _from_one_seed(call: nn.Module, x: np.ndarray) -> Any:
    """What draws random numbers draws the same ones every time; its rule says that it cannot be."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return call(as_tensor(x))


def _simplified(program: Program, passes: Sequence[str]) -> Program:
    smaller, report = without_superfluous(program)
    for name in passes:
        smaller, _ = PASSES[name](smaller)
    left = n_gates(smaller)
    if left >= report.gates_before:  # bits that others read as signs need a gate each, even if constant
        return program
    gone = report.removed
    logic = {
        "trained_gates": report.gates_before, "constant": gone.constants, "wires": gone.wires, "equal": gone.merged,
        "dead": gone.dead, "gates": left, "depth": report.depth,
    }  # fmt: skip
    if passes:
        logic |= {"rewritten": report.gates_after - left, "depth": without_superfluous(smaller)[1].depth}
    frozen = replace(program.frozen, whole=program, simplified=report)
    return Program(smaller.ops, smaller.types, program.header | {"logic": logic}, frozen)


def _freeze_once(graph, kind, shape, hull, calibrate, extra, stream_bits, fraction_bits, codes) -> Program:
    builder = Builder()
    emitter = Emitter(builder, fraction_bits, stream_bits, embedding=None if codes is None else replace(codes))
    value = builder.input(kind, tuple(shape), *(hull if kind == "int" else (0, 0)))
    emitter.encode = lambda stream: encode_floats(stream, calibrate)
    last, bits = lower_graph(graph, Stream(emitter, value))
    if len(last.shape) != 1:
        raise FreezeError(f"freeze: the model returns {last.value.type}, expected (batch, classes); flatten it")
    scores, score_scale = last.scores()
    if scores.number == 0:
        raise FreezeError("freeze: the model returns its input")
    used = emitter.embedding if emitter.embedding is not None and emitter.embedding.n_layers else None
    exact = not (emitter.grid_closings or emitter.encoded or emitter.rounded) and used is None
    header = {
        FORMAT_HEADER: {
            "exact": exact,
            "fraction_bits": fraction_bits,
            "stream_bits": stream_bits,
            "score_scale": score_scale,
        },
        "wider_than_a_bit": emitter.notes,
    }
    if used is not None:
        header["embedding"] = used.describe()
    try:
        if isinstance(emitter.embedding, Embedding):
            emitter.embedding.check_all_used()
        program = builder.finish(scores, header | extra)
    except ProgramError as error:
        raise FreezeError(f"freeze: {error}") from None
    twin = GridTwin(graph, emitter.steps, score_scale, emitter.grid_closings, fraction_bits, stream_bits).eval()
    program.frozen = Frozen(twin, graph, bits, score_scale, exact, emitter.notes)
    return program


def _fitting_fraction(program: Program, calibrate: np.ndarray, fraction_bits: int, stream_bits: int) -> int:
    """The finest grid on which the calibration samples' streams fill at most half of the stream's range."""
    values = program.frozen.twin.values(as_tensor(calibrate[:CALIBRATION_SAMPLES]))
    sizes = [
        values[i].abs().max().item()
        for i, op in enumerate(program.ops)
        if op.name in ("affine", "prelu", "add") and i in values
    ]
    if not sizes or max(sizes) == 0:
        return fraction_bits
    room = math.floor(stream_bits - 2 - math.log2(max(sizes) + 1))
    return int(np.clip(fraction_bits + room, 2, stream_bits - 2))


def describe_input(input: Any, calibrate: np.ndarray | None) -> tuple[str, tuple[int, ...], int, int, dict[str, Any]]:
    """(kind, shape, lo, hi, header entry) of a Dataset, an InputSpec or an array."""
    spec: Any = getattr(input, "input", input)
    spec = calibrate if spec is None else spec
    if spec is None:
        raise ValueError(
            "freeze: what does the model eat? Give input=dataset, input=dataset.input or input=x_train[:1]"
        )
    if hasattr(spec, "to_json"):
        kind = "float" if spec.dtype == "float32" else "int"
        return kind, tuple(spec.shape), int(spec.lo), int(spec.hi), {"input": spec.to_json()}
    x = np.asarray(spec)
    if x.dtype == np.float64:
        raise TypeError("freeze: input is float64; a Program takes integers or float32, e.g. x.astype(np.float32)")
    if x.ndim not in (2, 4):
        raise ValueError(f"freeze: input has shape {x.shape}, expected (batch, features) or (batch, C, H, W)")
    if x.dtype.kind == "f":
        return "float", x.shape[1:], 0, 0, {}
    if x.dtype == np.uint8:
        return "int", x.shape[1:], 0, 255, {}
    return "int", x.shape[1:], int(x.min()), int(x.max()), {}


def as_tensor(x: np.ndarray) -> Tensor:
    """Samples as the model wants them: float32, raw integers unscaled."""
    return torch.from_numpy(np.ascontiguousarray(x)).float()
