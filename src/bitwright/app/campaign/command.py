"""The command `campaign`."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg


def campaign_command(
    rows: tuple[str, ...] = (),
    budget: str = "",
    at_once: Annotated[int, arg(metavar="N")] = 0,
    seeds: Annotated[int, arg(metavar="N")] = 0,
    out: Path = Path("runs/campaign"),
    results: Path = Path("results"),
    evaluate: bool = True,
    dry: bool = False,
) -> int:
    """Train the rows of the published tables in order of worth, resumable at any moment, and write their results.

    Examples: bitwright campaign --dry
    bitwright campaign --rows fda-cpu --budget 25m

    Args:
        rows: fda, resnet20, weights, vgg, narrow, vit, logic, logic-conv, gnet, fda-cpu, resnet20-cpu; by default what
            this machine can do.
        budget: stop after so long, each run's checkpoint written: 90s, 25m, 8h.
        at_once: runs side by side; 0 chooses (a run a core on a CPU, at most 4; 8 on a GPU).
        seeds: at most so many of each row; 0 is all.
        out: for the run folders.
        results: folder for results, and for small checkpoints of unfinished runs.
        evaluate: by default the test set is read once for each run, as soon as it is trained.
        dry: only say what the rows are and what would run.
    """
    from bitwright.app.campaign.campaign import campaign

    return campaign(list(rows) or None, budget, at_once, seeds, out, results, evaluate, dry)
