"""The main job: train a network of signs, freeze it, run the same bits everywhere; what it must show."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from benchmarks.claims.claim import RESULTS, ROOT, Claim, Measured, NotMeasured
from benchmarks.claims.pytest_rows import tests_prove
from bitwright.bench import SeedSummary, SpeedReport, compare_speed, float_twin_of, sizes, summarize_seeds
from bitwright.bench.rivals import FLOAT_TWIN
from bitwright.bench.timing import Timing, usable_cores
from bitwright.ir import Program, load
from bitwright.ir.executors import join_backends

MLP, CNN, RESNET = "mnist_sign_mlp", "fashion_sign_cnn", "fashion_sign_resnet"
SEEDS = 3
MUTATIONS = 10_000
BIT_KERNELS = "avx512"  # the fastest for products of bits


def claims_command(key: str) -> str:
    return f"python -m benchmarks.claims main-job --only {key}"


def training_command(recipe: str, seeds: int = SEEDS) -> str:
    numbers = " ".join(map(str, range(seeds)))
    train = f"bitwright train recipes/{recipe}.toml --seed $s && bitwright eval runs/{recipe}-seed$s"
    return f"for s in {numbers}; do {train}; done" if seeds > 1 else train.replace("--seed $s ", "").replace("$s", "0")


def seeds_of(recipe: str, needed: int = SEEDS) -> SeedSummary:
    """The results of a recipe's seeds; NotMeasured says what to run when there are too few."""
    try:
        summary = summarize_seeds(recipe, RESULTS)
    except FileNotFoundError:
        raise NotMeasured(f"no results yet; run: {training_command(recipe, needed)}") from None
    if len(summary.results) < needed:
        raise NotMeasured(f"{summary}; {needed} seeds are needed; run: {training_command(recipe, needed)}")
    return summary


def accuracy(recipe: str, bar: float, most_weights: float = float("inf")) -> Measured:
    """Mean over seeds against the bar; every weight one bit, at most so many of them, bits and integers throughout."""
    summary = seeds_of(recipe)
    finished = [result for result in summary.results if not result.get("failed")]
    widths = {(result["first_layer_bits"], result["last_layer_bits"]) for result in finished}
    weights = max((result["weights"] for result in finished), default=0)
    fits = widths == {(1, 1)} and weights <= most_weights and all(result["exact"] for result in finished)
    bits = "every weight 1 bit" if fits else f"weights of first and last layer: {widths} bits, {weights:,} weights"
    reads = max((result["test_reads"] for result in finished), default=0)
    value = f"{summary}, {weights:,} weights, {bits}; test set read {reads} x a seed at most"
    return Measured(
        value, fits and round(summary.mean, 4) >= bar, {"mean": summary.mean, "sd": summary.sd, "weights": weights}
    )


def residual() -> Measured:
    summary = seeds_of(RESNET, 1)
    finished = [result for result in summary.results if not result.get("failed")]
    apart = [round(result["frozen_accuracy"] - result["model_accuracy"], 4) for result in finished]
    twin = sum(result["twin_differing"] for result in finished)
    widest = max((abs(points) for points in apart), default=float("inf"))
    agree = min((result["agreement"] for result in finished), default=0)
    value = (
        f"Program {summary}, apart from the model by at most {widest:.2f} points; same class {agree:.2f} %; "
        f"{twin} values differ from the grid twin"
    )
    return Measured(value, widest <= 0.2 and twin == 0, {"points": apart, "agreement": agree, "twin_differing": twin})


def exact() -> Measured:
    """Read from the results: `bitwright eval` compares every hidden bit and score on the whole test set."""
    results = [result for name in (MLP, CNN) for result in seeds_of(name, 1).results if not result.get("failed")]
    differing = sum(result["hidden_differing"] + result["scores_differing"] for result in results)
    hidden, scores = (sum(result[f"{what}_compared"] for result in results) for what in ("hidden", "scores"))
    whole = all(result["test_samples"] == 10_000 and result["hidden_compared"] for result in results)
    value = f"{differing} differing of {hidden:,} hidden bits and {scores:,} scores, {len(results)} networks"
    return Measured(value, whole and differing == 0, {"differing": differing, "hidden": hidden, "scores": scores})


