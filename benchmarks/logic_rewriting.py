"""How many gates `passes.rewrite` saves beyond simplification, and how long it takes.

python -m benchmarks.logic_rewriting [PROGRAM ...] takes files or names of shipped Programs (mnist_logic) and writes
results/logic_rewriting.json. Needs the extra `aig`. Seconds are of one call on a core that may have other work; the
processor's own seconds stand beside them. Scores of the rewritten Program are compared on random inputs.
"""

import argparse
import json
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import bitwright
from bitwright.bench.machine import commit, hardware, versions
from bitwright.ir import Program, execute
from bitwright.passes import rewrite

PATH = Path(__file__).resolve().parents[1] / "results" / "logic_rewriting.json"
SAMPLES = 513


def measure(program: Program, name: str) -> dict[str, Any]:
    """Gates, ANDs, seconds, and on how many random inputs a score differs (none may)."""
    wall, processor = time.perf_counter(), time.process_time()
    smaller, report = rewrite(program, lambda line: print(f"{name}: {line}", flush=True))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{name}: {report}; {wall:.1f} s, {processor:.1f} s of the processor")
    type_ = program.types[0]
    rng, shape = np.random.default_rng(0), (SAMPLES, *type_.shape)
    low, high = (0, 1) if type_.kind == "bits" else (type_.lo, type_.hi)
    x = rng.integers(low, high, shape, endpoint=True).astype(np.uint8 if 0 <= low and high < 256 else np.int32)
    differing = int((execute(program, x)[-1] != execute(smaller, x)[-1]).any(1).sum())
    return {
        **vars(report), "seconds": round(wall, 2), "processor_seconds": round(processor, 2), "samples": SAMPLES,
        "differing": differing, "aigverse": metadata.version("aigverse"), "hardware": hardware(),
        "versions": versions(), "commit": commit(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logic_rewriting", description=__doc__)
    parser.add_argument("programs", nargs="*", default=["mnist_logic"])
    for name in parser.parse_args().programs:
        program = bitwright.load(name) if Path(name).exists() else bitwright.pretrained(name)
        known = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
        known[Path(name).stem] = measure(program, Path(name).stem)
        PATH.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
