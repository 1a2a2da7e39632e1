"""PC++, BNN++, FDA and the other methods of signs: what theory, comparisons and sizes must show."""

import json
from typing import Any

from benchmarks.claims.claim import RESULTS, Claim, Measured, NotMeasured
from benchmarks.claims.pytest_rows import tests_prove

SEEDS = 5
COMPARE = "python -m benchmarks.methods"
FDA = f"{COMPARE} --fda --out results/fda-parts.json"
ACCUMULATORS = "python -m benchmarks.methods.accumulators"
SEARCH = f"{COMPARE} --search 18 --seeds 2 --kinds BW --out results/pair-search.json"
CONFIRM = f"{COMPARE} --kinds BW --first 100 --methods bc bnn++ PAIR --out results/pair-confirm.json"
OWN = "python -m benchmarks.claims pcpp-fda"
FINE = f"{COMPARE}.finetune"
VIT = f"{COMPARE}.vit"
SIZE_BAR = 25.0


def _kept(name: str, command: str) -> Any:
    path = RESULTS / name
    if not path.exists():
        raise NotMeasured(f"no results/{name} yet: {command}")
    return json.loads(path.read_text())


def _fewest_seeds(runs: list[dict[str, Any]], wanted: set[tuple[str, str]]) -> int:
    seen = {(kind, method): {r["seed"] for r in runs if (r["kind"], r["method"]) == (kind, method)}
            for kind, method in wanted}  # fmt: skip
    return min(len(seeds) for seeds in seen.values())


def methods_compared() -> Measured:
    """All methods on weights alone and on weights and activations, at least five seeds each, beside BNN."""
    from benchmarks.methods.compare import KINDS
    from bitwright.quantizers import METHODS

    runs = _kept("methods-smoke.json", COMPARE)["runs"]
    fewest = _fewest_seeds(runs, {(kind, method) for kind in KINDS for method in METHODS})
    return Measured(f"{len(runs)} runs, at least {fewest} seeds a method", fewest >= SEEDS)


def fda_parts() -> Measured:
    """Baseline, sine, module, both; shortcut kinds; n fixed and growing; omega swept; on both kinds of network."""
    from benchmarks.methods.compare import KINDS
    from benchmarks.methods.variants import VARIANTS

    runs = _kept("fda-parts.json", FDA)["runs"]
    fewest = _fewest_seeds(runs, {(kind, name) for kind in KINDS for name in VARIANTS})
    return Measured(f"{len(runs)} runs, at least {fewest} seeds a part", fewest >= SEEDS)


def _accumulators(setting: str, name: str, beside: str = "int32") -> tuple[float, float, int]:
    """(mean difference to exact sums, worst share of wrapped sums, seeds)."""
    rows = [row for row in _kept("accumulators.json", ACCUMULATORS) if row["setting"] == setting and name in row]
    if not rows:
        raise NotMeasured(f"no rows of {setting!r} yet: {ACCUMULATORS}")
    apart = sum(row[name] - row[beside] for row in rows) / len(rows)
    return apart, max(max(row[f"{name} wraps"].values()) for row in rows), len(rows)


def narrow_untrained() -> Measured:
    apart, worst, seeds = _accumulators("small", "wrap8_half")
    return Measured(f"{apart:+.2f} points, {100 * worst:.2f} % wrapped, {seeds} seeds", abs(apart) <= 0.3)


def narrow_trained() -> Measured:
    apart, worst, seeds = _accumulators("wide", "wrap8_half tuned", "int32 tuned")
    _, before, _ = _accumulators("wide", "wrap8_half")
    said = f"{apart:+.2f} points, {100 * before:.2f} % wrapped untrained, {100 * worst:.2f} % tuned, {seeds} seeds"
    return Measured(said, abs(apart) <= 1.0 and before >= 0.01)


def file_of_resnet20() -> Measured:
    """All weights of one bit, frozen without training: the size does not depend on it."""
    import numpy as np
    import torch

    from bitwright.freeze import freeze
    from bitwright.models import create_model

    model = create_model("resnet20", seed=0, form="standard", quantizer="relu", binary_ends=True, scale="none")
    x = np.random.default_rng(0).integers(0, 256, (8, 3, 32, 32)).astype(np.uint8)
    model(torch.from_numpy(x).float())
    packed = len(freeze(model.eval(), input=x, calibrate=x).to_bytes(short=True))
    whole = 4 * sum(p.numel() for p in model.parameters())
    return Measured(f"{whole / packed:.1f} x, {packed:,} bytes", whole / packed >= SIZE_BAR)


# Name -> model and options, as published; binary ends where every weight shall be one bit.
CONVOLUTIONAL = {
    "resnet20 standard, one-bit weights": ("resnet20", {"form": "standard", "quantizer": "relu", "binary_ends": True}),
    "resnet20 single": ("resnet20", {"form": "single"}),
    "resnet20 double": ("resnet20", {"form": "double"}),
    "resnet18": ("resnet18", {}),
    "vgg_small": ("vgg_small", {}),
}


def twins(images: int = 8) -> Measured:
    """Every convolutional model at its published size on CIFAR-10 images: Program against grid twin, value by value.

    The weights are untrained, batch norm statistics from the images, so that sums are spread over their ranges.
    """
    import torch

    from bitwright.data import load_data
    from bitwright.freeze import agreement, freeze
    from bitwright.models import create_model

    x, compared, differing = load_data("cifar10").x_val[:images], 0, 0
    for name, options in CONVOLUTIONAL.values():
        model = create_model(name, seed=0, **options)
        with torch.no_grad():
            model.train()(torch.from_numpy(x).float())
        report = agreement(freeze(model.eval(), input=x, calibrate=x), x)
        compared, differing = compared + report.twin_compared, differing + report.twin_differing
    said = f"{differing} of {compared:,} values, {len(CONVOLUTIONAL)} networks, {images} images"
    return Measured(said, differing == 0)