@cache
def program_of(recipe: str) -> Program:
    """The trained Program: the shipped one, else that of a run folder."""
    shipped = ROOT / "src" / "bitwright"
    places = [*shipped.glob(f"**/pretrained/{recipe}.bw"), *sorted(ROOT.glob(f"runs/{recipe}-seed*/model.bw"))]
    if not places:
        raise NotMeasured(f"no trained Program; run: bitwright train recipes/{recipe}.toml")
    return load(places[0])


def inputs_of(program: Program, n: int) -> Any:
    """Test images of the Program's data set where they are at hand, else None: random inputs then."""
    from bitwright.data import is_present, load_data

    name = program.header.get("data")
    return load_data(name).x_test[:n] if name and is_present(name) else None


def backends(samples: int = 200) -> Measured:
    """Both models on test images, every value of every backend; then the tests of operations and deep Programs."""
    compared = differing = 0
    names: list[str] = []
    for recipe in (MLP, CNN):
        program = program_of(recipe)
        x = inputs_of(program, samples)
        if x is None:
            raise NotMeasured(f"{recipe}: its data set is not at hand; set BITWRIGHT_DATA")
        report = program.verify(x)
        names = [entry.backend for entry in report.backends]
        compared += sum(entry.hidden_compared for entry in report.backends)
        differing += report.differing
    if len(names) < 2:
        raise NotMeasured("the native core is not built; run: make setup")
    proved = tests_prove("backends/test_*.py", "battery/test_*.py", "native/test_*kernel*.py")
    value = f"both models: {differing} of {compared:,} values differ ({', '.join(names)}); tests: {proved.value}"
    return Measured(value, differing == 0 and proved.met, {"differing": differing, "compared": compared})


def file_size() -> Measured:
    found = sizes(program_of(MLP))
    return Measured(str(found), found.ratio <= 1.1, {"file_bytes": found.file_bytes, "ratio": found.ratio})


def timed(value: str, met: bool, timings: Sequence[Timing], numbers: dict[str, Any]) -> Measured:
    """A time counts only when nothing else used the cores."""
    if any(timing.noisy for timing in timings):
        return Measured(f"{value}; the samples lie far apart: measure again on an idle machine", False, numbers)
    return Measured(value, met, numbers)


def gemm() -> Measured:
    from bitwright.bench.gemm import compare_gemm

    if f"cpu:{BIT_KERNELS}" not in join_backends():
        raise NotMeasured(f"this machine or build has no {BIT_KERNELS} kernels; bitwright doctor says what there is")
    report = compare_gemm(BIT_KERNELS)
    numbers = {"ratio": report.ratio, "seconds": report.bits.seconds}
    return timed(str(report), report.ratio >= 10, (report.bits, report.floats), numbers)


@cache
def mlp_speed() -> SpeedReport:
    """Measured once for the rows that need it."""
    program = program_of(MLP)
    fastest = list(join_backends())[-1]
    if fastest == "interpreter":
        raise NotMeasured("the native core is not built; run: make setup")
    twin = float_twin_of(program)
    if twin is None:
        raise NotMeasured("the float twin needs torch; run: make setup")
    return compare_speed(program, twin, inputs_of(program, 256), backends=[fastest], rounds=15)


def beside_float(batch: int) -> Measured:
    report = mlp_speed()
    own, twin = report.fastest(batch, 1), report.row(batch, 1, FLOAT_TWIN)
    value = (
        f"{own.ratio:.1f} x: {own.per_second:,.0f} a second ({own.microseconds:,.1f} us a call, {own.name}), "
        f"float twin {twin.per_second:,.0f} ({twin.microseconds:,.1f} us)"
    )
    numbers = {"ratio": own.ratio, "per_second": own.per_second, "twin_per_second": twin.per_second}
    return timed(value, (own.ratio or 0) >= 10, (own.timing, twin.timing), numbers)


