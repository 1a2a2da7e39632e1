"""Numbers of the README and of docs/, written from results/*.json: `python -m bitwright.bench.report [--check]`.

A page says where they go; what stands between is replaced:

    <!-- numbers: accuracy -->
    <!-- /numbers -->
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

from bitwright.bench.curves import learning_curves
from bitwright.bench.published import papers_table
from bitwright.bench.results import FOLDER, summarize_seeds

BLOCK = re.compile(r"(<!-- numbers: ([\w -]+) -->\n).*?(<!-- /numbers -->)", re.DOTALL)
TIMED = {  # rows of the claims that the README shows
    "main-job": ("gemm", "speed-1", "speed-256", "threads", "startup", "size"),
    "logic-gates": ("inference", "trained"),
    "gnet": ("speed",),
}


def accuracy_table(results: Path) -> str:
    """A line a recipe: the Program's accuracy over seeds, the model's beside it, weights and bytes."""
    lines = [
        "| recipe | data | Program, test set | PyTorch model | same class | weights | first / last layer | file |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for recipe in recipes_in(results):
        summary = summarize_seeds(recipe, results)
        done = [result for result in summary.results if not result.get("failed")]
        if not done:
            lines.append(f"| `{recipe}` | {summary.results[0]['data']} | {summary} | | | | | |")
            continue
        if any("not_frozen" in result for result in done):
            mean_model = fmean(result["model_accuracy"] for result in done)
            lines.append(f"| `{recipe}` | {done[0]['data']} | does not freeze | {mean_model:.2f} % | | | | |")
            continue
        mean = {key: fmean(result[key] for result in done) for key in ("model_accuracy", "agreement", "file_bytes")}
        first = done[0]
        lines.append(
            f"| `{recipe}` | {first['data']} | {summary} | {mean['model_accuracy']:.2f} % | {mean['agreement']:.2f} % "
            f"| {_weights(first)} "
            f"| {mean['file_bytes'] / 1000:,.0f} kB |"
        )
    return "\n".join(lines) if len(lines) > 2 else "No results yet."


def timing_table(results: Path) -> str:
    """The timed claims of each table as last measured, and on what."""
    lines = []
    for name, keys in TIMED.items():
        table = claims_of(name, results)
        rows = [row for row in table.get("rows", []) if row["key"] in keys and row["met"] is not None]
        if rows:
            lines += ["| what | measured |", "| --- | --- |"]
            lines += [f"| {row['what']} | {row['measured']} |" for row in rows]
            lines += ["", f"Measured on {table['hardware']}; `make claims OF={name}` measures it on yours.", ""]
    return "\n".join(lines[:-1]) or "Not measured yet."


def headline(results: Path) -> str:
    """The smallest and fastest of the trained networks, in a sentence."""
    rows = claims_of("logic-gates", results).get("rows", [])
    timed = next((row["measured"] for row in rows if row["key"] == "trained" and row["met"] is not None), "")
    if not timed or "mnist_logic" not in recipes_in(results):
        return "Not measured yet."
    summary = summarize_seeds("mnist_logic", results)
    shipped = summary.results[0]  # seed 0
    return (
        f'`pretrained("mnist_logic")`, a network of logic gates in a file of {shipped["file_bytes"] / 1000:,.0f} kB: '
        f"{shipped['frozen_accuracy']:.2f} % of MNIST's test images right (its recipe: {summary}); {timed}."
    )


def claims_table(results: Path) -> str:
    """Every claim of the main job: bar, measured, open or met."""
    lines = ["| what | bar | measured | |", "| --- | --- | --- | --- |"]
    for row in claims_of("main-job", results).get("rows", []):
        cells = (row["what"], row["bar"], row["measured"], "met" if row["met"] else "open")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) if len(lines) > 2 else "Not measured yet."


def curves_list(results: Path) -> str:
    """The figures that `main` writes beside the page."""
    names = learning_curves(recipes_in(results), results)
    return "\n\n".join(f"![learning curves]({name})" for name in names) or "No run has left its curve yet."


# Name in the marker -> text of the block.
BLOCKS: dict[str, Callable[[Path], str]] = {
    "headline": headline,
    "accuracy": accuracy_table,
    "timing": timing_table,
    "claims main-job": claims_table,
    "papers": papers_table,
    "curves": curves_list,
}


def rewrite(text: str, results: str | Path = FOLDER) -> str:
    """The page with every block made anew. Raises ValueError for a block nobody writes."""

    def made(match: re.Match) -> str:
        name = match.group(2).strip()
        if name not in BLOCKS:
            raise ValueError(f"no numbers {name!r}; blocks: {', '.join(BLOCKS)}")
        return f"{match.group(1)}{BLOCKS[name](Path(results))}\n{match.group(3)}"

    return BLOCK.sub(made, text)


def _figures(folder: Path, results: Path, check: bool) -> list[Path]:
    """Figures that are not what the results say, written unless check."""
    stale = []
    for name, svg in learning_curves(recipes_in(results), results).items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != svg:
            stale.append(path)
            if not check:
                path.write_text(svg, encoding="utf-8")
    return stale


def _weights(result: dict[str, Any]) -> str:
    """Weights, and bits of one in the first and last layer; a net of logic tables has gates instead."""
    logic = result.get("logic", {})
    if not result["weights"] and "trained_gates" in logic:
        return f"{logic['trained_gates']:,} gates, {logic['gates']:,} remain, {logic['adders']:,} adders | -"
    if not result["weights"]:
        return "logic tables | -"
    return f"{result['weights']:,} | {result['first_layer_bits']} / {result['last_layer_bits']} bit"


def recipes_in(results: Path) -> list[str]:
    """Names of the recipes that have results, sorted; other measurements lie in the same folder."""
    stems = [re.fullmatch(r"(.*)-seed\d+", path.stem) for path in results.glob("*.json")]
    named = {stem.group(1): results / f"{stem.group(0)}.json" for stem in stems if stem}
    return sorted(name for name, path in named.items() if json.loads(path.read_text("utf-8")).get("recipe") == name)


def claims_of(table: str, results: Path) -> dict[str, Any]:
    path = results / f"claims-{table}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def main(argv: list[str] | None = None) -> int:
    """Exit code 1 if --check finds a page whose numbers are not those of the results."""
    parser = argparse.ArgumentParser(
        prog="python -m bitwright.bench.report", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("pages", nargs="*", type=Path, help="by default README.md and docs/*.md")
    parser.add_argument("--results", type=Path, default=Path(FOLDER))
    parser.add_argument("--check", action="store_true", help="write nothing; say which pages are out of date")
    args = parser.parse_args(argv)
    stale = []
    for page in args.pages or [Path("README.md"), *sorted(Path("docs").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        fresh = rewrite(text, args.results)
        if fresh != text:
            stale.append(page)
            if not args.check:
                page.write_text(fresh, encoding="utf-8")
        if "<!-- numbers: curves -->" in text:
            stale += _figures(page.parent, args.results, args.check)
    for page in stale:
        print(
            f"{page}: "
            + (
                "numbers are not those of the results; python -m bitwright.bench.report writes them"
                if args.check
                else "written"
            )
        )
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
