"""Programs that come with the package: `pretrained(name)`, each with the results file that says how good it is."""

import difflib
import json
from pathlib import Path
from typing import Any

from bitwright.ir import Program, load

FOLDER = Path(__file__).resolve().parents[1] / "pretrained"


def list_pretrained() -> list[str]:
    """Names that `pretrained` knows."""
    return sorted(path.stem for path in FOLDER.glob("*.bw"))


def pretrained(name: str) -> Program:
    """The shipped Program of that name, e.g. "mnist_sign_mlp". Raises ValueError naming those there are."""
    return load(_known(name))


def pretrained_results(name: str) -> dict[str, Any]:
    """Its results file: recipe, seed, `frozen_accuracy` (percent of the test set), hardware, commit, and so on."""
    return json.loads(_known(name).with_suffix(".json").read_text(encoding="utf-8"))


def _known(name: str) -> Path:
    names = list_pretrained()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"pretrained: no Program {name!r}; {meant}shipped: {', '.join(names) or 'none in this build'}")
    return FOLDER / f"{name}.bw"
