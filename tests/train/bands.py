"""A small data set, whose classes are bright bands, and a small network that learns it."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from bitwright.layers import BinaryLinear, Sign


def made_up(seed=0, n=240):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 40, (n, 1, 6, 6)).astype(np.uint8)
    y = rng.integers(0, 3, n)
    x.reshape(n, -1)[np.arange(n)[:, None], (y * 12)[:, None] + np.arange(12)] += 60  # a bright band names the class
    cut = n * 3 // 4
    return SimpleNamespace(name="bands", x_train=x[:cut], y_train=y[:cut], x_val=x[cut:], y_val=y[cut:])


def network(seed=0, width=16, pair="bnn++"):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Flatten(), BinaryLinear(36, width, weight_quantizer=pair), nn.BatchNorm1d(width), Sign(), nn.Dropout(0.2),
        BinaryLinear(width, 3, scale="learned"),
    )  # fmt: skip


FIELDS = {"epochs": 3, "batch_size": 16, "lr": 0.02, "augment": {"shift": 1.0}, "device": "cpu"}


def same_state(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
