"""`campaign`: rows -> trained jobs -> results, and the table of what they gave beside the bars.

From a bare source tree `PYTHONPATH=src python -m bitwright campaign` comes here too; it needs torch, NumPy and Pillow.
"""

import argparse
import re
import sys
from pathlib import Path

from bitwright.app.campaign.jobs import CHECKPOINT, fetch_what_is_missing, jobs_of
from bitwright.app.campaign.rows import ROWS, Row, find_rows
from bitwright.app.campaign.run import how_far, run_jobs
from bitwright.app.recipes import find_recipe, recipe_class
from bitwright.bench.timing import usable_cores

UNITS = {"s": 1, "m": 60, "h": 3600}
SAID = "Train the rows of the published tables in order of worth, resumable at any moment, and write their results."


def campaign(
    rows: list[str] | None = None, budget: str = "", at_once: int = 0, seeds: int = 0,
    out: str | Path = "runs/campaign", results: str | Path = "results", evaluate: bool = True, dry: bool = False,
) -> int:  # fmt: skip
    """Trains what is missing, reads the test set once for each run as it is finished, prints the table.

    rows: keys; none: those this machine can do. at_once: runs side by side; 0 chooses. seeds: at most so many of each
    row; 0: all. Returns 0 when nothing is left to do, else 1. Raises ValueError for an unknown row, a budget that is no
    time, or a negative at_once or seeds, and FetchError where a data set is missing and cannot be had.
    """
    budgeted = seconds_of(budget)
    if at_once < 0:
        raise ValueError(f"campaign: at_once is {at_once}, expected 1 or more, or 0 to choose")
    if seeds < 0:
        raise ValueError(f"campaign: seeds is {seeds}, expected 1 or more, or 0 for all")
    device = "gpu" if _has_gpu() else "cpu"
    chosen = find_rows(rows, device)
    jobs = jobs_of(chosen, Path(out), seeds)
    read = Path(results) if evaluate else None
    todo = [job for job in jobs if job.left(read)]
    at_once = at_once or (8 if device == "gpu" else max(1, min(4, usable_cores(), len(todo))))
    print(f"{_counted(len(chosen), 'row')}, {_counted(len(jobs), 'run')}, {len(todo)} to do, {at_once} at once on the "
          f"{device.upper()}")  # fmt: skip
    store = Path(results) / "unfinished"
    if dry:
        for row in chosen:
            print(f"{row.key}: {row.what}" + ("" if row.bar is None else f"; bar {row.bar:.1f} %"))
        for job in todo:
            why = "" if job.wanted else "  (others start from it or learn from it)"
            begun = (job.folder / CHECKPOINT).exists() or (store / job.kept).exists()
            state = "trained; the test set is to be read" if job.done else how_far(job) if begun else ""
            print(f"  {job.folder.name}{why}" + f"  ({state})" * bool(state))
        return 0
    fetch_what_is_missing(todo)
    done = run_jobs(jobs, budgeted, at_once, store, read, say=lambda text: print(text, flush=True))
    print(table(chosen, Path(results)))
    return 0 if done else 1


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


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
    except ValueError as error:  # of another recipe of this name
        return str(error)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bitwright campaign", description=SAID)
    parser.add_argument("--rows", nargs="+", choices=[row.key for row in ROWS], help="by default what this machine can")
    parser.add_argument("--budget", default="", help="stop after so long: 90s, 25m, 8h")
    said = "runs side by side; 0 chooses (a run a core on a CPU, at most 4; 8 on a GPU)"
    parser.add_argument("--at-once", type=int, default=0, help=said)
    parser.add_argument("--seeds", type=int, default=0, help="at most so many of each row; 0 is all")
    parser.add_argument("--out", default="runs/campaign", help="for the run folders")
    parser.add_argument("--results", default="results", help="for results, and small checkpoints of unfinished runs")
    parser.add_argument("--no-evaluate", dest="evaluate", action="store_false", help="leave the test set unread")
    parser.add_argument("--dry", action="store_true", help="only say what would run")
    try:
        return campaign(**vars(parser.parse_args(argv)))
    except (ValueError, OSError, ImportError) as error:
        print(f"bitwright: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
