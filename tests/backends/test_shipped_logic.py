"""The shipped logic net handed over: C on the whole MNIST test set, Verilog on a few images (2,000: make claims)."""

import pytest
from needs import needs_data

from benchmarks.logic.exported import compare_c, compare_verilog
from bitwright import load_data, pretrained
from bitwright.app.zoo import pretrained_results
from tests.backends.exported import needs_tools

NAME = "mnist_logic"


@pytest.fixture(scope="module")
def images():
    return load_data("mnist").x_test


@needs_data("mnist")
@needs_tools("cc")
def test_c_gives_the_scores_of_every_test_image(images):
    program = pretrained(NAME)
    found = compare_c(program, images, program.run(images))
    assert (found.differing, found.compared) == (0, 100_000)


@needs_data("mnist")
@needs_tools("iverilog", "vvp")
def test_verilog_gives_the_scores_of_some(images):
    found = compare_verilog(pretrained(NAME), images[:16])
    assert (found.differing, found.compared) == (0, 16)


@needs_data("mnist")
def test_what_is_recorded_is_what_it_does(images):
    program, recorded = pretrained(NAME), pretrained_results(NAME)
    right = 100 * (program.predict(images) == load_data("mnist").y_test).mean()
    assert right == pytest.approx(recorded["frozen_accuracy"]) and recorded["recipe"] == NAME
    assert (
        program.summary().logic["trained_gates"] == 48_000 == sum(recorded["recipe_fields"]["model_options"]["widths"])
    )
