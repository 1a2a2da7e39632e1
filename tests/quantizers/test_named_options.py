"""A quantizer by name with options, and a method as one option of a model: what they build, and what they refuse."""

import math

import pytest
import torch

from bitwright.layers import BinaryLinear, Sign
from bitwright.models import create_model
from bitwright.quantizers import METHODS, NoisyFourier, make_quantizer
from bitwright.train import Recipe

NET = {"seed": 0, "shape": (1, 4, 4), "classes": 3, "hidden": (6, 5)}


def test_omega_is_the_frequency_of_the_slope():
    sign = Sign({"name": "fda", "omega": 0.7, "start": 2, "end": 2})
    x = torch.linspace(-3, 3, 50, dtype=torch.float64, requires_grad=True)
    sign(x).sum().backward()
    series = sum(torch.cos((2 * i + 1) * 0.7 * x.detach()) for i in range(3)) * (4 * 0.7 / math.pi)
    torch.testing.assert_close(x.grad, series)


def test_options_reach_a_quantizer_with_weights_of_its_own():
    layer = BinaryLinear(128, 4, weight_quantizer={"name": "fda_noise", "omega": 0.5, "shortcut": "linear"})
    assert isinstance(layer.weight_quantizer, NoisyFourier) and layer.weight_quantizer.noise is not None
    assert layer.weight_quantizer.noise.shortcut == "linear" and layer.weight_quantizer.noise.down.shape == (128, 2)


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match="'fda' has no option 'omga'; options: start, end, omega, clip"):
        make_quantizer({"name": "fda", "omga": 1})
    with pytest.raises(ValueError, match="'fda_noise' has no option 'omga'"):
        make_quantizer({"name": "fda_noise", "omga": 1}, features=4)
    with pytest.raises(ValueError, match="'identity' has no option 'clip'; options: none"):
        make_quantizer({"name": "identity", "clip": 1})
    with pytest.raises(ValueError, match="no ''; choose one of"):
        make_quantizer({"omega": 1})
    with pytest.raises(ValueError, match="sign_resnet has no option 'method'"):
        create_model("sign_resnet", method="bnn")
    with pytest.raises(ValueError, match="method: no 'bnn-'"):
        create_model("sign_mlp", method="bnn-", **NET)
    with pytest.raises(ValueError, match="none can take accumulator wrap8"):
        create_model("sign_mlp", quantizer="relu", accumulator="wrap8", **NET)


def test_a_sweep_finds_the_option_by_its_dotted_name():
    recipe = Recipe(model_options={"quantizer": "fda"})
    changed = recipe.override({"model_options.quantizer.omega": 0.2}).override({"model_options.quantizer.end": 12})
    assert changed.model_options == {"quantizer": {"name": "fda", "omega": 0.2, "end": 12}}
    assert recipe.model_options == {"quantizer": "fda"}
    with pytest.raises(ValueError, match="an option of weight_quantizer, which is not set"):
        recipe.override({"model_options.weight_quantizer.omega": 0.2})


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_its_three_parts(name):
    method = METHODS[name]
    whole = create_model("sign_mlp", method=name, **NET)
    parts = create_model("sign_mlp", weight_quantizer=method.weights, quantizer=method.activations, scale=method.scale,
                         **NET)  # fmt: skip
    x = torch.randint(0, 256, (9, 1, 4, 4)).float()
    assert torch.equal(whole.eval()(x), parts.eval()(x)) and str(whole) == str(parts)
    assert "ReLU" in str(create_model("sign_mlp", method=name, **{**NET, "quantizer": "relu"}))


def test_narrow_sums_where_signs_are_read_but_in_the_head():
    model = create_model("sign_mlp", accumulator="wrap8_half", **NET)
    assert [model.linear1.accumulator, model.linear2.accumulator, model.head.accumulator] == [  # type: ignore
        "int32", "wrap8_half", "int32",
    ]  # fmt: skip
    wide = create_model("sign_mlp", **NET)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), wide.parameters(), strict=True))
    again = create_model("sign_mlp", accumulator="wrap8_half", **NET)
    again.load_state_dict(model.state_dict())
