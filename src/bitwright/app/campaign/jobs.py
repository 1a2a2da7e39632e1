"""From rows to training jobs: one a recipe and seed, after the networks it starts from and learns from."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bitwright.app.campaign.rows import Row
from bitwright.app.recipes import find_recipe, recipe_class
from bitwright.bench.results import read_result, result_path
from bitwright.data.float_weights import FLOAT_WEIGHTS

CHECKPOINT, PROGRAM = "checkpoint.pt", "model.bw"
NOT_FROZEN = "not_frozen.txt"  # what a worker leaves in a run folder instead of a Program
LARGEST = 5_000_000  # bytes of a checkpoint that may be kept beside the results


@dataclass(frozen=True)
class Job:
    """One run. folder: its run folder. needs: folders of the runs that must be done before."""

    recipe: Path
    seed: int
    folder: Path
    needs: tuple[Path, ...] = ()
    wanted: bool = True  # a row asks for its accuracy; else it only serves another job

    @property
    def done(self) -> bool:
        return any((self.folder / name).exists() for name in (PROGRAM, NOT_FROZEN))

    @property
    def kept(self) -> str:
        """The name of its checkpoint among the unfinished: an edited recipe begins anew."""
        return f"{self.folder.name}-{recipe_class().from_toml(self.recipe).hash()}.pt"

    @property
    def failed(self) -> bool:
        described = self.folder / "run.json"
        return described.exists() and "failed" in json.loads(described.read_text(encoding="utf-8"))

    def left(self, results: Path | None) -> bool:
        """Whether something is to be done: training, or, where `results` are wanted, the reading of the test set."""
        if self.done or self.failed:
            return self.wanted and results is not None and not has_result(self.recipe, self.seed, results)
        return True


def has_result(file: Path, seed: int, results: Path) -> bool:
    """Whether `results` hold a reading of this very recipe, not of an earlier one of its name."""
    recipe = recipe_class().from_toml(file)
    path = result_path(recipe.name, seed, results)
    return path.exists() and read_result(path)["recipe_hash"] == recipe.hash()


def jobs_of(rows: Iterable[Row], out: Path, seeds: int = 0) -> list[Job]:
    """All jobs in an order in which each comes after what it needs; every run once, however many rows share it, and
    the first seed of every row before the second.

    seeds: at most so many of each row; 0 is all. Raises FileNotFoundError for a recipe that is not there.
    """
    jobs: dict[Path, Job] = {}
    rows = list(rows)
    for seed in range(seeds or max((row.seeds for row in rows), default=0)):
        for row in rows:
            for name in row.recipes if seed < row.seeds else ():
                _add(find_recipe(name), seed, out, jobs, wanted=True)
    return list(jobs.values())


def fetch_what_is_missing(jobs: Iterable[Job]) -> None:
    """Data sets and float weights, once, before several jobs ask for them at the same time.

    Raises FetchError, which says how to get them, where there is no network.
    """
    from bitwright.data import is_present, load_data
    from bitwright.data.float_weights import float_weights

    recipes = [recipe_class().from_toml(job.recipe) for job in jobs]
    for name in sorted({recipe.data for recipe in recipes}):
        if not is_present(name):
            load_data(name)
    for name in sorted({recipe.start for recipe in recipes} & FLOAT_WEIGHTS.keys()):
        float_weights(name)


def _add(file: Path, seed: int, out: Path, jobs: dict[Path, Job], wanted: bool) -> Path:
    recipe = recipe_class().from_toml(file)
    folder = out / f"{recipe.name}-seed{seed}"
    if folder in jobs and (jobs[folder].wanted or not wanted):
        return folder
    needs = []
    if recipe.start and recipe.start not in FLOAT_WEIGHTS:
        needs.append(_add(find_recipe(recipe.start), seed, out, jobs, wanted=False))
    if recipe.distill.weight and recipe.distill.teacher:
        taught = seed if recipe.distill.teacher_seed < 0 else recipe.distill.teacher_seed
        needs.append(_add(find_recipe(recipe.distill.teacher), taught, out, jobs, wanted=False))
    jobs[folder] = Job(file, seed, folder, tuple(needs), wanted)
    return folder


def keep_unfinished(jobs: Iterable[Job], store: Path) -> list[Job]:
    """Copies the checkpoints of unfinished jobs to `store`; drops those of finished ones. The jobs whose checkpoint is
    too large for that."""
    too_large = []
    for job in jobs:
        here, there = job.folder / CHECKPOINT, store / job.kept
        if job.done or job.failed:
            for old in store.glob(f"{job.folder.name}-*.pt"):
                old.unlink()
        elif here.exists() and here.stat().st_size > LARGEST:
            too_large.append(job)
        elif here.exists():
            store.mkdir(parents=True, exist_ok=True)
            part = there.with_name(there.name + ".part")
            shutil.copyfile(here, part)
            part.replace(there)
    return too_large


def take_up_unfinished(jobs: Iterable[Job], store: Path) -> None:
    """Puts kept checkpoints where the jobs look for them, unless a run folder has its own."""
    for job in jobs:
        kept, here = store / job.kept, job.folder / CHECKPOINT
        if kept.exists() and not here.exists():
            job.folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, here)
