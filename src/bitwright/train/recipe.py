"""A recipe says all of an experiment: data, model, optimization. It is read from TOML with strict keys.

recipes/<name>.toml holds the fields below; [model_options], [augment] and [distill] are tables.
"""

import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints


@dataclass(frozen=True)
class Augment:
    """Random changes of training images; every zero is off."""

    shift: float = 0.0  # pixels for each axis, uniform in [-shift, shift]; whole pixels if whole and the only move
    rotate: float = 0.0  # degrees, uniform in [-rotate, rotate]
    scale: float = 0.0  # uniform factor in [1 - scale, 1 + scale] for each axis
    shear: float = 0.0  # uniform in [-shear, shear]
    elastic: float = 0.0  # pixels, standard deviation of a smooth displacement field
    elastic_grid: int = 4  # its control points on each axis
    flip: bool = False  # mirror left and right with probability 1/2
    erase: float = 0.0  # probability that a random rectangle is blanked
    noise: float = 0.0  # standard deviation added to inputs of any kind, in their own unit
    mixup: float = 0.0  # alpha of Beta(alpha, alpha); images and labels of two examples joined
    cutmix: float = 0.0  # alpha; a rectangle of one image put into another. With mixup on too, a coin a batch decides


@dataclass(frozen=True)
class Distill:
    """Learning from a float teacher: loss = (1 - weight) * labels + weight * temperature^2 * KL(teacher, student).

    The teacher's scores are of the training examples as they are, computed once, and augmented copies share them;
    or, live, of the very images of every step.
    """

    weight: float = 0.0  # 0 is off
    temperature: float = 2.0
    live: bool = False  # the teacher sees what the student sees, a forward pass of it in every step
    teacher: str = ""  # another recipe, by path or name: that network is trained first, on the same data
    teacher_seed: int = -1  # -1: the recipe's own seed; else one teacher of this seed for all seeds


@dataclass(frozen=True)
class BopOptions:
    """optimizer = "bop": the signs flip by an average of gradients, everything else goes with Adam. Numbers of the
    paper's CIFAR-10 runs.
    """

    gamma: float = 1e-4  # how fast the average follows, from here ...
    gamma_end: float = 1e-6  # ... to here, by equal factors
    threshold: float = 1e-8


@dataclass(frozen=True)
class Regularize:
    """BNN+'s pull of latent weights to two values: loss + weight * mean |alpha - |w||^power, summed over layers."""

    weight: float = 0.0  # 0 is off
    power: int = 1  # 1 | 2


