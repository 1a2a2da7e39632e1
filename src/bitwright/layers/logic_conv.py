"""Convolutions of logic gates: each output channel is a small tree of gates over a window, the same at every position.

Source: Petersen et al. 2024, arXiv:2411.04732, Sec. 3: trees over random places of the window, each seeing few
channels; pooling by OR, relaxed to a maximum.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import lower
from ..ir.windows import four, pair
from . import native_choice
from .checked_indices import CheckedIndices
from .gate_stack import Remembered, stack_plan, takes
from .gate_tables import GateTables, check_choice
from .gate_windows import gate_windows
from .gates import relaxed_gates, scatter_plan
from .learned_wiring import LearnedWiring

Size = int | tuple[int, int]


class LogicConv2d(CheckedIndices):
    """x: (batch, in_channels, H, W) in [0, 1] -> (batch, out_channels, H', W'); bits give bits in eval.

    depth: levels of each tree, 1..4: k^depth leaves, drawn from the window without repeating a place where it has
    enough. channels_per_tree: how many input channels one tree sees (None: all of its group). groups as in torch.
    pad_value: 0 or 1, the bit outside the image. parametrization, residual, sampling, temperature, harden_at as in
    LogicLinear. `taps` (channel, dy, dx) of each leaf is a buffer, saved with the weights. wiring: "random", or
    "learned": each leaf chooses among n_candidates places that its tree sees, as a connection of LogicLinear does;
    while training windows are then unfolded, which takes more memory and time than trees that lie fixed.
    Raises ValueError for sizes that do not fit together.
    """

    taps: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, depth: int = 3, stride: Size = 1,
                 padding: Size = 0, pad_value: int = 0, channels_per_tree: int | None = 2, groups: int = 1, k: int = 2,
                 parametrization: str = "gates16", residual: bool = True, sampling: str = "soft",
                 temperature: float = 1.0, harden_at: float = 1.0, wiring: str = "random",
                 n_candidates: int = 8):  # fmt: skip
        super().__init__()
        check_choice("wiring of windows", wiring, ("random", "learned"))
        if not 1 <= depth <= 4 or pad_value not in (0, 1):
            raise ValueError(f"LogicConv2d: depth {depth}, pad_value {pad_value}; expected 1..4 levels, and 0 or 1")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"LogicConv2d: {groups} groups do not divide {in_channels} and {out_channels} channels")
        if min(in_channels, out_channels, *pair(kernel_size), *pair(stride)) < 1 or min(four(padding)) < 0:
            raise ValueError(
                f"LogicConv2d: channels {in_channels} and {out_channels}, kernel_size {kernel_size}, stride {stride}, "
                f"padding {padding}; expected at least 1 each, and padding from 0"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.padding = pair(kernel_size), pair(stride), four(padding)
        self.pad_value, self.depth, self.k = pad_value, depth, k
        per_tree = in_channels // groups if channels_per_tree is None else min(channels_per_tree, in_channels // groups)
        if per_tree < 1:
            raise ValueError(f"LogicConv2d: channels_per_tree is {channels_per_tree}, expected at least 1")
        self.choice: LearnedWiring | None = None
        if wiring == "learned":
            self.choice = self._draw_choice(per_tree, n_candidates, sampling != "soft")
            self.register_buffer("taps", self.final_taps())
        else:
            self.register_buffer("taps", self._draw_taps(per_tree))
        self._wirings, self._plan, self._scatter = Remembered(), Remembered(), Remembered()
        n_gates = out_channels * sum(k**level for level in range(depth))
        self.tables = GateTables(n_gates, k, parametrization, residual, sampling, temperature, harden_at)

    def _draw_taps(self, per_tree: int) -> Tensor:
        """int32 (out_channels * leaves, 3)."""
        n_leaves, places, found = self.k**self.depth, per_tree * self.kernel_size[0] * self.kernel_size[1], []
        for out in range(self.out_channels):
            channels = self._draw_channels(out, per_tree)
            rounds = [torch.randperm(places) for _ in range(-(-n_leaves // places))]
            found.append(self._seen(channels, torch.cat(rounds)[:n_leaves]))
        return self._taps_of(torch.cat(found))

    def _draw_choice(self, per_tree: int, n_candidates: int, hard: bool) -> LearnedWiring:
        """For each leaf, distinct places that its tree sees."""
        spots, n_leaves = self.kernel_size[0] * self.kernel_size[1], self.k**self.depth
        if not 2 <= n_candidates <= per_tree * spots:
            raise ValueError(
                f"LogicConv2d: {n_candidates} candidates, expected 2..{per_tree * spots} (the places a tree sees: "
                f"{per_tree} channels x {self.kernel_size[0]} x {self.kernel_size[1]})"
            )
        found = []
        for out in range(self.out_channels):
            channels = self._draw_channels(out, per_tree)
            drawn = torch.rand(n_leaves, per_tree * spots).argsort(1)[:, :n_candidates]
            found.append(self._seen(channels, drawn))
        leaves = torch.cat(found).reshape(-1, self.k, n_candidates)  # gates of the first level, their inputs
        among = leaves.transpose(0, 1).reshape(-1, n_candidates).int()
        return LearnedWiring(self.in_channels * spots, len(leaves), self.k, n_candidates, hard, among=among)

    def _draw_channels(self, out: int, per_tree: int) -> Tensor:
        group_in, group_out = self.in_channels // self.groups, self.out_channels // self.groups
        return torch.randperm(group_in)[:per_tree] + out // group_out * group_in

    def _seen(self, channels: Tensor, places: Tensor) -> Tensor:
        """places among these channels' windows -> places among those of all channels."""
        spots = self.kernel_size[0] * self.kernel_size[1]
        return channels[places // spots] * spots + places % spots

    def _taps_of(self, places: Tensor) -> Tensor:
        height, width = self.kernel_size
        channel, spot = places // (height * width), places % (height * width)
        return torch.stack([channel, spot // width, spot % width], 1).int()

    def index_limits(self) -> dict[str, tuple[int, ...]]:
        return {"taps": (self.in_channels, *self.kernel_size)}

    def final_taps(self) -> Tensor:
        """What eval reads: int32 (out_channels * leaves, 3)."""
        return self.taps if self.choice is None else self._taps_of(self.choice.wiring().T.reshape(-1))

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"LogicConv2d: input is {tuple(x.shape)}, expected (batch, {self.in_channels}, H, W)")
        top, bottom, left, right = self.padding
        if min(x.shape[2] + top + bottom - self.kernel_size[0], x.shape[3] + left + right - self.kernel_size[1]) < 0:
            raise ValueError(f"LogicConv2d: a window of {self.kernel_size} does not fit into {tuple(x.shape)}")
        choosing = self.choice is not None and self.training
        if self.choice is not None and not choosing and not torch.equal(taps := self.final_taps(), self.taps):
            self.taps.copy_(taps)
        wirings, params = self._wirings.get(self._levels, self.taps), self.tables.params
        whole = not choosing and takes(wirings[0], x, params) and self.tables.plainly_soft()
        learned = params if whole else self.tables()
        parts = list(learned.split([wiring.shape[1] for wiring in wirings]))
        image = F.pad(x.permute(1, 2, 3, 0), (0, 0, left, right, top, bottom), value=self.pad_value).contiguous()
        if not choosing and takes(wirings[0], image, learned):
            n_inputs = self.in_channels * self.kernel_size[0] * self.kernel_size[1]
            plan = self._plan.get(lambda: stack_plan(wirings, n_inputs), self.taps)
            return gate_windows(image, parts, plan, self.kernel_size, self.stride).permute(3, 0, 1, 2)
        return self._unfolded(image, wirings, parts).permute(3, 0, 1, 2)

    def _unfolded(self, image: Tensor, wirings: list[Tensor], parts: list[Tensor]) -> Tensor:
        """image: padded, (channels, height, width, batch) -> (trees, height', width', batch)."""
        (kernel_h, kernel_w), (stride_h, stride_w) = self.kernel_size, self.stride
        windows = image.unfold(1, kernel_h, stride_h).unfold(2, kernel_w, stride_w)  # C, H', W', batch, kh, kw
        rows = windows.permute(0, 4, 5, 1, 2, 3).flatten(3).flatten(0, 2)
        plans = self._scatter.get(lambda: self._plans(wirings, len(rows)), self.taps)
        for level, (wiring, part, plan) in enumerate(zip(wirings, parts, plans, strict=True)):
            if level == 0 and self.choice is not None and self.training:
                rows = self._chosen(self.choice, rows, part)
            else:
                rows = relaxed_gates(rows, part, wiring, plan)
        return rows.unflatten(1, windows.shape[1:4])

    def _chosen(self, choice: LearnedWiring, rows: Tensor, tables: Tensor) -> Tensor:
        """The first level's gates, whose inputs are mixtures of candidates."""
        weights = choice.weights()
        if self.k == 2 and native_choice.takes(choice.candidates, rows, weights, tables):
            return native_choice.chosen_gates(rows, weights, tables, choice.candidates)
        own = torch.arange(self.k * len(tables), device=rows.device).int().reshape(self.k, -1)
        return relaxed_gates(choice(rows), tables, own)

    @staticmethod
    def _plans(wirings: list[Tensor], n_rows: int) -> list[tuple[Tensor, Tensor]]:
        widths = [n_rows, *(wiring.shape[1] for wiring in wirings)]
        return [scatter_plan(wiring, width) for wiring, width in zip(wirings, widths, strict=False)]

    def _levels(self) -> list[Tensor]:
        """Wirings of the trees' levels, int32 (k, gates): the first reads taps, each other one the level before."""
        (kernel_h, kernel_w), (channel, dy, dx) = self.kernel_size, self.taps.unbind(1)
        inputs, levels = (channel * kernel_h + dy) * kernel_w + dx, []
        for _ in range(self.depth):
            levels.append(inputs.reshape(-1, self.k).T.contiguous().int())
            inputs = torch.arange(levels[-1].shape[1], device=self.taps.device)
        return levels

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, {self.kernel_size}, depth={self.depth}, k={self.k}"


class OrPool2d(nn.MaxPool2d):
    """OR of each window of bits; on probabilities its relaxation, the maximum. Places outside the image never win."""

    def forward(self, input: Tensor) -> Tensor:
        rows = input.transpose(0, 1) if input.dim() == 4 else input  # samples as channels, as LogicConv2d leaves them
        if rows is input or not rows.is_contiguous(memory_format=torch.channels_last):
            return super().forward(input)  # type: ignore[return-value]
        return super().forward(rows).transpose(0, 1)  # type: ignore[union-attr]


@lower.register
def _(layer: LogicConv2d, x):
    taps = layer.final_taps().numpy()
    n_leaves, wiring = len(taps), []
    first, n_signals = 0, n_leaves
    for _ in range(layer.depth):  # each level reads the one before, k neighbours a gate
        level = torch.arange(first, n_signals).reshape(-1, layer.k)
        wiring.append(level)
        first, n_signals = n_signals, n_signals + len(level)
    outputs = torch.arange(first, n_signals).numpy()
    window = (layer.kernel_size, layer.stride, layer.padding, layer.pad_value)
    return x.lut_conv2d(taps, torch.cat(wiring).numpy(), layer.tables.hard().numpy(), outputs, *window)


@lower.register
def _(layer: OrPool2d, x):
    return lower.dispatch(nn.MaxPool2d)(layer, x)  # the same maximum; its forward minds the memory alone
