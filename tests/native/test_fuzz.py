"""Mutated files through loader, planner and every kernel set, sanitized: an error, or the interpreter's own scores."""

import os
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from bitwright.ir.executors import executor
from bitwright.ir.load import from_bytes
from bitwright.ir.types import Limits, ProgramError
from tests.backends.programs import PROGRAMS
from tests.native.build import SANITIZE, build_with_core, has_sanitizers

SMALL = Limits(ops=256, tensor=1 << 14, total=1 << 16, steps=1 << 24, json_bytes=1 << 16)  # those of fuzz_driver.c
SAMPLES = 3
MUTANTS = int(os.environ.get("BITWRIGHT_MUTANTS", "10"))  # of each Program


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    if not has_sanitizers():
        pytest.skip("needs a C compiler with sanitizers: apt install gcc libasan")
    out = tmp_path_factory.mktemp("fuzz") / "fuzz_driver"
    return build_with_core(Path(__file__).with_name("fuzz_driver.c"), out, SANITIZE)


def run_driver(driver, paths):
    env = os.environ | {"ASAN_OPTIONS": "hard_rss_limit_mb=1024:allocator_may_return_null=1"}
    text = "\n".join(map(str, paths)) + "\n"
    done = subprocess.run([driver], input=text, capture_output=True, text=True, env=env, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    lines = done.stdout.splitlines()
    assert len(lines) == len(paths)
    return lines


def splitmix64(n):
    z = (np.arange(1, n + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def driver_input(type_):
    """The input fuzz_driver.c makes."""
    shape = (SAMPLES, *type_.shape)
    words = splitmix64(SAMPLES * type_.n_values)
    if type_.kind == "float":
        return ((words % np.uint64(65)).astype(np.float32) / 8 - 4).reshape(shape)
    lo, hi = (0, 1) if type_.kind == "bits" else (type_.lo, type_.hi)
    return (lo + (words % np.uint64(hi - lo + 1)).astype(np.int64)).reshape(shape)


def hash_of(scores):
    value = 14695981039346656037
    for byte in scores.tobytes():
        value = (value ^ byte) * 1099511628211 % (1 << 64)
    return f"{value:016x}"


def mutate(data, rng):
    data, records = bytearray(data), struct.unpack_from("<Q", data, 24)[0]
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(data)))
        if rng.random() < 0.6:  # the records, where a change means most
            at = 128 + int(rng.integers(records))
        kind = rng.integers(4)
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            data[at] = int(rng.integers(256))
        elif kind == 2:
            data[at] = (data[at] + int(rng.choice([-1, 1]))) % 256
        else:
            data[at : at + 8] = int(rng.choice([0, 1, 255, 1 << 31, 1 << 62, 2**63 - 1])).to_bytes(8, "little")[
                : len(data) - at
            ]
    if rng.random() < 0.05:
        data = data[: int(rng.integers(len(data)))]
    if rng.random() < 0.9 and len(data) >= 80:  # else the checksum stops it
        struct.pack_into("<I", data, 72, 0)
        struct.pack_into("<I", data, 72, zlib.crc32(data))
    return bytes(data)


def check(data, line):
    assert not line.startswith("DIFFER"), line
    if "overlap" in line or "belongs to no constant" in line:
        return
    try:
        program = from_bytes(data, SMALL)
    except ProgramError as error:  # the header for people is no concern of the C loader
        assert line.startswith("error") or "JSON" in str(error), (line, error)
        return
    assert line.startswith("ok"), line
    scores = executor("interpreter").run(program, driver_input(program.input_type))
    assert line.split()[1] == hash_of(scores)


def test_whole_and_mutated_files(driver, tmp_path):
    rng = np.random.default_rng(11)
    files = []
    for build in PROGRAMS.values():
        data = build(rng).to_bytes()
        files += [data] + [mutate(data, rng) for _ in range(MUTANTS)]
    paths = [tmp_path / f"{i}.bw" for i in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    for data, line in zip(files, run_driver(driver, paths), strict=True):
        check(data, line)
