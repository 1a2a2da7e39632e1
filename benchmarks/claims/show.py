"""A table of claims on the terminal: with rich where it is installed and the terminal is one, else plain lines."""

import sys
import textwrap
from collections.abc import Sequence

from benchmarks.claims.claim import Row


def show(of: str, rows: Sequence[Row]) -> None:
    met = sum(bool(row.met) for row in rows)
    title = f"claims of {of}: {met} met, {len(rows) - met} open"
    if sys.stdout.isatty() and _rich(title, rows):
        return
    print(plain(title, rows))


def plain(title: str, rows: Sequence[Row]) -> str:
    """Four lines a claim: state and what, bar, measured, command."""
    lines = [title]
    for row in rows:
        measured = row.measured + (f"  ({row.when}, {row.commit})" if row.when else "")
        lines += ["", f"{row.state:4}  {row.what}"]
        for name, text in (("bar", row.bar), ("measured", measured), ("command", row.command)):
            lines += textwrap.wrap(text, 110, initial_indent=f"      {name:9} ", subsequent_indent=" " * 16,
                                   break_long_words=False, break_on_hyphens=False)  # fmt: skip
    return "\n".join(lines)


def _rich(title: str, rows: Sequence[Row]) -> bool:
    try:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table
    except ImportError:
        return False
    table = Table(title=title, show_lines=True)
    for column in ("claim", "bar", "measured", "command"):
        table.add_column(column, overflow="fold", ratio=3 if column in ("claim", "measured") else 2)
    table.add_column("")
    for row in rows:
        style = "green" if row.met else "yellow" if row.met is None else "red"
        cells = [escape(cell) for cell in (row.what, row.bar, row.measured, row.command)]
        table.add_row(*cells, f"[{style}]{row.state}[/]")
    Console().print(table)
    return True
