"""`bitwright sweep`: fields of a recipe tried at values Optuna proposes, judged on the validation split.

Trials stand in a journal file: a sweep that stopped goes on, and several processes on one folder share the work.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg


def parse_range(text: str) -> tuple[str, dict[str, Any]]:
    """("field", what Optuna's suggest method takes) of "lr=log:1e-4..1e-1", "epochs=3..9" or "optimizer=adam|sgd".

    Raises ValueError saying the three forms.
    """
    field, equals, values = text.partition("=")
    kind, colon, rest = values.partition(":")
    log = bool(colon) and kind == "log"
    low, dots, high = (rest if log else values).partition("..")
    try:
        if not equals or not field:
            raise ValueError
        if not dots:
            if log or not values:
                raise ValueError
            return field, {"choices": [_number(value) for value in values.split("|")]}
        ends: list[Any] = [_number(low), _number(high)]
        if any(isinstance(end, str) for end in ends) or not ends[0] < ends[1]:
            raise ValueError
    except ValueError:
        forms = "lr=log:1e-4..1e-1, epochs=3..9 or optimizer=adam|sgd"
        raise ValueError(f"sweep: {text!r} is no range; write it as {forms}") from None
    return field, {"low": ends[0], "high": ends[1], "log": log}


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def suggest(trial: Any, ranges: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A value for each field: whole numbers between whole ends."""
    chosen = {}
    for field, options in ranges.items():
        if "choices" in options:
            chosen[field] = trial.suggest_categorical(field, options["choices"])
        elif isinstance(options["low"], int) and isinstance(options["high"], int):
            chosen[field] = trial.suggest_int(field, **options)
        else:
            chosen[field] = trial.suggest_float(field, **options)
    return chosen


def sweep(recipe: Any, ranges: Mapping[str, Mapping[str, Any]], trials: int, journal: str | Path, data: Any = None,
          progress: bool = False):  # fmt: skip
    """Runs so many trials more and gives the Optuna study, whose best_params and best_value are the answer.

    recipe: a Recipe with a validation split. ranges: as of parse_range; ends may change from one call to the next.
    data: a Dataset instead of the recipe's. progress: of each training. A run that diverges is a failed trial.
    Raises TrainingInterrupted on Ctrl-C, which costs the trial under way only, ValueError for an unknown field, a
    recipe that trains on the validation split, or a journal of another recipe or of other choices, ImportError without
    Optuna.
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError("sweep needs optuna, which is not installed: pip install 'bitwright[tune]'") from error
    from optuna.storages.journal import JournalFileBackend

    from bitwright.train import Diverged, TrainingInterrupted, train_recipe
    from bitwright.train.experiment import recipe_data

    if recipe.train_on_validation:
        raise ValueError("sweep: the recipe trains on the validation split, which a sweep judges by; set it to false")
    recipe.override({field: options.get("low", options.get("choices", [None])[0]) for field, options in ranges.items()})
    data = recipe_data(recipe) if data is None else data

    def objective(trial: Any) -> float:
        return train_recipe(recipe.override(suggest(trial, ranges)), data=data, progress=progress).val_accuracy

    def say(study: Any, trial: Any) -> None:
        words = ", ".join(f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
                          for key, value in trial.params.items())  # fmt: skip
        found = "diverged" if trial.value is None else f"{trial.value:.2f} %"
        print(f"trial {trial.number}: {words}: {found}", flush=True)

    Path(journal).parent.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(n_startup_trials=6)
    study = optuna.create_study(
        storage=storage, sampler=sampler, study_name=recipe.name, direction="maximize", load_if_exists=True
    )
    _check_same_sweep(study, recipe, ranges, journal)
    try:
        study.optimize(objective, n_trials=trials, catch=(Diverged,), callbacks=[say])
    except KeyboardInterrupt:
        kept = len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)))
        text = f"sweep: interrupted; {journal} keeps {kept} trials, and the same command goes on from there"
        raise TrainingInterrupted(text) from None
    return study


def _check_same_sweep(study: Any, recipe: Any, ranges: Mapping[str, Mapping[str, Any]], journal: str | Path) -> None:
    """Trials of another recipe are not to be compared with ours; Optuna cannot change the choices of a study."""
    mine = f"{recipe.hash()} seed {recipe.seed}"
    if study.user_attrs.get("recipe", mine) != mine:
        raise ValueError(
            f"sweep: {journal} holds trials of another recipe of the name {recipe.name!r}; give another journal, or "
            "remove that file"
        )
    study.set_user_attr("recipe", mine)
    for trial in study.get_trials(deepcopy=False):
        for field, before in trial.distributions.items():
            old, new = getattr(before, "choices", None), ranges.get(field, {}).get("choices")
            if field in ranges and (old is None) != (new is None) or old and new and list(old) != list(new):
                raise ValueError(
                    f"sweep: {journal} holds trials with another kind of range or other choices of {field!r}; give "
                    "another journal, or the range as it was"
                )


def sweep_command(
    recipe: Positional[str],
    vary: tuple[str, ...],
    trials: Annotated[int, arg(metavar="N")] = 20,
    journal: Path | None = None,
) -> int:
    """Try a recipe with other values of some fields, chosen by Optuna, on the validation split.

    Example: bitwright sweep digits_sign_mlp --vary lr=log:1e-4..1e-1 epochs=5..20 'optimizer=adam|sgd'

    Args:
        recipe: path or name.
        vary: a field and its range each: log:LOW..HIGH, LOW..HIGH, or ONE|OTHER. Tables' fields with a dot.
        trials: how many to run now, beyond those the journal holds.
        journal: where trials are kept; by default runs/RECIPE-sweep.log.
    """
    from bitwright.app.recipes import find_recipe, recipe_class

    chosen = recipe_class().from_toml(find_recipe(recipe))
    path = journal or Path("runs") / f"{chosen.name}-sweep.log"
    study = sweep(chosen, dict(parse_range(text) for text in vary), trials, path, progress=True)
    done = [trial for trial in study.trials if trial.value is not None]
    if not done:
        print(f"no trial of {len(study.trials)} came to an end; see {path}")
        return 1
    flags = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in study.best_params.items())
    print(f"best of {len(done)} trials: {study.best_value:.2f} % of the validation split")
    print(f"next: bitwright train {recipe} {flags}")
    return 0
