"""Every method of METHODS in one tiny network, on weights and activations: the Program is the model in eval."""

import numpy as np
import pytest
import torch

from bitwright.freeze import freeze
from bitwright.freeze.agreement import agreement
from bitwright.layers import BinaryConv2d, BinaryLinear, method_parts
from bitwright.models import create_model
from bitwright.quantizers import METHODS, set_progress

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (40, 2, 8, 8)).astype(np.uint8)
Y = torch.tensor(RNG.integers(0, 4, 40))


def trained(method, activations="", steps=4):
    """A few steps, the schedules moved to their end; batch norm statistics and every parameter are no longer fresh."""
    options = method_parts(method, activations)
    model = create_model("sign_cnn", seed=3, shape=(2, 8, 8), classes=4, channels=(6, 8), pool=(True, False),
                         hidden=(12,), **options)  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(steps):
        set_progress(model, step / (steps - 1))
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(X).float()), Y)
        optimizer.zero_grad()
        loss.backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is None or torch.isfinite(parameter.grad).all(), name
        optimizer.step()
    assert all(p.grad is not None for name, p in model.named_parameters() if name.endswith("weight"))
    return model.eval()


@pytest.mark.parametrize("method", METHODS)
def test_the_program_is_the_model_in_eval(method):
    model = trained(method)
    program = freeze(model, input=X, calibrate=X)
    report = agreement(program, X)
    assert report.ok, report
    assert report.exact == (METHODS[method].scale != "two_level")  # AdaBin's offsets are real numbers on the grid
    for layer in model.modules():
        if isinstance(layer, BinaryLinear | BinaryConv2d):
            assert sorted(layer.binary_weight().unique().tolist()) == [-1, 1]


@pytest.mark.parametrize("method", ["bc", "parq", "bnn++", "siman", "adabin"])
def test_weights_of_one_bit_on_real_activations_freeze_too(method):
    program = freeze(trained(method, "relu"), input=X, calibrate=X)
    report = agreement(program, X)
    assert report.ok and not report.exact
    assert report.same_class >= 30  # a grid of 16 bits: tiny differences of scores only
