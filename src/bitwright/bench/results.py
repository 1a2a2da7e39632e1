"""results/<recipe>-seed<k>.json: one finished run and its reading of the test set. Numbers of the README and of the
claims come from such files and nowhere else.

A file counts how often the test set was read for its recipe and seed, and keeps what earlier readings said.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

FOLDER = "results"

# Every field a finished run must have. Percentages are of the whole test set.
FIELDS = {
    "recipe": "name of the recipe",
    "recipe_hash": "hash of everything in the recipe that decides the weights",
    "recipe_fields": "the recipe itself",
    "seed": "of initial weights, shuffling and augmentation",
    "data": "name of the data set",
    "test_samples": "how many",
    "test_reads": "how often the test set was read for this recipe's name and seed",
    "frozen_accuracy": "percent, the Program",
    "model_accuracy": "percent, the PyTorch model (eager CPU float32, eval)",
    "agreement": "percent of samples on which Program and model name the same class",
    "exact": "whether Program and model promise the same bits",
    "hidden_compared": "hidden bits compared between Program and model",
    "hidden_differing": "of them",
    "scores_compared": "scores compared between Program and model",
    "scores_differing": "of them; of exact networks",
    "twin_differing": "values on which the Program differs from its grid twin",
    "file_bytes": "of the .bw",
    "weights": "weights in all, of any width",
    "first_layer_bits": "bits of a weight of the first layer",
    "last_layer_bits": "bits of a weight of the last layer",
    "block": "the model and its variant of block",
    "accumulators": "of the binary layers",
    "wider_than_a_bit": "what stays wider, and why",
    "train_seconds": "of training",
    "test_seconds": "of the Program on the test set",
    "threads": "of the Program on the test set",
    "train_threads": "of training; 0: as torch had them",
    "backend": "what ran the Program",
    "hardware": "CPU, cores, features, system",
    "versions": "of Python and packages",
    "commit": "of the sources; + when files differed from it",
}


def result_path(recipe: str, seed: int, folder: str | Path = FOLDER) -> Path:
    return Path(folder) / f"{recipe}-seed{seed}.json"


def read_result(path: str | Path) -> dict[str, Any]:
    """A results file. Raises FileNotFoundError, or ValueError naming what is wrong with it."""
    path = Path(path)
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON ({error}); evaluate the run again: bitwright eval") from None
    _check(result, str(path))
    return result


def write_result(result: Mapping[str, Any], folder: str | Path = FOLDER) -> tuple[Path, dict[str, Any]]:
    """(path, what was written), atomically. `test_reads` and `earlier_reads` are filled in from the file it replaces.

    Raises ValueError when a field of FIELDS is missing.
    """
    written = {"test_reads": 0, **result}
    _check(written, "results")
    path = result_path(written["recipe"], written["seed"], folder)
    earlier = earlier_reads(path)
    written["test_reads"] = len(earlier) + (0 if written.get("failed") else 1)
    if earlier:
        written["earlier_reads"] = earlier
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)
    return path, written


def write_failure(recipe: Any, reason: str, folder: str | Path = FOLDER) -> Path:
    """Records a run that did not finish (diverged, say): a summary over seeds counts it. recipe: a Recipe."""
    result = {"recipe": recipe.name, "recipe_hash": recipe.hash(), "recipe_fields": recipe.to_dict()}
    return write_result({**result, "seed": recipe.seed, "data": recipe.data, "failed": reason}, folder)[0]


def earlier_reads(path: str | Path) -> list[dict[str, Any]]:
    """One entry for each reading of the test set that `path` knows of, oldest first."""
    if not Path(path).exists():
        return []
    old = read_result(path)
    known = list(old.get("earlier_reads", []))
    if not old.get("failed"):
        known.append({key: old.get(key) for key in ("recipe_hash", "frozen_accuracy", "commit")})
        if old.get("not_frozen"):
            known[-1]["frozen_accuracy"] = old["model_accuracy"]
    return known


def read_note(result: Mapping[str, Any]) -> str:
    """What to say when the test set was read more than once; "" for the first time."""
    earlier = result.get("earlier_reads", [])
    if not earlier:
        return ""
    other = sum(entry["recipe_hash"] != result["recipe_hash"] for entry in earlier)
    changed = f", {other} of them with another recipe of this name" if other else ""
    before = ", ".join(f"{entry['frozen_accuracy']:.2f}" for entry in earlier)
    return (
        f"the test set was read before for {result['recipe']} with seed {result['seed']}: "
        f"reading {result['test_reads']}{changed}; earlier: {before} %"
    )


@dataclass(frozen=True)
class SeedSummary:
    """All seeds of one recipe. mean, sd: of frozen_accuracy, percent (of model_accuracy where a model does not freeze);
    sd of the seeds as a sample, nan for one seed.

    A failed run counts with the accuracy it reached, 0 if it reached none. results: the files' contents by seed.
    """

    recipe: str
    results: tuple[dict[str, Any], ...]
    mean: float
    sd: float
    failed: int

    @property
    def seeds(self) -> list[int]:
        return [result["seed"] for result in self.results]

    def __str__(self) -> str:
        spread = "" if math.isnan(self.sd) else f" ± {self.sd:.2f}"
        failed = f", {self.failed} failed" if self.failed else ""
        failed += ", PyTorch: does not freeze" if any(result.get("not_frozen") for result in self.results) else ""
        return f"{self.mean:.2f}{spread} % ({len(self.results)} seed{'s' * (len(self.results) != 1)}{failed})"


def summarize_seeds(recipe: str, folder: str | Path = FOLDER) -> SeedSummary:
    """Raises FileNotFoundError if there is none, ValueError if the seeds' recipes differ."""
    results = read_results(recipe, folder)
    if not results:
        path = result_path(recipe, 0, folder)
        raise FileNotFoundError(f"no {path}; train and evaluate: bitwright train, bitwright eval")
    if len({result["recipe_hash"] for result in results}) > 1:
        raise ValueError(f"results of {recipe}: the seeds' recipes differ (recipe_hash); evaluate runs of one recipe")
    values = [float(result.get("frozen_accuracy") or result.get("model_accuracy") or 0.0) for result in results]
    sd = stdev(values) if len(values) > 1 else math.nan
    return SeedSummary(recipe, tuple(results), fmean(values), sd, sum(bool(result.get("failed")) for result in results))


def read_results(recipe: str, folder: str | Path = FOLDER) -> list[dict[str, Any]]:
    """The results of all seeds of a recipe, by seed."""
    pattern = re.compile(re.escape(recipe) + r"-seed(\d+)\.json")
    paths = [path for path in Path(folder).glob("*.json") if pattern.fullmatch(path.name)]
    return sorted((read_result(path) for path in paths), key=lambda result: result["seed"])


def binomial_error(accuracy: float, samples: int) -> float:
    """Standard error, in points, of an accuracy in percent measured on so many samples."""
    share = accuracy / 100
    return 100 * math.sqrt(share * (1 - share) / samples) if samples else math.nan


def _check(result: Any, who: str) -> None:
    if not isinstance(result, dict):
        raise ValueError(f"{who}: expected a JSON object")
    few = ("recipe", "recipe_hash", "recipe_fields", "seed", "data")
    needed = few if result.get("failed") else (*few, "model_accuracy") if result.get("not_frozen") else FIELDS
    missing = [key for key in needed if key not in result]
    if missing:
        raise ValueError(f"{who}: no {', '.join(missing)}; evaluate the run again: bitwright eval")
