"""How long fresh processes take to import bitwright and to print a command's help."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

COMMANDS = ("", "train", "freeze", "verify", "eval", "predict", "summary", "bench", "doctor", "demo")


@dataclass(frozen=True)
class Startup:
    """Seconds, medians. beyond_numpy: what `import bitwright` adds to `import numpy`. help: command -> its --help."""

    beyond_numpy: float
    help: dict[str, float]

    @property
    def slowest_help(self) -> tuple[str, float]:
        return max(self.help.items(), key=lambda item: item[1])

    def __str__(self) -> str:
        command, seconds = self.slowest_help
        name = f"bitwright {command}".strip()
        return f"import {self.beyond_numpy:.3f} s beyond NumPy; --help at most {seconds:.3f} s ({name})"


def measure_startup(rounds: int = 7, commands: tuple[str, ...] = COMMANDS) -> Startup:
    """Medians over `rounds` fresh processes of each, interleaved, after one to fill the caches of files."""
    calls = {"numpy": ["-c", "import numpy"], "bitwright": ["-c", "import numpy, bitwright"]}
    calls |= {f"help {name}": ["-m", "bitwright", *([name] if name else []), "--help"] for name in commands}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, words in calls.items():
            seconds = _seconds(words)
            if number:
                taken[name].append(seconds)
    found = {name: median(samples) for name, samples in taken.items()}
    helps = {name: found[f"help {name}"] for name in commands}
    return Startup(max(0.0, found["bitwright"] - found["numpy"]), helps)


def _seconds(words: list[str]) -> float:
    source = str(Path(__file__).resolve().parents[2])  # where this bitwright lies
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    started = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": path}
    run = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment)
    taken = time.perf_counter() - started
    if run.returncode:
        raise RuntimeError(f"startup: python {' '.join(words)} failed: {run.stderr.strip().splitlines()[-1:]}")
    return taken
