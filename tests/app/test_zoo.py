"""Shipped Programs: each in the short form, with a file beside it that says how large it is and what it holds."""

import pytest

from bitwright import pretrained
from bitwright.app.zoo import FOLDER, list_pretrained, pretrained_results
from bitwright.bench.evaluate import describe_program
from bitwright.ir.file import SHORT


def test_each_has_its_results_file():
    assert {path.stem for path in FOLDER.glob("*.bw")} == {path.stem for path in FOLDER.glob("*.json")}
    assert set(list_pretrained()) >= {"mnist_sign_mlp", "mnist_gnet", "mnist_logic", "mnist_logic_conv"}


@pytest.mark.parametrize("name", list_pretrained())
def test_it_is_short_and_as_large_as_stated(name):
    content, program = (FOLDER / f"{name}.bw").read_bytes(), pretrained(name)
    recorded = pretrained_results(name)
    assert int.from_bytes(content[8:12], "little") == SHORT
    assert len(content) == recorded["file_bytes"] == len(program.to_bytes(short=True))
    assert program.header["recipe"]["name"] == recorded["recipe"]
    assert describe_program(program)["weights"] == recorded["weights"]
