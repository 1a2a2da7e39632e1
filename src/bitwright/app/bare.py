"""`python -m bitwright` where tyro and rich are not installed, as from a bare source tree: what needs neither."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

MISSING = "needs tyro, which is not installed: pip install tyro rich. Without it: python -m bitwright campaign, papers"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `campaign` or `papers`; returns the exit code, 2 for any other command."""
    name, *rest = list(sys.argv[1:] if argv is None else argv) or [""]
    if name == "campaign":
        from bitwright.app.campaign.campaign import main as campaign_main

        return campaign_main(rest)
    if name == "papers":
        return _papers(rest)
    print(f"bitwright: error: {f'the command {name!r}' if name else 'the command line'} {MISSING}", file=sys.stderr)
    return 2


def _papers(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bitwright papers")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results files")
    results = parser.parse_args(argv).results
    from bitwright.bench.published import papers_table, say_what_is_shown

    say_what_is_shown(results)
    print(papers_table(results))
    return 0