def better_pair() -> Measured:
    """Searched and answered: a pair whose paired interval against BNN++ and BC, on seeds the search has not seen, lies
    above 0."""
    from benchmarks.methods.compare import interval

    runs = _kept("pair-confirm.json", f"{SEARCH}, then with its best PAIR {CONFIRM}")["runs"]
    by_name: dict[str, dict[int, float]] = {}
    for r in runs:
        if r["kind"] == "BW":
            by_name.setdefault(r["method"], {})[r["seed"]] = r["val_accuracy"]
    if not {"bnn++", "bc"} <= by_name.keys():
        raise NotMeasured(f"the rivals are missing: {CONFIRM}")
    lows = {}
    for name, seeds in by_name.items():
        shared = [s for s in seeds if s in by_name["bnn++"] and s in by_name["bc"]]
        if name.startswith("pair:") and len(shared) >= 3:
            gaps = [interval([seeds[s] - by_name[rival][s] for s in shared]) for rival in ("bnn++", "bc")]
            lows[name] = min(mean - half for mean, half in gaps)
    if not lows:
        raise NotMeasured("no searched pair has three seeds beside BNN++ and BC yet")
    best = max(lows, key=lambda name: lows[name])
    word = "yes" if lows[best] > 0 else "no"
    return Measured(f"{word}: {best}, lower end of the interval {lows[best]:+.2f} points", True)


def fine_tuned() -> Measured:
    from benchmarks.methods.finetune import RUNS

    runs = _kept("pretrained-bw.json", f"{FINE} (--measure says how long)")["runs"]
    fewest = _fewest_seeds(runs, {("BW", method) for method in RUNS.methods})
    return Measured(f"{len(runs)} runs, at least {fewest} seeds a method", fewest >= 3)


def vit() -> Measured:
    from benchmarks.methods.vit import FLOAT, RUNS

    runs = _kept("vit.json", f"{VIT} (--measure says how long)")["runs"]
    seen = {r["method"]: r["test_accuracy"] for r in runs if r["seed"] == 0}
    if missing := [method for method in RUNS.methods if method not in seen]:
        raise NotMeasured(f"results/vit.json has no {', '.join(missing)} yet: {VIT}")
    apart = ", ".join(f"{method} {seen[method] - seen[FLOAT]:+.2f}" for method in RUNS.methods if method != FLOAT)
    return Measured(f"float {seen[FLOAT]:.2f} %, {apart}", True)


def _tests(*places: str):
    return lambda: tests_prove(*places)


CLAIMS = [
    Claim("verdicts", "verdicts of all methods agree with the derivations, page is current", "tests pass",
          "pytest tests/quantizers/test_theory.py tests/app/test_methods_command.py",
          _tests("quantizers/test_theory.py", "app/test_methods_command.py")),
    Claim("formulas", "gradients are the formulas; Program = model for every method", "tests pass",
          "pytest tests/quantizers", _tests("quantizers/test_[mnpf]*.py")),
    Claim("compared", "all methods, small sign CNN, BW and BWA, paired with BNN", f"{SEEDS} seeds each",
          COMPARE, methods_compared, reads=True),
    Claim("fda-parts", "FDA: baseline, sine, module, both; shortcuts; n; omega", f"{SEEDS} seeds each", FDA, fda_parts,
          reads=True),
    Claim("narrow", "8-bit sums that wrap, not trained for", "within 0.3 points", ACCUMULATORS, narrow_untrained,
          reads=True),
    Claim("narrow-trained", "wide net, where at least 1 % of sums wrap: tuned with a penalty", "within 1 point",
          ACCUMULATORS, narrow_trained, reads=True),
    Claim("better-pair", "a pair better than BNN++: searched and answered", "yes or no", CONFIRM, better_pair,
          reads=True),
    Claim("size", "ResNet-20 of one-bit weights against float32", f"{SIZE_BAR:g} x smaller",
          OWN, file_of_resnet20),
    Claim("ddp", "two processes = one at equal batch, whole copies (DDP) and shared parameters (FSDP)",
          "losses within 1e-4, 1e-3", "pytest tests/train/test_parallel.py tests/train/test_sharded.py",
          _tests("train/test_parallel*.py", "train/test_sharded.py")),
    Claim("twin", "every convolutional model at its published size: Program = grid twin", "0 differing", OWN, twins),
    Claim("twin-tests", "the same for all forms and methods, small, and every backend", "tests pass",
          "pytest tests/models/test_resnet.py tests/quantizers/test_frozen_methods.py",
          _tests("models/test_resnet.py", "quantizers/test_frozen_methods.py")),
    Claim("theory", "a convex problem with an affine T converges, a nonlinear T comes to rest; updates are formulas",
          "tests pass", "pytest tests/train/test_proximal.py tests/train/test_optimizers.py",
          _tests("train/test_proximal.py", "train/test_optimizers.py")),
    Claim("pretrained-bw", "CIFAR-10 ResNet-20 from float weights, 5 epochs: six methods",
          "3 seeds each", FINE, fine_tuned, reads=True),
    Claim("vit", "small ViT on CIFAR-10: float, BW with BC, BNN++ and our pair, BWA", "reported", VIT, vit, reads=True),
]  # fmt: skip
