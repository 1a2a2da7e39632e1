"""Recipes: strict keys with the nearest name, kinds, tables, overrides; the shipped files build their models."""

import hashlib
import json
from pathlib import Path

import pytest

from bitwright.train import Augment, Recipe, recipe_model

RECIPES = sorted((Path(__file__).parents[2] / "recipes").rglob("*.toml"))
IMAGES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "fashion_mnist": (1, 28, 28), "cifar10": (3, 32, 32)}


def test_a_misspelt_key_names_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="no field 'epoch'; did you mean 'epochs'"):
        Recipe.from_dict({"epoch": 3})
    with pytest.raises(ValueError, match=r"\[augment\]: no field 'shfit'; did you mean 'shift'"):
        Recipe.from_dict({"augment": {"shfit": 3}})
    file = tmp_path / "mine.toml"
    file.write_text("batchsize = 3\n")
    with pytest.raises(ValueError, match="mine.toml: recipe: no field 'batchsize'; did you mean 'batch_size'"):
        Recipe.from_toml(file)
    file.write_text("epochs = \n")
    with pytest.raises(ValueError, match="mine.toml: not TOML"):
        Recipe.from_toml(file)


@pytest.mark.parametrize(
    "values,words",
    [
        ({"epochs": "three"}, "epochs must be int, got 'three'"),
        ({"epochs": True}, "epochs must be int"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"lr": -1.0}, "lr must be 0 or more"),
        ({"lr": float("nan")}, "lr must be 0 or more"),
        ({"optimizer": "adamm"}, "expected one of adam, adamw, sgd"),
        ({"autocast": "fp16"}, "expected one of none, bf16"),
        ({"augment": 3}, "augment is a table"),
        ({"augment": {"mixup": -0.2}}, "augment.mixup must be 0"),
        ({"label_smoothing": 2.0}, "label_smoothing is a share"),
        ({"distill": {"weight": 1.5}}, "distill.weight is a share"),
        ({"distill": {"temperature": 0.0}}, "temperature must be above 0"),
        ({"step_epochs": 3}, "step_epochs must be list"),
    ],
)
def test_wrong_values_say_the_rule(values, words):
    with pytest.raises(ValueError, match=words):
        Recipe.from_dict(values)


def test_file_tables_and_dotted_overrides(tmp_path):
    file = tmp_path / "deep.toml"
    file.write_text('model = "sign_mlp"\nlr = 1\n[augment]\nshift = 2\n[model_options]\nhidden = [3, 4]\n')
    recipe = Recipe.from_toml(file, **{"augment.flip": True, "epochs": 7, "model_options.hidden": [9]})
    assert recipe.name == "deep" and recipe.lr == 1.0 and recipe.epochs == 7
    assert recipe.augment == Augment(shift=2.0, flip=True) and recipe.model_options == {"hidden": [9]}
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.override({"augment": {"shift": 1}}).augment == Augment(shift=1.0, flip=True)
    with pytest.raises(ValueError, match="did you mean 'augment'"):
        recipe.override({"augmnt.flip": True})


def test_the_hash_is_of_what_decides_the_weights(tmp_path):
    recipe = Recipe()
    assert recipe.hash() == recipe.with_seed(4).hash() == recipe.override({"device": "cpu", "name": "x"}).hash()
    before = tmp_path / "before.toml"
    before.write_text("epochs = 3")
    hashes = {recipe.hash(), recipe.override({"start": str(before)}).hash()}
    before.write_text("epochs = 4")  # the same name, other weights
    assert len(hashes | {recipe.override({"start": str(before)}).hash()}) == 3
    assert recipe.hash() != recipe.override({"lr": 2e-3}).hash() != recipe.override({"augment.shift": 1}).hash()


def test_fields_at_their_defaults_are_not_in_the_hash():
    told = {"model_options": {"hidden": [9]}, "augment": {"shift": 2.0}}
    text = json.dumps(told, sort_keys=True)  # whatever fields a recipe has by now
    assert Recipe.from_dict(told).hash() == hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_build_their_models(path):
    recipe = Recipe.from_toml(path)
    if recipe.data not in IMAGES:
        return  # a table's width comes from its file; reading the recipe is all that can be tested here
    shape = IMAGES[recipe.data]
    options = {"shape": shape, **recipe.model_options}
    first, second = (recipe_model(recipe.override({"model_options": options})) for _ in range(2))
    assert first.input_shape == shape
    for key, value in first.state_dict().items():
        assert value.equal(second.state_dict()[key]), key


def test_there_are_shipped_recipes():
    assert {"digits_sign_mlp", "mnist_sign_mlp", "fashion_sign_cnn"} <= {path.stem for path in RECIPES}


def test_a_method_replaces_the_parts_a_recipe_has_but_not_those_beside_its_own_method():
    recipe = Recipe(model_options={"weight_quantizer": "identity", "scale": "none", "hidden": [8]})
    first = recipe.override({"model_options.method": "dorefa", "model_options.quantizer": "relu"})
    assert first.model_options == {"hidden": [8], "method": "dorefa", "quantizer": "relu"}
    assert first.override({"model_options.method": "bnn++"}).model_options == {**first.model_options, "method": "bnn++"}
