"""convert: which layers become binary, which stay, and what of the float weights survives."""

import pytest
import torch
from torch import nn

from bitwright.layers import BinaryConv2d, BinaryLinear, Sign
from bitwright.models import convert


def float_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 6, (3, 1), stride=2, padding=1, groups=2, padding_mode="reflect"), nn.BatchNorm2d(6), nn.ReLU(),
        nn.Sequential(nn.Conv2d(6, 4, 1), nn.BatchNorm2d(4), nn.Hardtanh()),
        nn.Flatten(), nn.Linear(4 * 16, 8), nn.PReLU(), nn.Linear(8, 3),
    )  # fmt: skip


def test_layers_become_binary_with_the_signs_and_shapes_of_the_float_ones():
    model = float_model().eval()
    x = torch.randn(2, 2, 7, 6)
    before = model(x)
    binary = convert(model)
    kinds = [type(module).__name__ for module in binary.modules() if not isinstance(module, nn.Sequential)]
    assert [kind for kind in kinds if kind not in ("Scale", "Quantizer")] == [
        "BinaryConv2d", "BatchNorm2d", "Sign", "BinaryConv2d", "BatchNorm2d", "Sign", "Flatten", "BinaryLinear",
        "PReLU", "BinaryLinear",
    ]  # fmt: skip
    assert binary(x).shape == before.shape and not binary.training
    for name in ("0", "3.0", "5", "7"):
        old, new = model.get_submodule(name), binary.get_submodule(name)
        assert isinstance(new, BinaryConv2d | BinaryLinear)
        assert torch.equal(new.binary_weight(), torch.where(old.weight >= 0, 1.0, -1.0))
        assert float(new.weight.detach().abs().max()) == pytest.approx(1.0)
        assert torch.equal(new.weight.detach().flatten().argsort(), old.weight.detach().flatten().argsort())
    conv = binary.get_submodule("0")
    assert (conv.stride, conv.padding, conv.groups, conv.padding_mode) == ((2, 2), (1, 1), 2, "reflect")
    assert torch.equal(model(x), before)  # the float model is left as it was


def test_keep_takes_names_and_patterns():
    binary = convert(float_model().train(), keep=["0", "3.*", "7"])
    assert binary.training
    assert [isinstance(binary.get_submodule(n), BinaryConv2d | BinaryLinear) for n in ("0", "3.0", "5", "7")] == [
        False, False, True, False,
    ]  # fmt: skip
    assert isinstance(binary.get_submodule("2"), Sign) and isinstance(binary.get_submodule("3.2"), nn.Hardtanh)
    whole = convert(float_model(), keep=["3"])
    assert type(whole.get_submodule("3.0")) is nn.Conv2d


def test_errors_name_the_layer():
    with pytest.raises(ValueError, match="keep names 'head', which the model lacks"):
        convert(float_model(), keep=["head"])
    with pytest.raises(ValueError, match="nothing would become binary"):
        convert(nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3)))

    class Odd(nn.Linear):
        pass

    with pytest.raises(ValueError, match="1 is a Odd, not plain torch; name it in keep"):
        convert(nn.Sequential(nn.Linear(2, 2), Odd(2, 2)))
