"""G-Net beside its rivals: the cheapest way to the paper's accuracy, and weight codes flipped at equal bytes."""

import json
from statistics import fmean

from benchmarks.claims.claim import RESULTS, Measured, NotMeasured
from benchmarks.gnet.factorial import PAPER_ACCURACY, cheapest, rows_of

RIVALS = ("logic", "sign", "int4")  # in the names of systems


def cheap() -> Measured:
    """The cheapest embedding with the paper's accuracy, as a share of the paper's cost with shared rows."""
    grouped, paper = rows_of(RESULTS)
    if not paper:
        raise NotMeasured("no rows of benchmarks.gnet.pareto yet")
    found = cheapest(grouped, PAPER_ACCURACY)
    if found is None:
        return Measured(f"nothing measured reaches {PAPER_ACCURACY} %", False)
    way, n, mean, count = found
    words = f"1/{paper / count:.0f}: {way}, N = {n}, {mean:.2f} %, {count / 1e6:,.0f} M operations"
    return Measured(words, paper / count >= 100, {"operations": count, "paper": paper, "accuracy": mean})


def equal_bytes() -> Measured:
    """At the bytes of TASU's codes of N = 4,095: accuracy at 10 % beside the best rival; met once every kind of rival
    that the claim names is there, also where it is ahead.
    """
    path = RESULTS / "gnet" / "equal-bytes-4095.json"
    if not path.exists():
        raise NotMeasured("no curves at equal bytes yet")
    table = json.loads(path.read_text())
    at = {s["name"]: fmean(p["accuracy"] for p in s["points"] if p["rate"] == 0.1) for s in table["systems"]}
    ours = at.pop(table["recipe"])
    if not at:
        raise NotMeasured("no rival fits into the bytes yet; train mnist_gnet_sign")
    best = max(at, key=lambda name: at[name])
    words = f"{ours:.2f} % at 10 %, best rival {best} {at[best]:.2f} %; crossovers in docs/gnet.md"
    missing = [kind for kind in RIVALS if not any(kind in name for name in at)]
    return Measured(words + (f"; no {', '.join(missing)} yet" if missing else ""), not missing, {"ours": ours, **at})
