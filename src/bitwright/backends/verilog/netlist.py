"""Nets of a Verilog module: made one by one, each with its depth, and registers wherever a net crosses a stage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Net:
    """One net. A bit has width 0; an integer is signed, of `width` bits, and lies within lo..hi.

    level: operations between it and the input. stage: which pipeline stage makes it, 0 the first.
    constant: its value where it is one, so that no logic is spent on it.
    """

    name: str
    width: int = 0
    lo: int = 0
    hi: int = 1
    level: int = 0
    stage: int = 0
    constant: int | None = None

    @property
    def signed(self) -> str:
        """The net as a signed number; a bit counts as 0 or 1."""
        return self.name if self.width else f"$signed({{1'b0, {self.name}}})"


ZERO, ONE = (Net(f"1'b{value}", lo=value, hi=value, constant=value) for value in (0, 1))


def width_of(lo: int, hi: int) -> int:
    """Bits of a two's complement number that holds lo..hi, at least 2."""
    return max(lo.bit_length() if lo >= 0 else (-lo - 1).bit_length(), hi.bit_length(), 1) + 1


def number(value: int, width: int) -> str:
    """A signed literal, wide enough that the number without its sign fits: -2^n would else flip where it is widened."""
    width = max(width, abs(value).bit_length() + 1)
    return f"-{width}'sd{-value}" if value < 0 else f"{width}'sd{value}"


def constant(value: int) -> Net:
    width = width_of(value, value)
    return Net(number(value, width), width, value, value, constant=value)


class Netlist:
    """Lines of a module. pipeline: levels of logic between two registers; 0 for none at all."""

    def __init__(self, pipeline: int = 0) -> None:
        self.pipeline = pipeline
        self.lines: list[str] = []
        self.clocked: list[str] = []
        self._delayed: dict[tuple[str, int], str] = {}
        self._named = 0

    def bit(self, inputs: Sequence[Net], text: Callable[..., str], level: int = 1) -> Net:
        """A bit that is text(names of the inputs). level: how much deeper it is than its deepest input."""
        return self._net(inputs, text, 0, 0, 1, level)

    def integer(self, inputs: Sequence[Net], text: Callable[..., str], lo: int, hi: int, level: int = 1) -> Net:
        """A signed net within lo..hi; wider results are cut, which keeps them right modulo a power of two."""
        return self._net(inputs, text, width_of(lo, hi), lo, hi, level)

    def at_stage(self, net: Net, stage: int) -> str:
        """The net's name as that stage sees it, through as many registers as lie between."""
        name = net.name
        if net.constant is not None:
            return name
        for step in range(net.stage, stage):
            key = (net.name, step + 1)
            if key not in self._delayed:
                delayed = f"{net.name}_r{step + 1}"
                self.lines.append(f"  reg {_range(net.width)}{delayed};")
                self.clocked.append(f"    {delayed} <= {name};")
                self._delayed[key] = delayed
            name = self._delayed[key]
        return name

    def _net(self, inputs: Sequence[Net], text: Callable[..., str], width: int, lo: int, hi: int, level: int) -> Net:
        deepest = max((net.level for net in inputs), default=0) + level
        stage = max((net.stage for net in inputs), default=0)
        if self.pipeline and deepest:
            stage = max(stage, (deepest - 1) // self.pipeline)
        names = [self._seen(net, stage) for net in inputs]
        name = f"n{self._named}"
        self._named += 1
        self.lines.append(f"  wire {_range(width)}{name} = {text(*names)};")
        return Net(name, width, lo, hi, deepest, stage)

    def _seen(self, net: Net, stage: int) -> "Seen":
        return Seen(self.at_stage(net, stage), net.width)


class Seen(str):
    """A net's name in one stage; `signed` as of Net."""

    width: int

    def __new__(cls, name: str, width: int) -> "Seen":
        seen = super().__new__(cls, name)
        seen.width = width
        return seen

    @property
    def signed(self) -> str:
        return str(self) if self.width else f"$signed({{1'b0, {self}}})"


def _range(width: int) -> str:
    return f"signed [{width - 1}:0] " if width else ""


def total(netlist: Netlist, terms: Sequence[Net], offset: int = 0) -> Net:
    """The sum of bits (0 or 1) and integers, as a tree; bits enter it three at a time."""
    offset += sum(net.constant for net in terms if net.constant is not None)
    terms = [net for net in terms if net.constant is None]
    bits, numbers = [net for net in terms if not net.width], [net for net in terms if net.width]
    numbers += [_sum(netlist, bits[i : i + 3]) for i in range(0, len(bits), 3)]
    while len(numbers) > 1:
        numbers = [_sum(netlist, numbers[i : i + 2]) if i + 1 < len(numbers) else numbers[i]
                   for i in range(0, len(numbers), 2)]  # fmt: skip
    if not numbers:
        return constant(offset)
    return plus(netlist, numbers[0], offset)


def plus(netlist: Netlist, net: Net, offset: int) -> Net:
    if net.constant is not None:
        return constant(net.constant + offset)
    if offset == 0:
        return net
    lo, hi = net.lo + offset, net.hi + offset
    literal = number(offset, width_of(min(offset, lo), max(offset, hi)))
    return netlist.integer([net], lambda x: f"{x.signed} + {literal}", lo, hi)


def _sum(netlist: Netlist, nets: Sequence[Net]) -> Net:
    lo, hi = sum(net.lo for net in nets), sum(net.hi for net in nets)
    return netlist.integer(nets, lambda *names: " + ".join(name.signed for name in names), lo, hi)
