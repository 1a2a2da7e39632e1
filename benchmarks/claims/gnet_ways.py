"""G-Net beside its rivals: the cheapest way to the paper's accuracy, and weight codes flipped at equal bytes."""

import json
from statistics import fmean

from benchmarks.claims.claim import RESULTS, Measured, NotMeasured
from benchmarks.gnet.factorial import PAPER_ACCURACY, cheapest, rows_of

RIVALS = ("logic", "sign", "4-bit")  # in the names of systems
TEST_SAMPLES = 10_000


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
    """At the bytes of TASU's codes of each length measured on all test images: accuracy at 10 % beside the best rival.

    Met once every kind of rival that the claim names stands at one of them, also where it is ahead.
    """
    tables = [json.loads(path.read_text()) for path in (RESULTS / "gnet").glob("equal-bytes-*.json")]
    words: list[str] = []
    values: dict[str, float] = {}
    for table in sorted((t for t in tables if t["samples"] == TEST_SAMPLES), key=lambda t: t["n"]):
        at = {s["name"]: fmean(p["accuracy"] for p in s["points"] if p["rate"] == 0.1) for s in table["systems"]}
        ours, n = at.pop(table["recipe"]), table["n"]
        values |= {f"{name}, N = {n}": accuracy for name, accuracy in at.items()} | {f"ours, N = {n}": ours}
        if at:
            best = max(at, key=lambda name: at[name])
            words.append(f"N = {n:,}: {ours:.2f} % at 10 %, best rival {best} {at[best]:.2f} %")
    if not words:
        raise NotMeasured("no curves at equal bytes on all test images yet")
    missing = [kind for kind in RIVALS if not any(kind in name for name in values)]
    said = "; ".join([*words, "crossovers in docs/gnet.md"]) + (f"; no {', '.join(missing)} yet" if missing else "")
    return Measured(said, not missing, values)
