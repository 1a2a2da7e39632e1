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

# Words of C and of (System)Verilog, names of C headers, and what an exported file itself is made of.
_RESERVED = frozenset(
    (
        "always and assign auto begin break buf case casex casez cell char class cmos config const continue deassign "
        "default defparam design disable do double else end endcase endmodule enum edge event extern final float for "
        "force forever fork function generate genvar goto highz0 highz1 if ifnone import incdir include initial "
        "inline inout input instance int integer interface join large liblist library local localparam logic long "
        "macromodule main medium module nand negedge new nmos nor noshowcancelled not notif0 notif1 or output package "
        "parameter pmos posedge primitive program property protected pull0 pull1 pulldown pullup pure rand rcmos real "
        "realtime ref reg register release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 scalared "
        "sequence short showcancelled signed sizeof small solve specify specparam static string strong0 strong1 "
        "struct super supply0 supply1 switch table task this time tran tranif0 tranif1 tri tri0 tri1 triand trior "
        "trireg type typedef union unique unsigned use uwire var vectored virtual void volatile wait wand weak0 weak1 "
        "while wire with wor xnor xor bit bool byte asm typeof own assert ctype errno limits math signal stdarg "
        "stddef stdint stdio stdlib"
    ).split()
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
