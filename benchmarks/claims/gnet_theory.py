"""G-Net's estimates beside theory, and largest errors beside their bounds; from results/gnet alone."""

import json

from benchmarks.claims.claim import RESULTS, Measured, NotMeasured

SIGMAS, SPREAD, SHARE, NOISE = 4.0, 0.05, 0.1, 0.002


def estimates() -> Measured:
    """Means within SIGMAS standard errors of theory; variances within SPREAD of 1 where rows are independent, and less
    where they are orthogonal; biases of Rademacher rows within SHARE of theory, of others within 0.005, NOISE beside.
    """
    path = RESULTS / "gnet" / "estimator.json"
    if not path.exists():
        raise NotMeasured("no estimates yet")
    rows = json.loads(path.read_text())["rows"]
    means = [row for row in rows if row["what"] == "cosine"]
    off = max(abs(row["mean_error"] - row["theory"]) / row["standard_error"] for row in means)
    free = [row["variance"] for row in means if row["projection"] in ("gaussian", "rademacher")]
    tied = [row["variance"] for row in means if row["projection"] in ("orthogonal", "hadamard")]
    sparse = [row for row in rows if row["what"] == "sparse"]
    ours = [row for row in sparse if row["projection"] == "rademacher"]
    other = max(row["bias"] for row in sparse if row["projection"] != "rademacher")
    near = all(abs(row["bias"] - row["theory"]) <= SHARE * row["theory"] + NOISE for row in ours)
    worst = max(ours, key=lambda row: row["bias"])
    words = (
        f"means at most {off:.1f} standard errors off; variance x N / (1 - z^2) {min(free):.2f} to {max(free):.2f} of "
        f"independent rows, {min(tied):.2f} to {max(tied):.2f} of orthogonal ones; bias of Rademacher rows at most "
        f"{worst['bias']:.3f} (theory {worst['theory']:.3f}), of others {other:.3f}"
    )
    spread = max(abs(variance - 1) for variance in free) <= SPREAD and max(tied) < 1
    return Measured(words, off <= SIGMAS and spread and near and other <= 0.005, {"sigmas": off, "other_bias": other})


def bounds() -> Measured:
    """Of every row of every file: the share of draws beyond the bound is delta or less; every kind is there."""
    tables = [json.loads(path.read_text()) for path in sorted((RESULTS / "gnet").glob("bound-*.json"))]
    found = [row for table in tables for row in table["layers"]]
    if not found:
        raise NotMeasured("no bounds yet")
    kinds = {(row["layer"] == "network", row.get("projection", "gaussian")) for row in found}
    beyond = max(share for row in found for share in row["beyond"])
    allowed = min(row["delta"] for row in found)
    draws = min(row["seeds"] for row in found)
    words = (
        f"at most {100 * beyond:g} % of draws beyond, {100 * allowed:g} % allowed; at least {draws} draws a length; "
    )
    words += ", ".join(f"{'network' if network else 'layers'} {kind}" for network, kind in sorted(kinds))
    met = beyond <= allowed and draws >= 1 / allowed and len(kinds) == 4
    return Measured(words, met, {"beyond": beyond, "draws": draws})
