"""ResNets for small images: published parameter counts, published weights as oracle, and their Programs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bitwright.data import is_present, load_data
from bitwright.data.float_weights import FLOAT_WEIGHTS, float_weights
from bitwright.data.root import data_root
from bitwright.freeze import agreement, freeze
from bitwright.layers import Normalize, OptionA
from bitwright.models import create_model
from bitwright.train import Recipe, evaluate
from bitwright.train.float_start import start_from_float

RECIPES = Path(__file__).parents[2] / "recipes"
REAL = {"form": "standard", "quantizer": "relu", "weight_quantizer": "real", "scale": "none"}
WEIGHTS = "resnet20-12fca82f"
HERE = (data_root() / FLOAT_WEIGHTS[WEIGHTS].path).exists()


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_parameter_counts():
    standard = parameters(create_model("resnet20", **REAL))
    assert standard == 269_722  # of the well-known float network
    assert parameters(create_model("resnet20", form="single")) == standard + 18  # a slope of PReLU a convolution
    assert parameters(create_model("resnet20", form="double")) == standard
    assert parameters(create_model("resnet18", **REAL)) == 11_173_962 - 173_824  # without 1x1 shortcuts and their norms
    vgg = create_model("vgg_small", quantizer="ste")
    assert sum(p.numel() for n, p in vgg.named_parameters() if n.startswith("conv")) == 4_574_592


def test_normalize_is_its_formula():
    x = torch.randint(0, 256, (4, 2, 3, 3)).float()
    made = Normalize([120.0, 3.0], [60.0, 0.5])(x).numpy()
    assert np.allclose(made, (x.numpy() - np.array([120, 3])[:, None, None]) / np.array([60, 0.5])[:, None, None])
    with pytest.raises(ValueError, match="std > 0"):
        Normalize([1.0], [0.0])


def test_option_a_is_its_formula():
    x = torch.randn(2, 3, 4, 4)
    made = OptionA(3, 6)(x).numpy()
    assert made.shape == (2, 6, 2, 2) and not made[:, :1].any() and not made[:, 4:].any()
    assert (made[:, 1:4] == x.numpy()[:, :, ::2, ::2]).all()
    with pytest.raises(ValueError, match="only adds channels"):
        OptionA(4, 2)


@pytest.mark.skipif(not (HERE and is_present("cifar10")), reason="needs CIFAR-10 and pretrained/: set BITWRIGHT_DATA")
def test_published_weights_give_their_published_accuracy():
    model = start_from_float(create_model("resnet20", **REAL), WEIGHTS).eval()
    data = load_data("cifar10")
    n = 600
    right = evaluate(model, data.x_test[:n], data.y_test[:n]) / 100 * n
    assert abs(right - 0.9173 * n) < 4 * np.sqrt(n * 0.9173 * 0.0827)


def test_weights_without_a_place_are_named(tmp_path):
    with pytest.raises(ValueError, match="no 'resnet19'; there are: resnet20"):
        float_weights("resnet19")
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "pretrained" / f"{WEIGHTS}.th").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="is damaged"):
        float_weights(WEIGHTS, tmp_path)
    if HERE:
        with pytest.raises(ValueError, match=r"has conv1.weight \(16, 3, 3, 3\), the model \(8, 3, 3, 3\)"):
            start_from_float(create_model("resnet20", width=8), WEIGHTS)
    assert Recipe(start=WEIGHTS).hash() != Recipe().hash()


@pytest.mark.skipif(not HERE, reason="needs pretrained/: set BITWRIGHT_DATA")
def test_float_weights_fit_the_recipes_that_start_from_them():
    files = [path for path in RECIPES.rglob("*.toml") if Recipe.from_toml(path).start in FLOAT_WEIGHTS]
    assert len(files) >= 4
    for path in files:
        recipe = Recipe.from_toml(path)
        model = start_from_float(create_model(recipe.model, **recipe.model_options), recipe.start)
        assert float(model.state_dict()["shift.bias"].abs().sum()) > 0


SMALL = {
    "single": ("resnet20", {"form": "single", "width": 8, "blocks": (1, 1, 1)}),
    "double": ("resnet20", {"form": "double", "width": 8, "blocks": (1, 1), "binary_ends": True}),
    "weights only": ("resnet20", {"form": "standard", "quantizer": "relu", "width": 8, "blocks": (1, 1)}),
    "resnet18": ("resnet18", {"width": 8, "blocks": (1, 1, 1, 1)}),
    "vgg": ("vgg_small", {"width": 8}),
}


@pytest.mark.parametrize("which", SMALL)
def test_its_program_is_its_grid_twin(which):
    name, options = SMALL[which]
    model = create_model(name, seed=0, shape=(3, 16, 16), **options)
    x = np.random.default_rng(0).integers(0, 256, (9, 3, 16, 16)).astype(np.uint8)
    with torch.no_grad():
        model.train()(torch.from_numpy(x).float())
    program = freeze(model, input=x, calibrate=x, classes=list("abcdefghij"))
    report = agreement(program, x)
    assert report.twin_differing == 0 and report.twin_compared > 10_000
    assert program.verify(x).ok


def test_bad_options():
    with pytest.raises(ValueError, match="form is 'triple', expected one of standard, single, double"):
        create_model("resnet20", form="triple")
    with pytest.raises(ValueError, match="multiples of 8"):
        create_model("vgg_small", shape=(3, 28, 28))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_need_not_be_rgb(channels):
    model = create_model("resnet20", shape=(channels, 8, 8), width=4, blocks=(1,), classes=3)
    assert model(torch.rand(2, channels, 8, 8) * 255).shape == (2, 3)
