"""Every sign model of the table: shapes, integers throughout, seeds, twins; and the errors of create_model."""

import pytest
import torch
from torch import nn

from bitwright.layers import BinaryConv2d, BinaryLinear, RSign, Sign
from bitwright.models import MODELS, create_model, float_twin, list_models

SMALL = {  # name -> options and input shape
    "sign_mlp": ({"shape": (1, 8, 8), "hidden": (20, 12), "classes": 7}, (1, 8, 8)),
    "sign_cnn": (
        {"shape": (2, 9, 8), "channels": (6, 8), "pool": (True, False), "hidden": (5,), "classes": 7},
        (2, 9, 8),
    ),
    "sign_resnet": ({"shape": (1, 16, 16), "width": 4, "blocks": (1, 2), "classes": 7}, (1, 16, 16)),
}
ONLY_BITS = ["sign_mlp", "sign_cnn"]  # no real number between the sums


def small(name, seed=0):
    return create_model(name, seed=seed, **SMALL[name][0])


def pixels(name, batch=5, seed=0):
    return torch.randint(0, 256, (batch, *SMALL[name][1]), generator=torch.Generator().manual_seed(seed)).float()


def settled(model, name):
    """In eval mode, with batch norm statistics from data and scales of both signs."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    for seed in range(3):
        model(pixels(name, 32, seed))
    return model.eval()


def test_the_table_is_tested():
    assert set(SMALL) == {name for name in MODELS if name.startswith("sign_")}  # logic: test_logic_models.py


@pytest.mark.parametrize("name", SMALL)
def test_scores_have_a_row_an_example_and_training_reaches_every_weight(name):
    model = small(name)
    scores = model(pixels(name))
    assert scores.shape == (5, 7) and model.input_shape == SMALL[name][1]
    assert model.identity == {"name": name, "options": SMALL[name][0]}
    scores.square().sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), key


@pytest.mark.parametrize("name", ONLY_BITS)
def test_every_sum_is_an_integer_and_every_hidden_value_a_sign(name):
    model = settled(small(name), name)
    seen = []

    def hook(layer, args, out):
        factor = layer.scale_factor()
        sums = out if factor is None else out / factor
        assert (sums - sums.round()).abs().max() < 1e-3, layer
        seen.append(set(args[0].unique().tolist()) <= {-1.0, 1.0})

    for module in model.modules():
        if isinstance(module, BinaryLinear | BinaryConv2d):
            module.register_forward_hook(hook)
    model(pixels(name))
    assert seen == [False] + [True] * (len(seen) - 1)  # the first eats pixels, the others signs
    assert model.head.scale_factor().dim() == 0 and model.head.scale_factor() > 0


@pytest.mark.parametrize("name", SMALL)
def test_one_example_or_many_give_the_same_scores(name):
    model = settled(small(name), name)
    x = pixels(name, 6)
    with torch.no_grad():
        whole, parts = model(x), torch.cat([model(row[None]) for row in x])
    if name in ONLY_BITS:
        assert torch.equal(whole, parts)
    else:
        torch.testing.assert_close(whole, parts, rtol=1e-3, atol=1e-3)  # real numbers flow: sums differ in order


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_decides_and_the_global_generator_is_untouched(name):
    state = torch.get_rng_state()
    first, again, other = small(name, 1), small(name, 1), small(name, 2)
    assert torch.equal(torch.get_rng_state(), state)
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs) and any(not torch.equal(a, c) for a, _, c in pairs)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("activation", ["relu", "hardtanh"])
def test_the_float_twin_has_the_shapes_and_no_binary_layer(name, activation):
    model = small(name)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    twin = float_twin(model, activation, seed=3)
    assert not any(isinstance(m, BinaryLinear | BinaryConv2d | Sign | RSign) for m in twin.modules())
    weights = {k: v.shape for k, v in model.state_dict().items() if k.endswith("weight")}
    assert {k: v.shape for k, v in twin.state_dict().items() if k.endswith("weight")} == weights
    assert twin(pixels(name)).shape == (5, 7)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    same = float_twin(model, activation, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(twin.parameters(), same.parameters(), strict=True))
    kinds = {"relu": nn.ReLU, "hardtanh": nn.Hardtanh}
    if name in ONLY_BITS:
        assert any(isinstance(m, kinds[activation]) for m in twin.modules())


def test_list_models_takes_a_pattern():
    assert list_models() == sorted(MODELS) and list_models("sign_m*") == ["sign_mlp"] and list_models("x*") == []


def test_errors_name_the_nearest():
    with pytest.raises(ValueError, match="no 'sign_mpl'; did you mean 'sign_mlp'"):
        create_model("sign_mpl")
    with pytest.raises(ValueError, match="sign_mlp has no option 'width'; options: shape, classes"):
        create_model("sign_mlp", width=3)
    with pytest.raises(ValueError, match="2 channels but 1 pool flags"):
        create_model("sign_cnn", channels=(3, 4), pool=(True,))
    with pytest.raises(ValueError, match="pooled away"):
        create_model("sign_cnn", shape=(1, 2, 2), channels=(3, 4), pool=(True, True))
    with pytest.raises(ValueError, match="halves 7x7, which is odd"):
        create_model("sign_resnet", blocks=(1, 1, 1))
    with pytest.raises(ValueError, match="choose one of relu, hardtanh"):
        float_twin(nn.Sequential(), "gelu")
