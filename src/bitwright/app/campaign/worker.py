"""One job in a process of its own: `python -m bitwright.app.campaign.worker RECIPE SEED FOLDER PARENT [RESULTS]`.

PARENT: the campaign's process id. With RESULTS the test set is read once the run is trained. Exit code 0: all done. 3:
stopped by a signal or because its campaign is gone, the checkpoint goes on from there. 4: the run diverged.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from bitwright.app.campaign.jobs import NOT_FROZEN, Job, has_result
from bitwright.app.source import Source
from bitwright.app.workflow import evaluate_run, train_run
from bitwright.freeze import FreezeError
from bitwright.train import Diverged, Recipe

STOPPED, DIVERGED = 3, 4


def main(recipe_file: str, seed: str, folder: str, parent: str, results: str = "") -> int:
    for number in (signal.SIGINT, signal.SIGTERM):  # a campaign in a shell's background would have them ignored
        signal.signal(number, signal.default_int_handler)
    threading.Thread(target=_stop_without_parent, args=(int(parent),), daemon=True).start()
    job = Job(Path(recipe_file), int(seed), Path(folder))
    code = 0
    try:
        if not (job.done or job.failed):
            code = _train(job)
        if results and not has_result(job.recipe, job.seed, Path(results)):
            evaluate_run(folder, results)
    except KeyboardInterrupt:  # TrainingInterrupted too
        return STOPPED
    return code


def _train(job: Job) -> int:
    recipe = Recipe.from_toml(job.recipe, seed=job.seed)
    try:
        train_run(recipe, Source(recipe.data), job.folder, resume=True, progress=False)
    except FreezeError as error:  # trained all the same
        (job.folder / NOT_FROZEN).write_text(f"{error}\n", encoding="utf-8")
    except Diverged:  # run.json says why
        return DIVERGED
    return 0


def _stop_without_parent(parent: int) -> None:
    """A killed campaign must not leave runs behind that the next one would start a second time."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
