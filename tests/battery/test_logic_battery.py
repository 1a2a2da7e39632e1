"""Bit-sliced logic at batches around a word's and a register's edge, and beside the tables written out again."""

import numpy as np
import pytest
from building import data_for
from logic_programs import LOGIC
from test_backends import BACKENDS, needs_backend, same

from bitwright.ir import execute, join_backends

BATCHES = (0, 1, 63, 64, 65, 256, 257, 511, 512, 513)


@needs_backend
@pytest.mark.parametrize("name", LOGIC)
def test_batches_around_planes(name):
    program = LOGIC[name]()
    x = data_for(program, max(BATCHES), seed=3)
    scores = execute(program, x)[-1]
    for backend in BACKENDS:
        for batch in BATCHES:
            same(join_backends()[backend].run(program, x[:batch], 1), scores[:batch], f"{backend}, {batch} samples")
        same(join_backends()[backend].run(program, x, 2), scores, f"{backend}, two threads")


@needs_backend
@pytest.mark.parametrize("k", [2, 3])
def test_every_table_at_every_address(k):
    program = LOGIC[f"all tables of {('two', 'three')[k - 2]} inputs"]()
    x = (np.arange(1 << k)[:, None] >> np.arange(k)[::-1] & 1).astype(np.uint8)
    if k == 2:
        layer = (np.arange(16)[:, None] >> np.arange(4) & 1).T  # [address, table]
        first = np.concatenate([layer, layer[[0, 2, 1, 3]], layer[[0, 0, 3, 3]]], axis=1)
        op = next(op for op in program.ops[2:] if op.name == "lut")
        a, b = first[:, op.consts["wiring"][:, 0]], first[:, op.consts["wiring"][:, 1]]
        expected = op.consts["table"].astype(int) >> (2 * a + b) & 1
    else:
        expected = np.arange(256) >> np.arange(8)[:, None] & 1
    for backend in BACKENDS:
        assert (join_backends()[backend].run(program, x) == expected).all(), backend
