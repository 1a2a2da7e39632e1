"""ReActNet's two stages by recipe: real weights between signs, then binary ones from there, which freeze."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bitwright.data import from_arrays
from bitwright.freeze import freeze
from bitwright.freeze.agreement import agreement
from bitwright.layers import BinaryConv2d
from bitwright.models import create_model
from bitwright.train import Recipe, recipe_model, train_recipe
from bitwright.train.float_start import start_from

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
RNG = np.random.default_rng(0)


def test_the_second_stage_starts_from_the_first_and_freezes(tmp_path):
    x = RNG.integers(0, 256, (60, 1, 16, 16)).astype(np.uint8)
    data = from_arrays(x, np.arange(60) % 3, seed=0)
    options = {"model_options.width": 4, "model_options.blocks": [1, 1], "epochs": 1, "batch_size": 16}
    first = Recipe.from_toml(RECIPES / "fashion_reactnet_stage1.toml", **options)
    start = tmp_path / "first.toml"
    text = (RECIPES / "fashion_reactnet_stage1.toml").read_text()
    text = text.replace("width = 16", "width = 4").replace("[2, 2]", "[1, 1]").replace("epochs = 3", "epochs = 1")
    start.write_text(text)
    second = Recipe.from_toml(RECIPES / "fashion_reactnet.toml", **options, start=str(start))
    result = train_recipe(second, tmp_path / "run", data=data, progress=False)
    convs = [m for m in result.model.modules() if isinstance(m, BinaryConv2d)]
    assert all(m.weight_quantizer is not None for m in convs)
    before = recipe_model(first, data)
    assert [m.weight_quantizer is None for m in before.modules() if isinstance(m, BinaryConv2d)] == [False, True, True]
    assert list(before.state_dict()) == list(result.model.state_dict())
    program = freeze(result.model, input=data, calibrate=x)
    assert agreement(program, x).ok
    assert torch.isfinite(result.model(torch.from_numpy(x[:4]).float())).all()


NET = {"shape": (12,), "classes": 3, "hidden": (8, 6)}


@pytest.mark.parametrize("changes", [
    {"method": "rbnn"}, {"method": "fda_noise"}, {"method": "dsq"}, {"accumulator": "wrap8_half"},
])  # fmt: skip
def test_a_second_stage_of_another_method_takes_the_weights_and_keeps_what_is_its_own(changes):
    first = create_model("sign_mlp", seed=1, **{"weight_quantizer": "real"} if "method" in changes else {}, **NET)
    first(torch.randn(9, 12))
    fresh, second = (create_model("sign_mlp", seed=2, **changes, **NET) for _ in range(2))
    start_from(second, first.state_dict(), "first")
    for key, value in second.state_dict().items():
        own = "quantizer" in key or "scale." in key or "accumulator" in key
        assert torch.equal(value, (fresh if own else first).state_dict()[key]), key


def test_another_topology_is_named():
    first = create_model("sign_mlp", **NET)
    with pytest.raises(ValueError, match=r"linear1.weight is \(8, 12\) in first.toml, \(9, 12\) in this network"):
        start_from(create_model("sign_mlp", **{**NET, "hidden": (9, 6)}), first.state_dict(), "first.toml")
    with pytest.raises(ValueError, match=r"linear3.weight is nothing of that name in first.toml, \(6, 6\) in this"):
        start_from(create_model("sign_mlp", **{**NET, "hidden": (8, 6, 6)}), first.state_dict(), "first.toml")
