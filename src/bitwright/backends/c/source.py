"""The C file being written: its functions, constants and memory. Rules for operations add to it.

A block of up to `lanes` samples runs together. A bit value is a word, or several side by side, whose bit l is that of
sample l; an integer value holds `lanes` numbers side by side. So one text serves one sample at a time and 512.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import Template

import numpy as np

from bitwright.ir.program import Op
from bitwright.ir.types import ValueType

PART = 500  # operators a function holds at most: compilers take more than linear time over longer ones


@dataclass(frozen=True)
class Ref:
    """A value of the Program in the C file: its type, the C type of its elements, where it lies."""

    type: ValueType
    ctype: str
    place: str

    @property
    def channels(self) -> int:
        return self.type.shape[0]

    @property
    def positions(self) -> int:
        return self.type.n_values // self.type.shape[0]


Rule = Callable[["Source", Op, str, Sequence[Ref], Ref], None]  # (source, op, its function's name, inputs, output)
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Decorator: this function writes these operations."""

    def add(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return add


class Source:
    """Definitions in order, the calls of one block, and the scratch memory they need."""

    def __init__(self, lanes: int) -> None:
        self.lanes, self.words = lanes, max(lanes // 64, 1)
        self.definitions: list[str] = []
        self.calls: list[str] = []
        self.scratch = {"word": 0, "uint64_t": 0}
        self._helpers: set[str] = set()

    def define(self, text: str, **names: object) -> None:
        """Add a definition; $name in it is replaced."""
        self.definitions.append(Template(text).substitute(names).strip("\n"))

    def helper(self, text: str) -> None:
        """Add a definition that several operations share, once."""
        if text not in self._helpers:
            self._helpers.add(text)
            self.definitions.append(text.strip("\n"))

    def call(self, function: str, *arguments: object) -> None:
        self.calls.append(f"{function}({', '.join(str(a) for a in arguments)});")

    def need(self, kind: str, count: int) -> str:
        """The place of `count` scratch elements of that C type, shared by all operations."""
        self.scratch[kind] = max(self.scratch[kind], count * (self.words if kind == "word" else 1))
        return "m->" + ("scratch" if kind == "word" else "packed")

    def array(self, name: str, values: np.ndarray, ctype: str = "") -> None:
        """A constant array of integers, by default of the smallest type that holds them."""
        numbers = [int(v) for v in np.asarray(values).reshape(-1)]
        ctype = ctype or smallest_ctype(min(numbers), max(numbers))
        self.definitions.append(
            f"static const {ctype} {name}[{len(numbers)}] = {{\n{_lines(_literals(numbers, ctype))}\n}};"
        )

    def parts(self, name: str, parameters: str, statements: Iterable[tuple[str, int]], arguments: str) -> str:
        """Split (statement, operators) over functions of bounded length; returns the text that calls them all."""
        bodies: list[list[str]] = [[]]
        size = 0
        for text, cost in statements:
            if size + cost + 1 > PART and bodies[-1]:
                bodies.append([])
                size = 0
            bodies[-1].append(text)
            size += cost + 1
        for i, body in enumerate(bodies):
            lines = "\n".join(f"    {line}" for line in body)
            self.definitions.append(f"PART static void {name}_part{i}({parameters})\n{{\n{lines}\n}}")
        return "\n".join(f"        {name}_part{i}({arguments});" for i in range(len(bodies)))


def ctype_of(type_: ValueType) -> str:
    """Floats are held as integers of the same order."""
    if type_.kind == "bits":
        return "word"
    return "int32_t" if type_.kind == "float" or _fits(type_.lo, type_.hi, 31) else "int64_t"


def smallest_ctype(lo: int, hi: int) -> str:
    """Unsigned only where C makes an int of it: against uint32_t a negative int would be compared as unsigned."""
    for width in (8, 16, 32, 64):
        if 0 <= lo and hi < 1 << width and width < 32:
            return f"uint{width}_t"
        if _fits(lo, hi, width - 1):
            return f"int{width}_t"
    return "uint64_t"


def literal(value: int, ctype: str = "") -> str:
    if ctype == "uint64_t":
        return f"UINT64_C({value:#x})"
    if ctype == "uint32_t":
        return f"{value}u"
    if value == -(1 << 31):
        return "(-2147483647 - 1)"
    if -(1 << 31) < value < 1 << 31:
        return str(value)
    return f"INT64_C({value})"


def _fits(lo: int, hi: int, width: int) -> bool:
    return -(1 << width) <= lo and hi < 1 << width


def _literals(numbers: list[int], ctype: str) -> list[str]:
    return [literal(v, ctype) for v in numbers]


def _lines(items: list[str], width: int = 112) -> str:
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) + 2 > width:
            lines.append(line.rstrip())
            line = ""
        line += item + ", "
    lines.append(line.rstrip(", "))
    return "\n".join("    " + text for text in lines)
