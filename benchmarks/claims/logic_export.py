"""Logic gate networks handed over: the C and the Verilog of the trained net, and the time to simplify a net."""

import shutil
import time

from benchmarks.claims.claim import Claim, Measured, NotMeasured
from benchmarks.claims.logic_inference import IMAGES, TRAINED, claims_command, fastest
from benchmarks.claims.main_job import inputs_of, program_of

SIMULATED = 2_000
SECONDS = {48_000: 1.0, 500_000: 20.0}  # gates -> bar of simplifying


def _trained(tool: str, images: int):
    if shutil.which(tool) is None:
        raise NotMeasured(f"needs {tool}: install it with the system's packages")
    program = program_of(TRAINED)
    x = inputs_of(program, images)
    if x is None:
        raise NotMeasured("MNIST is not at hand; set BITWRIGHT_DATA")
    return program, x


def c_agrees() -> Measured:
    """At -O1 and -O2, 64 samples together and 512: the whole test set each time."""
    from benchmarks.logic.exported import compare_c

    program, x = _trained("cc", IMAGES)
    scores = program.run(x, fastest())
    found = {
        f"{level}, {lanes} lanes": compare_c(program, x, scores, level=level, lanes=lanes)
        for level, lanes in (("-O1", 64), ("-O2", 512))
    }
    said = "; ".join(f"{how}: {what}" for how, what in found.items())
    right = len(x) == IMAGES and not any(what.differing for what in found.values())
    return Measured(said, right, {how: what.differing for how, what in found.items()})


def verilog_agrees() -> Measured:
    from benchmarks.logic.exported import compare_verilog

    program, x = _trained("iverilog", SIMULATED)
    found = compare_verilog(program, x)
    return Measured(str(found), found.compared == SIMULATED and not found.differing, {"differing": found.differing})


def simplify_time() -> Measured:
    """Random tables of all sixteen kinds, so that there is much to remove; the best of three times."""
    from benchmarks.logic.nets import any_net
    from bitwright.passes import simplify

    taken, said = {}, []
    for n_gates in SECONDS:
        program = any_net(n_gates // 5, 5)
        rounds = []
        for _ in range(3):
            started = time.perf_counter()
            _, report = simplify(program)
            rounds.append(time.perf_counter() - started)
        taken[n_gates] = min(rounds)
        said.append(f"{taken[n_gates]:.2f} s ({report})")
    return Measured("; ".join(said), all(taken[n] < bar for n, bar in SECONDS.items()), {"seconds": taken})


CLAIMS = [
    Claim("c", "the trained MNIST net as C, on the whole test set, against the engine",
          "0 differing scores", claims_command("c"), c_agrees),
    Claim("verilog", f"the trained MNIST net as Verilog, simulated on {SIMULATED:,} test images",
          "0 differing scores", claims_command("verilog"), verilog_agrees),
    Claim("simplify", "all passes over random nets of 48,000 and 500,000 gates, to the fixed point",
          "< 1 s and < 20 s", claims_command("simplify"), simplify_time),
]  # fmt: skip
