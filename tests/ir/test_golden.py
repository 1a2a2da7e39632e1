"""Two files made by hand (plain_writer.py), with scores worked out by hand (golden/*.txt)."""

from pathlib import Path

import numpy as np
import pytest
from plain_writer import GOLDEN, bytes_of_golden_short, short_number

from bitwright.ir import Builder, from_bytes, load
from bitwright.ir.fold import unsigned

FOLDER = Path(__file__).parent / "golden"


def by_hand(name):
    """(inputs, scores, classes) of golden/name.txt."""
    lines = [line.split("->") for line in (FOLDER / f"{name}.txt").read_text().splitlines() if line.count("->") == 2]
    rows = [[[int(v) for v in part.split()] for part in line] for line in lines if line[0].strip()[0].isdigit()]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def built(name):
    b = Builder()
    if name == "linear":
        x = b.threshold(b.input("int", (3,), 0, 15), [5, 8, 3], [0, 1, 0])
        x = b.affine(b.xnor_linear(x, [[1, 0, 1], [0, 1, 1]]), [3, -2], [1, 300], [1, 2])
        return b.finish(x, {"classes": ["no", "yes"]})
    x = b.int_conv2d(b.input("bits", (1, 2, 2)), [[[[1, -2], [3, -8]]]], "i4", padding=(1, 0, 0, 0))
    return b.finish(b.reshape(x, (2,)))


@pytest.mark.parametrize("name", GOLDEN)
def test_the_committed_file_is_what_the_page_says(name):
    committed = (FOLDER / f"{name}.bw").read_bytes()
    assert committed == GOLDEN[name]()
    assert built(name).to_bytes() == committed
    assert from_bytes(committed).to_bytes() == committed


def test_the_short_form_is_what_the_page_says():
    committed = (FOLDER / "short.bw").read_bytes()
    assert committed == bytes_of_golden_short()
    program = from_bytes(committed)
    assert program.to_bytes() == GOLDEN["linear"]() and program.header == {"classes": ["no", "yes"]}
    written = program.to_bytes(short=True)
    n_records, n_blobs = (int.from_bytes(committed[at : at + 8], "little") for at in (24, 56))
    assert written[128 : 128 + n_records] == committed[128 : 128 + n_records]
    assert written[-n_blobs:] == committed[-n_blobs:]
    for value in (0, 127, 128, 300, (1 << 64) - 1):
        assert unsigned(value) == short_number(value)


@pytest.mark.parametrize("name", GOLDEN)
def test_scores_worked_out_by_hand(name):
    program = load(FOLDER / f"{name}.bw")
    x, scores, classes = by_hand(name)
    assert len(x) == 4
    x = x.reshape(len(x), *program.input_type.shape)
    assert (program.run(x, backend="interpreter") == scores).all()
    assert (program.predict(x, backend="interpreter") == classes[:, 0]).all()


def test_class_names_and_types():
    program = load(FOLDER / "linear.bw")
    assert program.classes == ["no", "yes"]
    types = ["int[3] in 0..15", "bits[3]", "int[2] in -3..3", "int[2] in -4..76", "int[2] in -4..76"]
    assert [str(t) for t in program.types] == types
    assert load(FOLDER / "conv.bw").classes == ["0", "1"]