def two_threads() -> Measured:
    """Beside each other in the same rounds, both on two cores."""
    from bitwright.bench.timing import interleaved, pinned

    if usable_cores() < 2:
        raise NotMeasured("this machine gives the process one core")
    program = program_of(MLP)
    backend = list(join_backends())[-1]
    x = inputs_of(program, 256)
    if x is None:
        raise NotMeasured("MNIST is not at hand; set BITWRIGHT_DATA")
    with pinned(2):
        calls = {n: (lambda n=n: program.run(x, backend, n)) for n in (1, 2)}
        taken = interleaved({str(n): call for n, call in calls.items()}, rounds=15)
    ratio = taken["1"].seconds / taken["2"].seconds
    rates = " and ".join(f"{len(x) / taken[n].seconds:,.0f}" for n in ("1", "2"))
    value = f"{ratio:.2f} x: {rates} images a second ({backend})"
    return timed(value, ratio >= 1.8, list(taken.values()), {"ratio": ratio})


def startup() -> Measured:
    from bitwright.bench.startup import measure_startup

    found = measure_startup()
    met = found.beyond_numpy < 0.2 and found.slowest_help[1] < 0.3
    return Measured(str(found), met, {"beyond_numpy": found.beyond_numpy, "help": found.help})


def proved_by(*places: str) -> Callable[[], Measured]:
    return lambda: tests_prove(*places)


def mutations() -> Measured:
    found = tests_prove("battery/test_mutations.py", environment={"BITWRIGHT_MUTATIONS": str(MUTATIONS)})
    return Measured(f"{MUTATIONS:,} files: {found.value}", found.met, found.numbers)


CLAIMS = [
    Claim("mnist-mlp", "MNIST, sign MLP 784-1024-1024-1024-10, every weight and hidden activation 1 bit, frozen",
          f">= 98.7 %, {SEEDS} seeds", training_command(MLP), lambda: accuracy(MLP, 98.7), reads=True),
    Claim("fashion-cnn", "Fashion-MNIST, sign CNN, at most 1 M binary weights, frozen",
          f">= 91.0 %, {SEEDS} seeds", training_command(CNN), lambda: accuracy(CNN, 91.0, 1e6), reads=True),
    Claim("fashion-resnet", "Fashion-MNIST, residual network with real-valued shortcut: Program against model",
          "within 0.2 points, Program = grid twin", training_command(RESNET, 1), residual, reads=True),
    Claim("exact", "MLP and CNN: every hidden bit and score on all test images, Program against model",
          "0 differing", training_command(MLP), exact, reads=True),
    Claim("backends", "interpreter = reference = AVX2 = AVX-512 on the battery and both models",
          "0 differing", claims_command("backends"), backends),
    Claim("golden", "a hand-computed golden .bw with its expected outputs, committed",
          "passes", "pytest tests/ir/test_golden.py", proved_by("ir/test_golden*.py")),
    Claim("size", "file of the MLP",
          "<= 1.1 x weights / 8 bytes", claims_command("size"), file_size),
    Claim("gemm", "GEMM 1024^3, operands packed, int32 out, 1 thread, AVX-512, against torch fp32",
          ">= 10 x", claims_command("gemm"), gemm),
    Claim("speed-1", "MLP, whole run() from uint8, 1 thread, batch 1, against the float twin",
          ">= 10 x", claims_command("speed-1"), lambda: beside_float(1)),
    Claim("speed-256", "MLP, whole run() from uint8, 1 thread, batch 256, against the float twin",
          ">= 10 x", claims_command("speed-256"), lambda: beside_float(256)),
    Claim("threads", "MLP, 2 threads over 1, batch 256",
          ">= 1.8 x", claims_command("threads"), two_threads),
    Claim("startup", "import bitwright beyond NumPy; --help of every command",
          "< 0.2 s; < 0.3 s", claims_command("startup"), startup),
    Claim("kill", "kill -9 at 20 random moments of training, inside a checkpoint write too",
          "identical weights", "pytest tests/train/test_kill.py", proved_by("train/test_kill.py")),
    Claim("mutations", "10,000 mutations of small .bw files under sanitizers: an error or a valid Program",
          "no crash, hang or gigabyte; all agree", "BITWRIGHT_MUTATIONS=10000 pytest tests/battery/test_mutations.py",
          mutations),
]  # fmt: skip
