"""Programs as text for other tools: `export(program, "c", "out")`."""

import inspect
import re
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from bitwright.backends.c import export_c
from bitwright.backends.verilog import export_verilog
from bitwright.ir.file import write_atomically
from bitwright.ir.program import Program

# Name -> function(program, name, **options) that gives the text of each file by its name.
EXPORTERS: dict[str, Callable[..., dict[str, str]]] = {"c": export_c, "verilog": export_verilog}

_RESERVED = frozenset(
    "always and assign auto begin break buf case char const continue default deassign default do double else end enum "
    "edge endcase endmodule event extern float for force forever fork function generate goto if initial inline inout "
    "input int integer join long main module nand negedge nor not or output parameter posedge real reg register "
    "repeat restrict return short signed sizeof static struct supply0 supply1 switch table task time tri typedef "
    "union unsigned void volatile wait wand while wire wor xnor xor".split()
)


def export(program: Program, to: str, out: str | PathLike, name: str = "model", **options) -> list[Path]:
    """Write the Program as files in the folder `out` (made if missing) and return their paths.

    to: "c": NAME.c and NAME.h, one self-contained C99 file and its header; options: lanes.
        "verilog": NAME.v, a testbench and its vectors; options: pipeline, argmax, vectors.
    name: of the files, functions and module; a C identifier.
    Raises ValueError for an unknown target, name or option, and where the target has no rule for an operation. A file
    is there in full or not at all: each is written beside its place and then moved.
    """
    if to not in EXPORTERS:
        raise ValueError(f"export: no target {to!r}; targets: {', '.join(EXPORTERS)}")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name.lower() in _RESERVED:
        raise ValueError(f"export {to}: name {name!r} cannot name a function; use letters, digits and _, e.g. 'model'")
    known = list(inspect.signature(EXPORTERS[to]).parameters)[2:]
    for option in options:
        if option not in known:
            raise ValueError(f"export {to}: no option {option!r}; options: {', '.join(known)}")
    texts = EXPORTERS[to](program, name, **options)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_atomically(folder / file, text.encode())
    return [folder / file for file in texts]
