"""The command line of benchmarks.methods."""

import argparse
import time
from pathlib import Path

from benchmarks.methods.compare import KINDS, Budget, jobs, load, part_of, run, save, table


def main() -> None:
    """Trains what is missing, one run after another, and prints the table; Ctrl-C loses the run in progress only."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/methods-smoke.json"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed; fresh ones for what a search chose")
    parser.add_argument("--methods", nargs="*", default=[], help="all of METHODS by default")
    parser.add_argument("--fda", action="store_true", help="the parts of FDA instead of the methods")
    parser.add_argument("--search", type=int, default=0, metavar="N", help="N proposed pairs instead of the methods")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--minutes", type=float, default=1e9, help="stop before a run would go beyond")
    parser.add_argument("--table", action="store_true", help="print the table of what there is, train nothing")
    args = parser.parse_args()
    budget = Budget()
    runs = load(args.out, budget)
    if not args.table:
        import torch

        from benchmarks.methods.variants import VARIANTS, proposals
        from bitwright.data import load_data
        from bitwright.quantizers import METHODS

        torch.set_num_threads(1)
        data = part_of(load_data(budget.data), budget.examples)
        done = {(r["seed"], r["kind"], r["method"]) for r in runs}
        names = list(VARIANTS) if args.fda else proposals(args.search) if args.search else list(METHODS)
        wanted = jobs(args.seeds, args.methods or names, args.first)
        todo = [job for job in wanted if job not in done and job[1] in args.kinds]
        start = time.monotonic()
        for i, (seed, kind, method) in enumerate(todo, 1):
            if (time.monotonic() - start) * (i / max(i - 1, 1)) > 60 * args.minutes:
                break
            runs.append(run(budget, data, seed, kind, method))
            save(args.out, budget, runs)
            last = runs[-1]
            print(f"{i}/{len(todo)} seed {seed} {kind} {method}: {last['val_accuracy']:.2f} %, {last['seconds']} s",
                  flush=True)  # fmt: skip
    print(f"{sum(1 for _ in runs)} runs, kinds {', '.join(KINDS)}\n{table(runs)}")


if __name__ == "__main__":
    main()
