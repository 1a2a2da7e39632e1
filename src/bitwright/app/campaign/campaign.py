"""`campaign`: rows -> trained jobs -> results, and the table of what they gave beside the bars.

Also `python -m bitwright.app.campaign.campaign`, which needs torch and NumPy alone.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

from bitwright.app.campaign.jobs import Job, jobs_of
from bitwright.app.campaign.rows import ROWS, Row, find_rows
from bitwright.app.campaign.run import run_jobs
from bitwright.app.recipes import find_recipe, recipe_class

UNITS = {"s": 1, "m": 60, "h": 3600}


def campaign(
    rows: list[str] | None = None, budget: str = "", at_once: int = 0, out: str | Path = "runs/campaign",
    results: str | Path = "results", evaluate: bool = True, dry: bool = False,
) -> int:  # fmt: skip
    """Trains what is missing, reads the test set once for each finished run that has no results yet, prints the table.

    rows: keys; none: those this machine can do. Returns 0 when every run is done, else 1.
    Raises ValueError for an unknown row or a budget that is no time.
    """
    device = "gpu" if _has_gpu() else "cpu"
    chosen = find_rows(rows, device)
    jobs = jobs_of(chosen, Path(out))
    at_once = at_once or (4 if device == "gpu" else 1)
    todo = [job for job in jobs if not job.done and not job.failed]
    print(f"{len(chosen)} rows, {len(jobs)} runs, {len(todo)} to do, {at_once} at once on the {device.upper()}")
    if dry:
        for job in todo:
            print(f"  {job.folder.name}" + ("" if job.wanted else "  (others start from it or learn from it)"))
        return 0
    store = Path(results) / "unfinished"
    done = run_jobs(jobs, seconds_of(budget), at_once, store, say=lambda text: print(text, flush=True))
    if evaluate:
        for job in jobs:
            _evaluate(job, Path(results))
    print(table(chosen, Path(results)))
    return 0 if done else 1


def seconds_of(budget: str) -> float | None:
    """ "25m" -> 1500.0; "" -> None, no end. Units: s, m, h."""
    if not budget:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget.strip())
    if not match:
        raise ValueError(f"campaign: budget is {budget!r}, expected a number and a unit: 90s, 25m, 8h")
    return float(match.group(1)) * UNITS[match.group(2)]


def table(rows: list[Row], results: Path) -> str:
    """A line a recipe: what, bar, measured over how many seeds."""
    lines = []
    for row in rows:
        for place, name in enumerate(row.recipes):
            recipe = recipe_class().from_toml(find_recipe(name)).name
            bar = f"bar {row.bar:.1f} %" if row.bar is not None and not place else ""
            lines.append((row.key if not place else "", recipe, _measured(recipe, results), bar))
    widths = [max((len(line[i]) for line in lines), default=0) for i in range(4)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in lines)  # fmt: skip


def _measured(recipe: str, results: Path) -> str:
    from bitwright.bench.results import summarize_seeds

    try:
        return str(summarize_seeds(recipe, results))
    except FileNotFoundError:
        return "not run yet"


def _evaluate(job: Job, results: Path) -> None:
    from bitwright.app.workflow import evaluate_run
    from bitwright.bench.results import read_result, result_path

    if not job.wanted or not (job.done or job.failed):
        return
    recipe = recipe_class().from_toml(job.recipe)
    path = result_path(recipe.name, job.seed, results)
    if path.exists() and read_result(path)["recipe_hash"] == recipe.hash():
        return
    print(f"reading the test set for {job.folder.name} ...", flush=True)
    evaluate_run(job.folder, results)


def _has_gpu() -> bool:
    if shutil.which("nvidia-smi") is None:
        return False
    import torch

    return torch.cuda.is_available()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bitwright.app.campaign.campaign", description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=[row.key for row in ROWS], help="by default what this machine can")
    parser.add_argument("--budget", default="", help="stop after so long: 90s, 25m, 8h")
    parser.add_argument("--at-once", type=int, default=0, help="runs side by side; 0 chooses")
    parser.add_argument("--out", default="runs/campaign", help="for the run folders")
    parser.add_argument("--results", default="results")
    parser.add_argument("--no-evaluate", dest="evaluate", action="store_false", help="leave the test set unread")
    parser.add_argument("--dry", action="store_true", help="only say what would run")
    try:
        return campaign(**vars(parser.parse_args(argv)))
    except (ValueError, FileNotFoundError) as error:
        print(f"campaign: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
