"""Recipes by name or path, and the Recipe class without torch, so that `bitwright train --help` is quick."""

import difflib
import importlib.util
import sys
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


def find_recipe(name: str) -> Path:
    """A TOML file, or a recipe that comes with the package, with or without its folder and ".toml".

    Raises FileNotFoundError naming the nearest.
    """
    path = Path(name)
    if path.is_file():
        return path
    known = list_recipes()
    if path.stem in known and (path.suffix in ("", ".toml")) and path.parent.name in ("", "recipes", "campaign"):
        return known[path.stem]
    near = difflib.get_close_matches(path.stem, known, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise FileNotFoundError(f"no recipe {name}; {meant}there are: {', '.join(known) or 'none'}")


def list_recipes() -> dict[str, Path]:
    """Name -> file of the recipes that come with the package or lie in the checkout."""
    return _recipe_module().shipped_recipes()


def recipe_class() -> Any:
    """`bitwright.train.Recipe`, without torch."""
    return _recipe_module().Recipe


def _recipe_module() -> Any:
    """bitwright.train.recipe loaded ahead of its room, whose other files need torch."""
    name = "bitwright.train.recipe"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PACKAGE / "train" / "recipe.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]
