"""A truth table as an expression of & | ^ ~, which C and Verilog read alike."""

from collections.abc import Sequence
from functools import lru_cache


def expression(table: int, inputs: Sequence[str]) -> tuple[str, int]:
    """(text, number of operators): bit a of table is the output at address a, the first input the most significant.

    inputs: simple names. A constant table gives "0" or "1", which only a whole expression can be; the caller says
    what all ones are in its language.
    """
    text, cost = _template(table, tuple(range(len(inputs))))
    return text.format(*inputs), cost


@lru_cache(maxsize=1 << 16)
def _template(table: int, places: tuple[int, ...]) -> tuple[str, int]:
    """Splits the table by one input at a time (Shannon); up to four inputs, by the one that gives the least text."""
    if table in (0, (1 << (1 << len(places))) - 1):
        return ("1" if table else "0"), 0
    pivots = range(len(places)) if len(places) <= 4 else (0,)
    return min((_split(table, places, pivot) for pivot in pivots), key=lambda found: found[1])


def _split(table: int, places: tuple[int, ...], pivot: int) -> tuple[str, int]:
    rest = places[:pivot] + places[pivot + 1 :]
    weight = len(places) - 1 - pivot  # of the pivot's bit in the address
    low = high = 0
    for address in range(1 << len(rest)):
        above, below = address >> weight, address & ((1 << weight) - 1)
        whole = above << (weight + 1) | below
        low |= (table >> whole & 1) << address
        high |= (table >> (whole | 1 << weight) & 1) << address
    ones = (1 << (1 << len(rest))) - 1
    x = f"{{{places[pivot]}}}"
    if low == high:
        return _template(low, rest)
    if (low, high) == (0, ones):
        return x, 0
    if (low, high) == (ones, 0):
        return f"~{x}", 1
    if low in (0, ones):  # x & high, ~x | high
        text, cost = _template(high, rest)
        return (f"({x} & {text})", cost + 1) if low == 0 else (f"(~{x} | {text})", cost + 2)
    low_text, low_cost = _template(low, rest)
    if high in (0, ones):
        return (f"(~{x} & {low_text})", low_cost + 2) if high == 0 else (f"({x} | {low_text})", low_cost + 1)
    if low == high ^ ones:
        return f"({x} ^ {low_text})", low_cost + 1
    text, cost = _template(high, rest)
    return f"(({x} & {text}) | (~{x} & {low_text}))", low_cost + cost + 4
