"""What the tests of the exporters share: Programs of every kind, the tools they need, and how to compile and run C."""

import shutil
import subprocess
from functools import cache

import numpy as np
import pytest

from bitwright.backends.export import export
from bitwright.ir import Builder, execute
from tests.backends.programs import PROGRAMS, random_input
from tests.battery.random_programs import random_program
from tests.battery.say_all import SAY_ALL


def needs_tools(*names):
    missing = [name for name in names if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}: install with the system's packages")


def dense_logic(seed, widths=(40, 700, 90, 60), k=2, planes=1):
    """Bytes, a thermometer, layers of tables, unequal groups with inverters and offsets."""
    rng, b = np.random.default_rng(seed), Builder()
    t = np.sort(rng.integers(-3, 260, (widths[0], planes)), axis=1)
    x = b.threshold(b.input("int", (widths[0],), 0, 255), t, rng.integers(0, 2, widths[0] * planes))
    for n in widths[1:]:
        wiring = rng.integers(0, x.shape[0], (n, k))
        x = b.lut(x, wiring, rng.integers(0, 1 << (1 << k), n, dtype=np.uint64))
    groups = [list(rng.integers(0, x.shape[0], size)) for size in (0, 1, 9, 40, 65)]
    inverted = [[int(v) for v in rng.integers(0, 2, len(group))] for group in groups]
    return b.finish(b.count(x, groups, inverted, rng.integers(-20, 20, len(groups))))


def conv_logic(seed, k=2, pad_value=0):
    """An image of bytes, trees of tables over padded windows, an OR pool, a second convolution, counts."""
    rng, b = np.random.default_rng(seed), Builder()
    x = b.threshold(b.input("int", (2, 6, 5), 0, 255), rng.integers(40, 200, (2, 2)))
    for n_taps, n_tables, n_out in ((7, 12, 5), (5, 6, 3)):
        places = [rng.integers(0, size, n_taps) for size in (x.shape[0], 3, 2)]
        wiring = np.stack([rng.integers(0, n_taps + m, k) for m in range(n_tables)])
        tables = rng.integers(0, 1 << (1 << k), n_tables, dtype=np.uint64)
        outputs = rng.integers(0, n_taps + n_tables, n_out)
        padding = (1, 1, 0, 1)
        x = b.lut_conv2d(x, np.stack(places, 1), wiring, tables, outputs, (3, 2), 1, padding, pad_value)
        x = b.max_pool2d(x, 2, 2, (1, 0, 0, 1))
    x = b.pad(b.reshape(x, (x.type.n_values,)), (1, 2), value=1)
    x = b.concat([x, b.gather(x, rng.integers(0, x.shape[0], 9))])
    groups = np.array_split(rng.permutation(x.shape[0]), 3)
    return b.finish(b.add(b.count(x, [list(group) for group in groups]), np.array([1, -2, 3])))


def bits_in(seed):
    rng, b = np.random.default_rng(seed), Builder()
    x = b.patches(b.input("bits", (3, 4, 5)), 2, 1, (1, 0, 0, 1), pad_value=1)
    x = b.lut(x, rng.integers(0, 12, (20, 3)), rng.integers(0, 256, 20))
    x = b.reshape(b.max_pool2d(x, 2), (20 * 2 * 2,))
    return b.finish(b.count(x, [list(range(30)), list(range(30, 80))], offset=np.array([1 << 33, -4])))


LOGIC = {
    "dense": lambda: dense_logic(0),
    "dense, three thresholds": lambda: dense_logic(1, (19, 64, 65, 30), planes=3),
    "dense, tables of three": lambda: dense_logic(2, (30, 600, 80), k=3),
    "dense, tables of six": lambda: dense_logic(3, (30, 20, 20), k=6),
    "dense, tables of one": lambda: dense_logic(4, (30, 520, 20), k=1),
    "convolution": lambda: conv_logic(5),
    "convolution, tables of four": lambda: conv_logic(6, 4, 1),
    "bits": lambda: bits_in(7),
}


@cache
def programs():
    """Name -> (Program, 513 inputs, scores of the interpreter), of every operation that C has a rule for."""
    made = {f"logic {name}": make() for name, make in LOGIC.items()}
    made |= {name: make(np.random.default_rng(sum(name.encode()))) for name, make in PROGRAMS.items()}
    made |= {f"say-all {name}": make() for name, make in SAY_ALL.items()}
    made |= {f"deep {seed}": random_program(seed)[0] for seed in range(6)}
    cases = {}
    for name, program in made.items():
        if any(op.name == "project" for op in program.ops):
            continue
        x = random_input(program, 513, np.random.default_rng(1))
        cases[name] = (program, x, execute(program, x)[-1])
    return cases


BATCHES = (0, 1, 64, 513)


def compiled_scores(folder, names, lanes, compiler, runner=()):
    """Export, compile and run: name -> list of scores, one for each of BATCHES, then scores and class of one sample."""
    cases, includes, calls, feed = programs(), [], [], []
    for i, name in enumerate(names):
        program, x, _ = cases[name]
        export(program, "c", folder, f"p{i}", lanes=lanes(i, program))
        dtype = input_dtype(folder / f"p{i}.h")
        includes.append(f'#include "p{i}.h"')
        for n in BATCHES:
            calls.append(f"    RUN(p{i}, P{i}, {n})")
            feed.append(np.ascontiguousarray(x[:n], dtype).tobytes())
        calls.append(f"    ONE(p{i}, P{i})")
        feed.append(np.ascontiguousarray(x[:1], dtype).tobytes())
    (folder / "main.c").write_text(MAIN.format("\n".join(includes), "\n".join(calls)))
    sources = ["main.c", *(f"p{i}.c" for i in range(len(names)))]
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    built = subprocess.run([*compiler, *flags, "-o", "main", *sources], cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[:4000]
    ran = subprocess.run([*runner, "./main"], cwd=folder, input=b"".join(feed), capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()[:4000]
    results, at = {}, 0
    for name in names:
        program, _, scores = cases[name]
        results[name] = []
        for n in (*BATCHES, 1):
            size = n * program.n_classes * scores.itemsize
            part = np.frombuffer(ran.stdout[at : at + size], scores.dtype).reshape(n, program.n_classes)
            results[name].append(part)
            at += size
        results[name].append(int.from_bytes(ran.stdout[at : at + 4], "little"))
        at += 4
    assert at == len(ran.stdout)
    return results


def input_dtype(header):
    line = next(line for line in header.read_text().splitlines() if line.endswith("_input;"))
    return np.dtype({"float": "float32"}.get(line.split()[1], line.split()[1].removesuffix("_t")))


MAIN = """
#include <stdio.h>
#include <stdlib.h>
{}
#define RUN(name, NAME, n) {{ \\
    name##_input *x = malloc((n) * NAME##_INPUTS * sizeof *x + 1); \\
    name##_score *s = malloc((n) * NAME##_CLASSES * sizeof *s + 1); \\
    if (fread(x, NAME##_INPUTS * sizeof *x, n, stdin) != n) return 1; \\
    name##_batch(x, n, s); \\
    fwrite(s, NAME##_CLASSES * sizeof *s, n, stdout); free(x); free(s); }}
#define ONE(name, NAME) {{ \\
    name##_input x[NAME##_INPUTS]; name##_score s[NAME##_CLASSES]; int32_t best; \\
    if (fread(x, sizeof x, 1, stdin) != 1) return 1; \\
    name##_scores(x, s); best = name##_class(x); \\
    fwrite(s, sizeof s, 1, stdout); fwrite(&best, 4, 1, stdout); }}
int main(void)
{{
{}
    return 0;
}}
"""
