"""python -m benchmarks.claims [TABLE] [--quick] [--only KEY ...]: measures, prints, keeps results/claims-TABLE.json.

Timings want a machine that is otherwise idle.
"""

import argparse
import sys

from benchmarks.claims import TABLES
from benchmarks.claims.claim import load_rows, measure, recall, save_rows
from benchmarks.claims.show import show


def main(argv: list[str] | None = None) -> int:
    """Exit code 0 if every claim shown is met, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__)
    parser.add_argument("table", nargs="?", choices=sorted(TABLES), help="which table; all by default")
    parser.add_argument("--of", choices=sorted(TABLES), help="the same, as make claims OF= says it")
    parser.add_argument("--quick", action="store_true", help="measure nothing: read results and last measurements")
    parser.add_argument("--only", nargs="+", metavar="KEY", default=[], help="measure these rows, recall the others")
    args = parser.parse_args(argv)
    of = args.of or args.table
    every_met = True
    for name in [of] if of else sorted(TABLES):
        claims = TABLES[name]
        unknown = set(args.only) - {claim.key for claim in claims}
        if unknown:
            parser.error(f"no row {', '.join(sorted(unknown))} in {name}; rows: {', '.join(c.key for c in claims)}")
        last, rows = load_rows(name), []
        for claim in claims:
            if args.quick or (args.only and claim.key not in args.only):
                rows.append(recall(claim, last))
                continue
            print(f"measuring {claim.key} ...", file=sys.stderr, flush=True)
            rows.append(measure(claim))
        if not args.quick:
            save_rows(name, rows)
        show(name, rows)
        every_met &= all(row.met for row in rows)
    return 0 if every_met else 1


if __name__ == "__main__":
    sys.exit(main())
