"""Small untrained cosine networks on digits, and what training their codes may change."""

import torch
from torch import nn

from bitwright.freeze.tail import find_tail
from bitwright.layers import CosineLinear, Temperature
from bitwright.models import create_model


def linear_net(activation):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), CosineLinear(64, 40, shift=-8.0, shift_unit=8.0), activation(), CosineLinear(40, 10, shift=0.1),
        Temperature(),
    ).eval()  # fmt: skip


def conv_net(activation):
    """The layers of the MNIST network on 8x8 pixels."""
    torch.manual_seed(0)
    return create_model(
        "gnet", shape=(1, 8, 8), channels=(6, 9), kernels=(3, 5), hidden=(20,), span=16, activation=activation
    ).eval()


def only_codes_differ(old, new, layers):
    """The codes of the last layers do, all of them, and nothing else."""
    sums = find_tail(old, layers, "test").sums
    assert new.types == old.types
    for i, (a, b) in enumerate(zip(old.ops, new.ops)):
        same = all((a.consts[k] == b.consts[k]).all() for k in a.consts) and a.attrs == b.attrs
        assert same != (i in sums), i
    return True
