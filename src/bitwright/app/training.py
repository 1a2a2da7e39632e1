"""`bitwright train`: a recipe, fields of it given on the command line, and one's own data."""

import os
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg


def train_command(args: Sequence[str]) -> tuple[Callable, list[str]]:
    """Train a network from a recipe or on your own data, freeze it, and leave both in a run folder.

    Gives (the command `train` with a recipe's values as its defaults, the arguments left to parse). The recipe is that
    of the TOML file named first; without one, a small network for the data of --data.
    """
    from bitwright.app.recipes import find_recipe, recipe_class

    Recipe: Any = recipe_class()
    rest = list(args)
    if rest and not rest[0].startswith("-"):
        base = Recipe.from_toml(find_recipe(rest.pop(0)))
    else:
        base = _own_recipe(Recipe, _value_of("--data", rest) or "digits")
    base, rest = _new_model_options(base, rest)

    def train(
        recipe: Annotated[Recipe, arg(name="")] = base,  # type: ignore[valid-type]
        out: Path | None = None,
        resume: bool = False,
        target: str = "",
        size: int = 32,
        grey: bool = False,
    ) -> None:
        """Train a network from a recipe or on your own data, freeze it, and leave both in a run folder.

        Examples: bitwright train recipes/mnist_sign_mlp.toml --epochs 3
        bitwright train --data photos/ --size 32 (a subfolder a class)
        bitwright train --data table.csv --target species
        torchrun --nproc-per-node 2 -m bitwright train fashion_sign_cnn (several processes share every batch)

        Args:
            recipe: the recipe's fields.
            out: the run's folder; by default runs/NAME-seedSEED.
            resume: go on with the run in that folder, bit for bit as if it had never stopped.
            target: of a .csv, the column that holds the classes.
            size: pixels of a side that images of a folder are made into.
            grey: images of a folder in grey instead of RGB.
        """
        from bitwright.app.source import Source
        from bitwright.app.workflow import PROGRAM, freeze_into, run_folder, train_network
        from bitwright.freeze import FreezeError
        from bitwright.train.health import health_table

        folder = out or run_folder(recipe)
        result, data = train_network(recipe, Source(recipe.data, target, size, grey), folder, resume)
        if int(os.environ.get("RANK", 0)):  # of several processes the first alone freezes and speaks
            return
        print(f"trained {recipe.model} on {data}")
        if result.val_accuracy == result.val_accuracy:
            print(
                f"validation accuracy {result.val_accuracy:.2f} % after {recipe.epochs} epochs, {result.seconds:.0f} s"
            )
        if recipe.health:
            print(health_table(result.history))
        try:
            freeze_into(folder, result, data)
        except FreezeError as error:  # a transformer, a first stage: trained all the same
            print(f"no Program: {error}\nnext: bitwright eval {folder}")
            return
        print(f"frozen into {folder / PROGRAM}, {(folder / PROGRAM).stat().st_size:,} bytes")
        print(f"next: bitwright verify {folder} | bitwright eval {folder} | bitwright predict {folder / PROGRAM} FILE")

    return train, rest


def _own_recipe(Recipe: type, data: str) -> Any:
    """What to begin with for data that has no recipe: a small CNN for a folder of images, else an MLP."""
    from bitwright.app.recipes import find_recipe

    path = Path(data)
    if path.is_dir():
        return Recipe(name=path.resolve().name, model="sign_cnn", data=data, epochs=40, lr=3e-3)
    if path.suffix:
        return Recipe(name=path.stem, data=data, epochs=40, lr=5e-3, model_options={"hidden": [256, 256]})
    try:
        return Recipe.from_toml(find_recipe(f"{data}_sign_mlp"))
    except FileNotFoundError:
        return Recipe(name=f"{data}_sign_mlp", data=data)


def _value_of(flag: str, args: Sequence[str]) -> str | None:
    for at, given in enumerate(args):
        if given.startswith(f"{flag}="):
            return given.split("=", 1)[1]
        if given == flag and at + 1 < len(args):
            return args[at + 1]
    return None


def _new_model_options(recipe: Any, args: list[str]) -> tuple[Any, list[str]]:
    """--model-options.KEY VALUE for keys the recipe does not set or a method replaces; VALUE as in TOML, or a word."""
    known = set(recipe.model_options)
    if any(arg.partition("=")[0] == "--model-options.method" for arg in args) and "method" not in known:
        from bitwright.models import METHOD_PARTS  # loads torch, which --help need not

        known.difference_update(METHOD_PARTS)
    changes, rest, at = {}, [], 0
    while at < len(args):
        flag, joined, value = args[at].partition("=")
        key = flag.removeprefix("--model-options.").replace("-", "_")
        if not flag.startswith("--model-options.") or key in known:
            rest.append(args[at])
            at += 1
            continue
        if not joined:
            at += 1
            if at == len(args):
                raise ValueError(f"train: {flag} needs a value")
            value = args[at]
        try:
            changes[f"model_options.{key}"] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            changes[f"model_options.{key}"] = value
        at += 1
    return recipe.override(changes), rest
