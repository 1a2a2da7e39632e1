"""The command `export`: a Program as C or Verilog."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg


def export_command(
    program: Positional[str],
    /,
    to: Literal["c", "verilog"],
    out: Path = Path("export"),
    name: str = "",
    lanes: Annotated[int, arg(metavar="N")] = 0,
    pipeline: Annotated[int, arg(metavar="N")] = 0,
    vectors: Annotated[int, arg(metavar="N")] = 64,
) -> None:
    """Write a Program as one C99 file with its header, or as a Verilog module with a self-checking testbench.

    Examples: bitwright export model.bw --to c --out firmware
    bitwright export model.bw --to verilog --pipeline 4

    Args:
        program: a .bw file, or the name of a shipped Program.
        to: c or verilog.
        out: the folder to write into.
        name: of the files and functions; by default the Program's file name.
        lanes: c: samples that run together (1, 8 .. 512); 0 chooses.
        pipeline: verilog: levels of logic between registers; 0 for none.
        vectors: verilog: random inputs the testbench checks.
    """
    from bitwright.app.commands import open_program
    from bitwright.backends.export import export

    own = {"c": {"lanes": lanes}, "verilog": {"pipeline": pipeline, "vectors": vectors}}
    paths = export(open_program(program), to, out, name or identifier(program), **own[to])
    for path in paths:
        print(f"{path}: {path.stat().st_size:,} bytes")
    if to == "verilog":
        stem = paths[0].stem
        print(f"next: cd {out} && iverilog -o {stem} {stem}.v {stem}_tb.v && vvp {stem}")


def identifier(program: str) -> str:
    """A file's name made into one that C and Verilog take: my-net.bw gives my_net."""
    stem = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in Path(program).stem)
    return stem if stem[:1].isalpha() else f"net_{stem}"
