"""The pages written by hand run as they stand: Python from top to bottom, recipes as recipes, commands that exist.

docs/gnet-use.md has a test of its own, which looks at what comes out.
"""

import re
import tomllib
from pathlib import Path

import pytest

from bitwright.cli import COMMANDS

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs").glob("*.md"))
RUN = [page for page in PAGES if page.stem in ("logic", "methods", "training")]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = blocks(page, "python")
    assert told
    exec(compile("\n".join(told), str(page), "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_recipes_are_recipes_and_commands_exist(page):
    from bitwright.train.recipe import Recipe

    for told in blocks(page, "toml"):
        Recipe.from_dict(tomllib.loads(told))
    for told in [*blocks(page, "sh"), *blocks(page, "")]:
        assert set(re.findall(r"^bitwright (\w+)", told, re.M)) <= set(COMMANDS), told
