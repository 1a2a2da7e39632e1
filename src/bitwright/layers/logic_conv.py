"""Convolutions of logic gates: each output channel is a small tree of gates over a window, the same at every position.

Source: Petersen et al. 2024, arXiv:2411.04732, Sec. 3: trees over random places of the window, each seeing few
channels; pooling by OR, relaxed to a maximum.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..ir import lower
from ..ir.windows import four, pair
from .gate_stack import Remembered, stack_plan, takes
from .gate_tables import GateTables
from .gate_windows import gate_windows
from .gates import relaxed_gates

Size = int | tuple[int, int]


class LogicConv2d(nn.Module):
    """x: (batch, in_channels, H, W) in [0, 1] -> (batch, out_channels, H', W'); bits give bits in eval.

    depth: levels of each tree, 1..4: k^depth leaves, drawn from the window without repeating a place where it has
    enough. channels_per_tree: how many input channels one tree sees (None: all of its group). groups as in torch.
    pad_value: 0 or 1, the bit outside the image. parametrization, residual, sampling, temperature, harden_at as in
    LogicLinear. `taps` (channel, dy, dx) of each leaf is a buffer, saved with the weights.
    Raises ValueError for sizes that do not fit together.
    """

    taps: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, depth: int = 3, stride: Size = 1,
                 padding: Size = 0, pad_value: int = 0, channels_per_tree: int | None = 2, groups: int = 1, k: int = 2,
                 parametrization: str = "gates16", residual: bool = True, sampling: str = "soft",
                 temperature: float = 1.0, harden_at: float = 1.0):  # fmt: skip
        super().__init__()
        if not 1 <= depth <= 4 or pad_value not in (0, 1):
            raise ValueError(f"LogicConv2d: depth {depth}, pad_value {pad_value}; expected 1..4 levels, and 0 or 1")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"LogicConv2d: {groups} groups do not divide {in_channels} and {out_channels} channels")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.padding = pair(kernel_size), pair(stride), four(padding)
        self.pad_value, self.depth, self.k = pad_value, depth, k
        per_tree = in_channels // groups if channels_per_tree is None else min(channels_per_tree, in_channels // groups)
        if per_tree < 1:
            raise ValueError(f"LogicConv2d: channels_per_tree is {channels_per_tree}, expected at least 1")
        self.register_buffer("taps", self._draw_taps(per_tree))
        self._wirings, self._plan = Remembered(), Remembered()
        n_gates = out_channels * sum(k**level for level in range(depth))
        self.tables = GateTables(n_gates, k, parametrization, residual, sampling, temperature, harden_at)

    def _draw_taps(self, per_tree: int) -> Tensor:
        """int32 (out_channels * leaves, 3)."""
        height, width = self.kernel_size
        group_in, group_out = self.in_channels // self.groups, self.out_channels // self.groups
        n_leaves, places = self.k**self.depth, per_tree * height * width
        found = []
        for out in range(self.out_channels):
            channels = torch.randperm(group_in)[:per_tree] + out // group_out * group_in
            rounds = [torch.randperm(places) for _ in range(-(-n_leaves // places))]
            place = torch.cat(rounds)[:n_leaves]
            spot = place % (height * width)
            found.append(torch.stack([channels[place // (height * width)], spot // width, spot % width], 1))
        return torch.cat(found).int()

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"LogicConv2d: input is {tuple(x.shape)}, expected (batch, {self.in_channels}, H, W)")
        top, bottom, left, right = self.padding
        if min(x.shape[2] + top + bottom - self.kernel_size[0], x.shape[3] + left + right - self.kernel_size[1]) < 0:
            raise ValueError(f"LogicConv2d: a window of {self.kernel_size} does not fit into {tuple(x.shape)}")
        wirings, params = self._wirings.get(self._levels, self.taps), self.tables.params
        learned = params if takes(wirings[0], x, params) and self.tables.plainly_soft() else self.tables()
        parts = list(learned.split([wiring.shape[1] for wiring in wirings]))
        image = F.pad(x.permute(1, 2, 3, 0), (0, 0, left, right, top, bottom), value=self.pad_value).contiguous()
        if takes(wirings[0], image, learned):
            n_inputs = self.in_channels * self.kernel_size[0] * self.kernel_size[1]
            plan = self._plan.get(lambda: stack_plan(wirings, n_inputs), self.taps)
            return gate_windows(image, parts, plan, self.kernel_size, self.stride).permute(3, 0, 1, 2)
        return self._unfolded(image, wirings, parts).permute(3, 0, 1, 2)

    def _unfolded(self, image: Tensor, wirings: list[Tensor], parts: list[Tensor]) -> Tensor:
        """image: padded, (channels, height, width, batch) -> (trees, height', width', batch)."""
        (kernel_h, kernel_w), (stride_h, stride_w) = self.kernel_size, self.stride
        windows = image.unfold(1, kernel_h, stride_h).unfold(2, kernel_w, stride_w)  # C, H', W', batch, kh, kw
        rows = windows.permute(0, 4, 5, 1, 2, 3).flatten(3).flatten(0, 2)
        for wiring, part in zip(wirings, parts, strict=True):
            rows = relaxed_gates(rows, part, wiring)
        return rows.unflatten(1, windows.shape[1:4])

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
    taps = layer.taps.numpy()
    n_leaves, wiring = len(taps), []
    first, n_signals = 0, n_leaves
    for _ in range(layer.depth):  # each level reads the one before, k neighbours a gate
        level = torch.arange(first, n_signals).reshape(-1, layer.k)
        wiring.append(level)
        first, n_signals = n_signals, n_signals + len(level)
    outputs = torch.arange(first, n_signals).numpy()
    window = (layer.kernel_size, layer.stride, layer.padding, layer.pad_value)
    return x.lut_conv2d(taps, torch.cat(wiring).numpy(), layer.tables.hard().numpy(), outputs, *window)
