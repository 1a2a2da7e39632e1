"""The command `export`, called as the command line calls it."""

import pytest

from bitwright.app.exporting import export_command, identifier
from bitwright.ir import Builder


@pytest.fixture
def program(tmp_path):
    b = Builder()
    x = b.lut(b.input("bits", (3,)), [[0, 1], [1, 2]], [6, 8])
    path = tmp_path / "my-net.bw"
    b.finish(b.count(x, [[0], [1]])).save(path)
    return str(path)


def test_it_writes_files_named_after_the_program(program, tmp_path, capsys):
    export_command(program, to="c", out=tmp_path / "c")
    export_command(program, to="verilog", out=tmp_path / "v", name="chip", pipeline=1, vectors=8)
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"my_net.h", "my_net.c"}
    assert {"chip.v", "chip_tb.v", "chip_x.hex"} < {path.name for path in (tmp_path / "v").iterdir()}
    said = capsys.readouterr().out
    assert "my_net.c: " in said and "iverilog -o chip chip.v chip_tb.v" in said


@pytest.mark.parametrize(
    "name, wanted", [("my-net.bw", "my_net"), ("runs/3x3.bw", "net_3x3"), ("mnist_logic", "mnist_logic")]
)
def test_a_name_that_c_and_verilog_take(name, wanted):
    assert identifier(name) == wanted
