"""Exported nets run beside the Program: what differs is counted."""

import numpy as np
import pytest

from benchmarks.logic.exported import compare_c, compare_verilog
from benchmarks.logic.nets import any_net
from bitwright.ir import execute
from tests.backends.exported import needs_tools

needs_cc, needs_iverilog = needs_tools("cc"), needs_tools("iverilog", "vvp")


def small():
    program = any_net(60, 3, n_pixels=20)
    x = np.random.default_rng(1).integers(0, 256, (70, 20), dtype=np.uint8)
    return program, x, execute(program, x)[-1]


@needs_cc
@pytest.mark.parametrize("lanes", [0, 512])
def test_differing_scores_of_c_are_counted(lanes):
    program, x, scores = small()
    assert compare_c(program, x, scores, lanes=lanes).differing == 0
    scores[[0, 64], [3, 9]] += 1
    found = compare_c(program, x, scores, lanes=lanes)
    assert (found.differing, found.compared) == (2, 700)


@needs_iverilog
def test_differing_images_of_verilog_are_counted(monkeypatch):
    program, x, scores = small()
    found = compare_verilog(program, x, pipeline=2)
    assert (found.differing, found.compared) == (0, 70)
    scores[7] += 1
    monkeypatch.setattr("bitwright.backends.verilog.testbench.execute", lambda *_: [scores])
    assert compare_verilog(program, x).differing == 1
