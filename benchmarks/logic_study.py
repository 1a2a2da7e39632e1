"""How validation accuracy goes with one field of a recipe, such as depth, width or tau: a table, and a plot as SVG.

python -m benchmarks.logic_study RECIPE FIELD VALUE ... [--seeds N] [--set FIELD=VALUE ...] [--svg FILE]
FIELD as in recipes, dotted for tables; values are TOML:
    python -m benchmarks.logic_study recipes/mnist_logic.toml model_options.tau 3 10 30 100 --set epochs=6
    python -m benchmarks.logic_study recipes/monk1_logic.toml model_options.widths [24,24] [24,24,24,24] --seeds 5
Only the training rows and the validation split are read.
"""

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bitwright.data import load_data
from bitwright.train import Recipe, train_recipe


def toml_value(text: str) -> Any:
    """One TOML value. Raises ValueError for anything else."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        raise ValueError(f"logic_study: {text!r} is no TOML value; write 3, 0.5, true or [24, 24]") from None


def study(recipe: Recipe, field: str, values: Sequence[Any], seeds: int, data: Any) -> list[list[float]]:
    """For each value the validation accuracies of all seeds, percent."""
    found = []
    for value in values:
        runs = [recipe.override({field: value, "train_on_validation": False, "seed": seed}) for seed in range(seeds)]
        found.append([train_recipe(run, data=data, progress=False).val_accuracy for run in runs])
        print(line(field, value, found[-1]), flush=True)
    return found


def line(field: str, value: Any, accuracies: Sequence[float]) -> str:
    spread = f" ± {np.std(accuracies, ddof=1):.2f}" if len(accuracies) > 1 else ""
    return f"{field} = {value}: {np.mean(accuracies):.2f}{spread} % of the validation rows"


def svg(title: str, values: Sequence[Any], found: Sequence[Sequence[float]]) -> str:
    """Dots for seeds, a line through the means; one column a value."""
    column, left, top, height = 90, 60, 40, 220
    low, high = min(map(min, found)), max(map(max, found))
    scale = height / max(high - low, 1e-9)
    width = left + column * len(values) + 10

    def place(i: int, accuracy: float) -> tuple[float, float]:
        return left + column * (i + 0.5), round(top + (high - accuracy) * scale, 1)

    means = " ".join("{},{}".format(*place(i, float(np.mean(each)))) for i, each in enumerate(found))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top + height + 40}" width="{width}">',
        "<style>text{font:11px sans-serif}.m{text-anchor:middle}</style>",
        f'<rect width="100%" height="100%" fill="white"/><text x="10" y="20">{title}</text>',
        f'<text x="5" y="{top + 4}">{high:.1f} %</text><text x="5" y="{top + height + 4}">{low:.1f} %</text>',
        f'<polyline points="{means}" fill="none" stroke="#3050c0" stroke-width="2"/>',
    ]
    for i, (value, each) in enumerate(zip(values, found, strict=True)):
        dots = (place(i, accuracy) for accuracy in each)
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="#3050c0" fill-opacity="0.5"/>' for x, y in dots]
        parts.append(f'<text class="m" x="{place(i, 0)[0]}" y="{top + height + 28}">{value}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logic_study", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("field")
    parser.add_argument("values", nargs="+", type=toml_value)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--svg", type=Path)
    args = parser.parse_args(argv)
    changes = {key: toml_value(text) for key, _, text in (item.partition("=") for item in args.set)}
    recipe = Recipe.from_toml(args.recipe, **changes)
    found = study(recipe, args.field, args.values, args.seeds, load_data(recipe.data))
    if args.svg:
        title = f"{recipe.name}: validation accuracy by {args.field}, {args.seeds} seeds, {recipe.epochs} epochs"
        args.svg.write_text(svg(title, args.values, found), encoding="utf-8")


if __name__ == "__main__":
    main()
