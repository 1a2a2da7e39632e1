"""Thousands of damaged files: an error, or a valid Program on which all agree; no crash, no hang, no gigabyte.

The interpreter's loader and the C loader give the same verdict, and the scores are the same, the C side compiled with
the address and undefined-behaviour sanitizers. BITWRIGHT_MUTATIONS sets how many files (default 10,000); above that
they come in rounds of 10,000.
"""

import os
import resource
import subprocess
import time

import fuzz_driver
import numpy as np
import pytest
from mutations import LIMITS, mutations

from bitwright.ir import ProgramError, execute, from_bytes

TOTAL = int(os.environ.get("BITWRIGHT_MUTATIONS", "10000"))
COUNT = min(TOTAL, 10_000)  # of a round
# The C loader does not read the JSON, which is for people.
JSON = "header is not"
MASK = (1 << 64) - 1


def megabytes(who):
    return resource.getrusage(who).ru_maxrss / 1024


def driver_input(type_):
    """The 3 samples of fuzz_driver.c."""
    shape = (3, *type_.shape)
    with np.errstate(over="ignore"):
        z = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    if type_.kind == "float":
        return (((z % np.uint64(65)).astype(int) - 32) / 8).astype(np.float32).reshape(shape)
    span = 2 if type_.kind == "bits" else type_.hi - type_.lo + 1
    return (type_.lo + (z % np.uint64(span)).astype(np.int64)).reshape(shape)


def fnv(data):
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 & MASK
    return value


def verdict(data):
    """What fuzz_driver should print: `ok <hash> <operations>`, or `error` and the message of the Python loader."""
    try:
        program = from_bytes(data, LIMITS)
    except ProgramError as error:
        return f"error {error}"
    for short in (False, True):
        assert from_bytes(program.to_bytes(short), LIMITS).types == program.types
    scores = execute(program, driver_input(program.input_type))[-1]
    return f"ok {fnv(scores.astype(scores.dtype.newbyteorder('<')).tobytes()):016x} {len(program.ops)}"


@pytest.fixture(scope="module", params=range(-(-TOTAL // COUNT)))
def judged(request):
    """(file, verdict of the Python loader) for every mutation."""
    pairs, slowest, before = [], 0.0, megabytes(resource.RUSAGE_SELF)
    for data in mutations(COUNT, seed=request.param):
        begin = time.process_time()
        pairs.append((data, verdict(data)))
        slowest = max(slowest, time.process_time() - begin)
    assert slowest < 5, f"a file took {slowest:.1f} s"
    assert megabytes(resource.RUSAGE_SELF) - before < 500
    return pairs


def test_an_error_or_a_valid_program(judged):
    valid = [said for _, said in judged if said.startswith("ok")]
    assert len(judged) == COUNT
    assert 0.02 * COUNT < len(valid) < 0.5 * COUNT  # else the mutations test nothing
    reasons = {said.split(":")[0][:40] for _, said in judged if said.startswith("error")}
    assert len(reasons) > min(50, COUNT // 50)


@pytest.mark.skipif(bool(fuzz_driver.missing()), reason=fuzz_driver.missing() or "-")
def test_the_c_loader_and_engine_agree_under_sanitizers(judged, tmp_path):
    driver = fuzz_driver.build()
    files = []
    for number, (data, _) in enumerate(judged):
        files.append(tmp_path / f"{number}.bw")
        files[-1].write_bytes(data)
    environment = os.environ | {
        "ASAN_OPTIONS": "hard_rss_limit_mb=1024:max_allocation_size_mb=512:quarantine_size_mb=16"
    }
    done = subprocess.run(
        [str(driver)], input="\n".join(map(str, files)), text=True, capture_output=True, timeout=60 + COUNT / 10,
        env=environment, errors="replace",
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"crashed at file {len(lines)}: {done.stderr[-3000:]}"
    assert len(lines) == len(judged)
    wrong = []
    for number, (line, (_, said)) in enumerate(zip(lines, judged, strict=True)):
        if said.startswith("ok"):
            same = line == said
        else:
            same = line.startswith("error") or said.startswith(f"error {JSON}")
        if not same:
            wrong.append(f"file {number}: Python says {said!r}, C says {line!r}")
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong[:20])
