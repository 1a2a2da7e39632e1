"""Logic gate networks, inference: speed beside straight-line C, and time to the first answer."""

from functools import cache

from benchmarks.claims.claim import Claim, Measured, NotMeasured
from benchmarks.claims.main_job import inputs_of, program_of, timed
from bitwright.ir import Program
from bitwright.ir.executors import join_backends

WIDTH, DEPTH = 8000, 6
TRAINED, IMAGES = "mnist_logic", 10_000


def claims_command(key: str) -> str:
    return f"python -m benchmarks.claims logic-gates --only {key}"


@cache
def net() -> Program:
    from benchmarks.logic.nets import random_net

    return random_net(WIDTH, DEPTH)


def fastest() -> str:
    name = list(join_backends())[-1]
    if name == "interpreter":
        raise NotMeasured("the native core is not built; run: make setup")
    return name


def inference() -> Measured:
    from benchmarks.logic.nets import compare_inference

    found = compare_inference(net(), fastest())
    numbers = {
        "ratio": found.ratio,
        "ratio_tuned": found.ratio_tuned,
        "per_second": found.images / found.own.seconds,
        "rival_per_second": found.images / found.plain.seconds,
    }
    return timed(str(found), found.ratio >= 6, (found.own, found.plain), numbers)


def load_time() -> Measured:
    from benchmarks.logic.nets import seconds_to_answer

    seconds = seconds_to_answer(net().to_bytes(), fastest())
    return Measured(f"{1e3 * seconds:.0f} ms", seconds < 1, {"seconds": seconds})


def trained() -> Measured:
    """The trained net as it ships, simplified: whole runs on test images, and the time to its first answer."""
    from benchmarks.logic.nets import seconds_to_answer, time_runs

    program, backend = program_of(TRAINED), fastest()
    x = inputs_of(program, IMAGES)
    if x is None:
        raise NotMeasured("MNIST is not at hand; set BITWRIGHT_DATA")
    timing, answer = time_runs(program, x, backend), seconds_to_answer(program.to_bytes(), backend)
    logic = program.summary().logic
    rate = len(x) / timing.seconds
    value = (
        f"{rate / 1e6:.2f} M images/s, 1 core ({backend}); {logic.get('trained_gates', logic['gates']):,} gates "
        f"trained, {logic['gates']:,} run; first answer {1e3 * answer:.0f} ms after loading begins"
    )
    return timed(value, True, [timing], {"per_second": rate, "seconds_to_answer": answer, **logic})


CLAIMS = [
    Claim("inference", f"{DEPTH} x {WIDTH:,} random true two-input gates, uint8 pixels in, scores out, 1 core, against "
          "straight-line 64-bit C of the same net at -O1",
          ">= 6 x; aim 8 M images/s", claims_command("inference"), inference),
    Claim("load-time", "the same net: from the file's bytes to the first answer",
          "< 1 s", claims_command("load-time"), load_time),
    Claim("trained", "the trained MNIST net, uint8 pixels in, scores out, 1 core, and its first answer",
          "printed", claims_command("trained"), trained),
]  # fmt: skip
