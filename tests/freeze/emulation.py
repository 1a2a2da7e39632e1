"""Embedded cosine networks in plain PyTorch, from the formula: explicit projection matrices, real numbers, no Program.

It shares with the library only the seeded generator of `bitwright.bits`.
"""

import torch
from torch import nn
from torch.nn import functional as F

from bitwright.bits.generator import gaussian_rows, rademacher_rows, rademacher_signs
from bitwright.layers import RASU, TASU, CosineConv2d, CosineLinear, Temperature


def hadamard_matrix(size):
    matrix = torch.ones(1, 1, dtype=torch.float64)
    while len(matrix) < size:
        matrix = torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])
    return matrix


def rows_of(kind, n, p, seed, layer, rounds):
    if kind == "gaussian":
        return torch.from_numpy(gaussian_rows(seed, layer, n, p)).double()
    if kind == "rademacher":
        return torch.from_numpy(rademacher_rows(seed, layer, n, p)).double()
    size = 1
    while size < p:
        size *= 2
    blocks = []
    for block in range((n + size - 1) // size):
        matrix = torch.eye(size, dtype=torch.float64)
        for r in range(rounds):
            signs = torch.from_numpy(rademacher_signs(seed, layer, block * rounds + r, size)).double()
            matrix = hadamard_matrix(size) @ (signs[:, None] * matrix)
        blocks.append(matrix)
    return torch.cat(blocks)[:n, :p]


@torch.no_grad()
def emulate(model, x, dimensions, kind, seed, rounds=2, rows=None):
    """Integer scores (batch, classes), float64. x: integers (batch, C, H, W). rows: used instead of rows_of."""
    value, unit, layer, relu = torch.as_tensor(x).double(), 1.0, 0, False
    for module in model:
        if isinstance(module, CosineConv2d | CosineLinear):
            if relu:  # integers 0 .. N of the layer before, rounded to eight bits
                value, down = value.clamp_min(0), 0
                while (dimensions[layer - 1] + (2**down) // 2) // 2**down > 255:
                    down += 1
                value, unit, relu = ((value + (2**down) // 2) / 2**down).floor(), unit * 2**down, False
            n, weight = dimensions[layer], module.weight.double()
            if isinstance(module, CosineConv2d):
                (top, left), (kh, kw), (sh, sw) = module.padding, module.kernel_size, module.stride
                padded = F.pad(value, (left, left, top, top), value=module.pad_value)
                patches = padded.unfold(2, kh, sh).unfold(3, kw, sw).permute(0, 2, 3, 1, 4, 5).flatten(3)
            else:
                patches = value
            g = (rows or rows_of)(kind, n, patches.shape[-1], seed, layer, rounds)
            shift = float(module.shift * module.shift_unit) / unit
            code = torch.where(patches @ g.T >= -shift * g.sum(1), 1.0, -1.0).double()
            stored = torch.where(weight.flatten(1) @ g.T >= 0, 1.0, -1.0).double()
            value = (code @ stored.T).movedim(-1, 1)
            unit, layer = 1.0 / n, layer + 1
            if isinstance(module, CosineConv2d) and module.pool:
                value = F.max_pool2d(value, module.pool)
        elif isinstance(module, RASU):
            unit, relu = unit * float(module.log_alpha.exp()), True
        elif isinstance(module, TASU):
            value, unit = torch.where(value >= 0, 1.0, -1.0).double(), 1.0
        elif isinstance(module, nn.MaxPool2d):
            value = module(value)
        elif isinstance(module, nn.Flatten):
            value = value.flatten(1)
        else:
            assert isinstance(module, nn.Dropout | nn.Dropout2d | Temperature), module
    return value