@dataclass(frozen=True)
class Prox:
    """An update of the ProxConnect family around the optimizer, for layers with weight_quantizer = "latent"."""

    update: str = ""  # bc | pc | pq | rpc | pc++; empty is off
    map: str = "piecewise_affine"  # P: sign | identity | soft_threshold | piecewise_affine | relax
    smooth: str = "none"  # T of pc++: none | swish_sign
    accumulate: float = 0.0  # above 0: P's strength is this times the sum of learning rates, not a schedule


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; two equal recipes on one machine give the same weights."""

    name: str = "run"
    model: str = "sign_mlp"
    model_options: dict[str, Any] = field(default_factory=dict)
    data: str = "digits"
    start: str = ""  # begin with the weights another recipe (path or name, same seed) ends with, or of FLOAT_WEIGHTS
    float_twin: bool = False  # train the same architecture with real weights and activations instead
    seed: int = 0
    epochs: int = 20
    batch_size: int = 128
    optimizer: str = "adam"  # adam | adamw | sgd | bop
    lr: float = 1e-3
    lr_end: float = 0.0
    schedule: str = "cosine"  # cosine | linear | geometric (needs lr_end) | step | constant
    warmup_epochs: float = 0.0
    step_epochs: list[int] = field(default_factory=list)  # schedule = "step": where the rate is multiplied
    step_factor: float = 0.1
    bop: BopOptions = field(default_factory=BopOptions)
    prox: Prox = field(default_factory=Prox)
    regularize: Regularize = field(default_factory=Regularize)
    momentum: float = 0.9
    weight_decay: float = 0.0  # on real-valued matrices and latent weights, never on vectors
    clip_latent: float = 1.0  # latent weights are clipped to [-clip, clip] after each step; 0 is off
    overflow_penalty: float = 0.0  # weight in the loss of what sums exceed their narrow accumulators by
    label_smoothing: float = 0.0
    augment: Augment = field(default_factory=Augment)
    distill: Distill = field(default_factory=Distill)
    train_on_validation: bool = False  # fold the validation split back into training (final runs)
    batchnorm_batches: int = 0  # after training, re-estimate batch norms on this many batches, augmented as in training
    average: float = 0.0  # decay of a running average of the weights, which takes their place at the end; 0 is off
    accumulate: int = 1  # parts a batch is taken in, their gradients added up: less memory; batch norms see a part each
    autocast: str = "none"  # none | bf16
    device: str = "auto"
    threads: int = 0  # 0: as torch has them
    eval_every: int = 1  # epochs between two looks at the validation split
    health: bool = False  # with each look, note flips, dead units, entropy and gradient mismatch of every layer
    checkpoint_seconds: float = 60.0  # how often a checkpoint is written; also at the end and on Ctrl-C

    def __post_init__(self) -> None:
        choices = {
            "optimizer": ("adam", "adamw", "sgd", "bop"),
            "schedule": ("cosine", "linear", "geometric", "step", "constant"),
            "autocast": ("none", "bf16"),
        }
        for key, allowed in choices.items():
            if getattr(self, key) not in allowed:
                raise ValueError(f"recipe: {key} is {getattr(self, key)!r}, expected one of {', '.join(allowed)}")
        if self.schedule == "geometric" and not self.lr_end > 0:
            raise ValueError(f"recipe: schedule 'geometric' needs lr_end above 0, got {self.lr_end}")
        for key in ("epochs", "batch_size", "eval_every", "accumulate"):
            if getattr(self, key) < 1:
                raise ValueError(f"recipe: {key} must be at least 1, got {getattr(self, key)}")
        if not self.average < 1:
            raise ValueError(f"recipe: average is {self.average}, a decay below 1, such as 0.999")
        for key in ("lr", "lr_end", "average", "weight_decay", "clip_latent", "checkpoint_seconds", "warmup_epochs"):
            if not getattr(self, key) >= 0:
                raise ValueError(f"recipe: {key} must be 0 or more, got {getattr(self, key)}")
        shares = {"label_smoothing": self.label_smoothing, "distill.weight": self.distill.weight}
        for key, value in shares.items():
            if not 0 <= value <= 1:
                raise ValueError(f"recipe: {key} is a share in [0, 1], got {value}")
        if not self.distill.temperature > 0:
            raise ValueError(f"recipe: distill.temperature must be above 0, got {self.distill.temperature}")
        for key in ("mixup", "cutmix"):
            if not getattr(self.augment, key) >= 0:
                raise ValueError(f"recipe: augment.{key} must be 0 (off) or more, got {getattr(self.augment, key)}")

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Recipe":
        """Raises ValueError for an unknown key (naming the nearest) or a value of the wrong kind."""
        return _build(Recipe, values, "recipe")

    @staticmethod
    def from_toml(path: str | Path, **overrides: Any) -> "Recipe":
        """The file's recipe with overrides; a table's field is named with a dot: {"augment.shift": 2}.

        A file without `name` is named after itself. Raises FileNotFoundError, or ValueError naming file and key.
        """
        path = Path(path)
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"recipe {path}: not TOML: {error}") from error
        values.setdefault("name", path.stem)
        try:
            return Recipe.from_dict(values).override(overrides)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def override(self, changes: Mapping[str, Any]) -> "Recipe":
        """A copy with some fields changed; keys may be dotted ("augment.shift", "model_options.hidden").

        Where a quantizer stands by its name, "model_options.quantizer.omega" gives it that option. Where
        "model_options.method" is new to the recipe, it takes the place of the quantizers and the scale there.
        """
        values = asdict(self)
        if "model_options.method" in changes and "method" not in values["model_options"]:
            from ..models import METHOD_PARTS  # loads torch, which --help need not

            for part in METHOD_PARTS:
                values["model_options"].pop(part, None)
        for key, value in changes.items():
            *tables, leaf = key.split(".")
            place = values
            for depth, table in enumerate(tables):
                if depth and isinstance(place.get(table), str):
                    place[table] = {"name": place[table]}
                if depth and table not in place:
                    raise ValueError(f"recipe: {key} is an option of {table}, which is not set; set it to a name first")
                if not isinstance(place.get(table), dict):
                    raise ValueError(_unknown("recipe", table, place))
                place = place[table]
            if isinstance(place.get(leaf), dict) and isinstance(value, Mapping):
                value = {**place[leaf], **value}
            place[leaf] = value
        return Recipe.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def hash(self) -> str:
        """Sixteen hex digits of everything that decides the weights: not the seed, name, device, or writing times.

        Fields at their defaults are left out, so that a field which is new tomorrow changes no hash of today.
        """
        aside = {"name", "seed", "device", "threads", "checkpoint_seconds", "eval_every", "health"}
        values = {key: value for key, value in _changed(asdict(self), asdict(Recipe())).items() if key not in aside}
        for name in filter(None, (self.start, self.distill.teacher)):  # their texts decide the weights, not their names
            file = _find(name)
            values[f"recipe {name}"] = name if file is None else Recipe.from_toml(file).hash()
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    def with_seed(self, seed: int) -> "Recipe":
        return replace(self, seed=seed)


def _unknown(where: str, key: str, known) -> str:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.0)
    return f"{where}: no field {key!r}; did you mean {near[0]!r}? Fields: {', '.join(sorted(known))}"


def _build(cls, values: Mapping[str, Any], where: str):
    hints = get_type_hints(cls)
    known = [item.name for item in fields(cls)]
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise ValueError(_unknown(where, key, known))
        kind = hints[key]
        if is_dataclass(kind):
            if isinstance(value, Mapping):
                value = _build(kind, value, f"{where} [{key}]")
            elif not isinstance(value, kind):  # type: ignore[arg-type]
                raise ValueError(f"{where}: {key} is a table, got {value!r}; write [{key}] and its fields below")
        else:
            value = _as_kind(f"{where}: {key}", kind, value)
        checked[key] = value
    return cls(**checked)


def _as_kind(who: str, kind, value):
    plain = getattr(kind, "__origin__", kind)  # dict[str, Any] -> dict
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, plain) or (plain is int and isinstance(value, bool)):
        raise ValueError(f"{who} must be {plain.__name__}, got {value!r}")
    return value


def _changed(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults, in tables field by field."""
    inner = {key: _changed(value, defaults[key]) if isinstance(value, dict) and defaults.get(key) else value
             for key, value in values.items()}  # fmt: skip
    return {key: value for key, value in inner.items() if values[key] != defaults.get(key)}


def recipe_file(name: str) -> Path:
    """The file of a recipe given by path, or by the name of one that comes along. Raises FileNotFoundError."""
    found = _find(name)
    if found is None:
        raise FileNotFoundError(f"recipe {name!r}: neither a file nor a recipe that comes along")
    return found


def shipped_recipes() -> dict[str, Path]:
    """Name -> file of the recipes that come with the package or lie in the checkout."""
    package = Path(__file__).resolve().parents[1]
    folders = (package / "recipes", package.parents[1] / "recipes")  # installed; of a checkout
    return {path.stem: path for folder in folders for path in sorted(folder.rglob("*.toml"))}


def _find(name: str) -> Path | None:
    return Path(name) if Path(name).is_file() else shipped_recipes().get(name)
