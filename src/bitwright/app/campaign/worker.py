"""One job in a process of its own: `python -m bitwright.app.campaign.worker RECIPE SEED FOLDER`.

Exit code 0: trained and frozen. 3: stopped by a signal, the checkpoint goes on from there. 4: the run diverged.
"""

import signal
import sys
from pathlib import Path

from bitwright.app.campaign.jobs import NOT_FROZEN
from bitwright.app.source import Source
from bitwright.app.workflow import train_run
from bitwright.freeze import FreezeError
from bitwright.train import Diverged, Recipe, TrainingInterrupted

STOPPED, DIVERGED = 3, 4


def main(recipe_file: str, seed: str, folder: str) -> int:
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    recipe = Recipe.from_toml(recipe_file, seed=int(seed))
    try:
        train_run(recipe, Source(recipe.data), folder, resume=True, progress=False)
    except (TrainingInterrupted, KeyboardInterrupt):
        return STOPPED
    except FreezeError as error:  # trained all the same
        (Path(folder) / NOT_FROZEN).write_text(f"{error}\n", encoding="utf-8")
    except Diverged:  # run.json says why
        return DIVERGED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
