"""Every backend of this machine on every Program of the zoo and on deep random ones, value by value.

A backend that lacks an operation says so in a ProgramError that names it. BITWRIGHT_DEEP sets how many deep random
Programs are grown (default 40). Slow kernels see fewer samples.
"""

import os

import numpy as np
import pytest
from building import data_for
from random_programs import constant_share, random_program
from zoo import ZOO

from bitwright.ir import OPS, ProgramError, execute, from_bytes, join_backends
from bitwright.ir.checker import steps

N_DEEP = int(os.environ.get("BITWRIGHT_DEEP", "40"))
BACKENDS = [name for name in join_backends() if name != "interpreter"]
needs_backend = pytest.mark.skipif(not BACKENDS, reason="needs the native core: install with a C compiler")


def same(got, wanted, what):
    assert got.shape == wanted.shape, what
    assert np.array_equal(got, wanted), f"{what}: {int((got != wanted).sum())} of {wanted.size} values differ"


def cost(program):
    """Elementary steps a sample."""
    return sum(
        steps(op, [program.types[i] for i in op.inputs], t) for op, t in zip(program.ops, program.types, strict=True)
    )


def compare(backend, program, x, values):
    """All values and the scores of one backend with those of the interpreter; True unless it lacks an operation."""
    runner = join_backends()[backend]
    if "reference" in backend:
        few = max(2, 200_000 // cost(program))
        x, values = x[:few], [value[:few] for value in values]
    try:
        kept = runner.values(program, x)
    except ProgramError as error:
        assert any(op.name in str(error) for op in program.ops), f"{backend} names no operation: {error}"
        assert not backend.startswith("cpu"), f"{backend}: {error}"
        return False
    for number, value in kept.items():
        same(value, values[number], f"{backend}, value {number} ({program.ops[number].name})")
    if backend.startswith("cpu"):
        assert set(kept) == set(range(len(program.ops))), "the packed engine shows every value when asked to"
    for threads in (1, 2):
        scores = runner.run(program, x, threads)
        same(scores, values[-1], f"{backend}, {threads} threads")
        assert scores.dtype == values[-1].dtype
    return True


@needs_backend
@pytest.mark.parametrize("name", ZOO)
def test_zoo(name):
    program = ZOO[name]()
    x = data_for(program, 9, seed=1)
    values = execute(program, x, keep=True)
    loaded = from_bytes(program.to_bytes())
    for backend in BACKENDS:
        if not compare(backend, program, x, values):
            continue
        runner = join_backends()[backend]
        same(runner.run(loaded, x[:2]), values[-1][:2], f"{backend}, saved and loaded")
        same(runner.run(program, x[:0]), values[-1][:0], f"{backend}, no sample")
        same(runner.run(program, x[:1]), values[-1][:1], f"{backend}, one sample")


BATCHES = [name for i, name in enumerate(ZOO) if i % 8 == 0 or name.startswith(("say-all", "small"))]


@needs_backend
@pytest.mark.parametrize("name", BATCHES)
def test_a_large_batch(name):
    """513 samples: blocks and threads must not be seen."""
    program = ZOO[name]()
    batch = 513 if cost(program) < 20_000 else 65
    x = data_for(program, batch, seed=2)
    scores = execute(program, x)[-1]
    for backend in BACKENDS:
        if "reference" not in backend or cost(program) < 1000:
            same(join_backends()[backend].run(program, x, 2), scores, backend)


@needs_backend
@pytest.mark.parametrize("seed", range(N_DEEP))
def test_deep_random_programs(seed):
    program, x = random_program(seed)
    values = execute(program, x, keep=True)
    assert constant_share(program, values) < 0.2
    for backend in BACKENDS:
        compare(backend, program, x, values)
    assert from_bytes(program.to_bytes()).to_bytes() == program.to_bytes()


def test_deep_programs_hold_every_operation():
    found = {op.name for seed in range(30) for op in random_program(seed)[0].ops}
    assert found == set(OPS)


def test_the_zoo_holds_every_operation():
    assert {op.name for make in ZOO.values() for op in make().ops} == set(OPS)


@pytest.mark.parametrize("seed", range(3))
def test_deep_programs_against_plain_loops(seed):
    """The interpreter itself, on deep Programs, a few samples."""
    from oracle import check_program

    program, x = random_program(1000 + seed, depth=8)
    check_program(program, x[:2])


@needs_backend
def test_auto_is_the_last_backend_and_all_agree_with_it():
    program = ZOO["sign_cnn"]()
    x = data_for(program, 9)
    assert (program.run(x) == execute(program, x)[-1]).all()
    assert (program.predict(x) == execute(program, x)[-1].argmax(axis=1)).all()
    assert program.verify(x).ok and len(program.verify(x).backends) == len(BACKENDS)
