"""python -m benchmarks.gnet.estimator: estimates of z = (2/pi) arcsin(cos) from N signs of each projection, and theory.

Dense vectors of p numbers at a few cosines: the mean error, 0 where rows are Gaussian or uniform in direction, and the
variance times N / (1 - z^2), 1 where rows are independent. Then the bias where one vector has s numbers that are not 0
and the other is dense, which no N removes: 0 for Gaussian and orthogonal rows. Rademacher rows: all 2^s signs of those
s places counted, the dense rest taken as normal; where s is large, the fourth cumulants of the two sums (Edgeworth).
Two rounds of Hadamard are Rademacher rows for what the first round made of the vectors. Biases are measured as the root
of a product of two errors from rows that share nothing, so that noise does not add up.
Writes results/gnet/estimator.json; a minute of one core.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.__main__ import save
from bitwright.bench.machine import commit, hardware
from bitwright.data.progress import Progress
from bitwright.freeze.projection import PROJECTIONS, Projection

COSINES = (-0.6, 0.0, 0.3, 0.7, 0.95)
SPARSE = (1, 2, 3, 5, 10, 64)
P, N = 64, 1024
PIECES = 16  # estimates of N signs a seed
COUNTED = 10  # places whose signs are counted out
ROTATIONS = 64  # first rounds that the theory of two rounds is averaged over


def pairs_of(cosines: np.ndarray, s: int, p: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors u with s normal numbers in its first places, v dense at given cosines to u: float64 (pairs, p)."""
    u, w = np.zeros((len(cosines), p)), rng.normal(size=(len(cosines), p))
    u[:, :s] = rng.normal(size=(len(cosines), s))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    w -= (w * u).sum(1, keepdims=True) * u
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    rho = cosines[:, None]
    return u, rho * u + np.sqrt(1 - rho**2) * w


def agreements(kind: str, u: np.ndarray, v: np.ndarray, n: int, pieces: int, seed: int) -> np.ndarray:
    """Estimates from n signs each: (pieces, pairs), of rows that follow each other."""
    rows = Projection(kind, n * pieces, u.shape[1], seed, 0, 2 if kind == "hadamard" else 0).matrix().numpy()
    equal = (rows @ u.T >= 0) == (rows @ v.T >= 0)
    return 2 * equal.reshape(pieces, n, -1).mean(1) - 1


def counted_bias(u: np.ndarray, v: np.ndarray, s: int) -> float:
    """Of Rademacher rows: mean of sgn(a.u) erf(a.v / sqrt(2) |rest of v|) over the 2^s signs a of the s places, less z.

    u, v: unit vectors (p,), u zero behind the first s places.
    """
    signs = 1.0 - 2.0 * (np.arange(1 << s)[:, None] >> np.arange(s) & 1)
    rest = np.linalg.norm(v[s:]) * math.sqrt(2)
    means = [math.erf(x / rest) for x in signs @ v[:s]]
    return float(np.mean(np.where(signs @ u[:s] >= 0, 1, -1) * means)) - 2 / math.pi * math.asin(float(u @ v))


def edgeworth_bias(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Of Rademacher rows on dense unit vectors (..., p), to first order in 1/p: their fourth cumulants are
    -2 sum u^i v^j, and each multiplies the integral of sgn(x) sgn(y) times a fourth derivative of the normal density.
    """
    rho = (u * v).sum(-1)
    peak = 2 / math.pi / (1 - rho**2) ** 1.5  # 4 phi(0, 0) / (1 - rho^2)
    alone = ((u**4).sum(-1) + (v**4).sum(-1)) / 24 * rho * (3 - 2 * rho**2)
    mixed = -((u**3 * v).sum(-1) + (u * v**3).sum(-1)) / 6 + (u**2 * v**2).sum(-1) / 4 * rho
    return -2 * peak * (alone + mixed)


def rotated_bias(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Of two rounds: edgeworth_bias of the vectors (pairs, p) behind a first round, mean over draws of its signs."""
    p = u.shape[1]
    parity = [[(i & j).bit_count() % 2 for j in range(p)] for i in range(p)]
    hadamard = (1 - 2 * np.array(parity)) / math.sqrt(p)
    signs = rng.choice([-1.0, 1.0], (ROTATIONS, 1, p))
    return edgeworth_bias((u * signs) @ hadamard, (v * signs) @ hadamard).mean(0)


def theory(kind: str, u: np.ndarray, v: np.ndarray, s: int, rng: np.random.Generator) -> np.ndarray:
    """The bias of each pair (pairs,)."""
    if kind == "hadamard":
        return rotated_bias(u, v, rng)
    if kind != "rademacher":
        return np.zeros(len(u))
    if s > COUNTED:
        return edgeworth_bias(u, v)
    return np.array([counted_bias(a, b, s) for a, b in zip(u, v, strict=True)])


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))


def measure(pairs: int, seeds: int, kinds: Sequence[str] = PROJECTIONS) -> list[dict[str, Any]]:
    """One row a projection and setting: "cosine" rows with mean_error, its standard_error and variance; "sparse" rows
    with bias. theory beside either. pairs: of vectors a setting; seeds: even, PIECES estimates each."""
    rng = np.random.default_rng(0)
    settings: list[dict[str, Any]] = [{"what": "cosine", "cosine": rho} for rho in COSINES]
    settings += [{"what": "sparse", "nonzeros": s} for s in SPARSE]
    made = []
    for setting in settings:
        rho = np.full(pairs, setting["cosine"]) if "cosine" in setting else rng.uniform(-0.95, 0.95, pairs)
        made.append(pairs_of(rho, setting.get("nonzeros", P), P, rng))
    u, v = (np.concatenate(side) for side in zip(*made, strict=True))
    z = 2 / math.pi * np.arcsin((u * v).sum(1))
    rows = []
    with Progress("signs of projections", len(kinds) * seeds) as bar:
        for kind in kinds:
            found = []
            for seed in range(seeds):
                found.append(agreements(kind, u, v, N, PIECES, seed) - z)
                bar.advance(1)
            errors = np.stack(found)  # (seeds, pieces, all pairs)
            for i, setting in enumerate(settings):
                part = slice(i * pairs, (i + 1) * pairs)
                want = theory(kind, u[part], v[part], setting.get("nonzeros", P), rng)
                rows.append({"projection": kind} | setting | summary(errors[..., part], z[part], want, setting["what"]))
    return rows


def summary(errors: np.ndarray, z: np.ndarray, want: np.ndarray, what: str) -> dict[str, float]:
    """errors: (seeds, pieces, pairs)."""
    if what == "sparse":
        halves = errors[::2].mean((0, 1)) * errors[1::2].mean((0, 1))
        return {"bias": math.sqrt(max(0.0, float(halves.mean()))), "theory": rms(want)}
    draws = errors.mean((1, 2))
    spread = errors.reshape(-1, len(z)).var(0, ddof=1) * N / (1 - z**2)
    return {
        "mean_error": float(draws.mean()), "standard_error": float(draws.std(ddof=1) / math.sqrt(len(draws))),
        "theory": float(want.mean()), "variance": float(spread.mean()),
    }  # fmt: skip


def estimator_parts(results: Path, out: Path) -> list[str]:
    """Of results/gnet/estimator.json: mean, variance and bias, a row a projection."""
    path = results / "gnet" / "estimator.json"
    if not path.exists():
        return []
    table = json.loads(path.read_text())
    at = {(row["projection"], row.get("cosine"), row.get("nonzeros")): row for row in table["rows"]}
    kinds = list(dict.fromkeys(kind for kind, _, _ in at))
    cosines, sparse = ([key[i] for key in at if key[0] == kinds[0] and key[i] is not None] for i in (1, 2))

    def lines(head: str, names: list[str], cell) -> list[str]:
        made = [f"| {head} | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
        return made + [f"| {kind} | " + " | ".join(cell(kind)) + " |" for kind in kinds]

    def tenth(x: float) -> str:
        return f"{round(1e4 * x, 1) + 0.0:.1f}"  # no -0.0

    def bias(kind: str) -> list[str]:
        rows = [at[kind, None, s] for s in sparse]
        return [f"{row['bias']:.4f} ({row['theory']:.4f})" for row in rows]

    def mean(kind: str) -> list[str]:
        rows = [at[kind, rho, None] for rho in cosines]
        return [f"{tenth(r['mean_error'])} ± {tenth(r['standard_error'])} ({tenth(r['theory'])})" for r in rows]

    named = [f"cos {rho:g}" for rho in cosines]
    noise = math.sqrt(2 / (table["n"] * table["estimates"]) / math.sqrt(table["pairs"]))
    return [
        "## Estimates against theory", "",
        f"Estimates of z = (2/pi) arcsin(cos) from N = {table['n']:,} signs, {table['pairs']} pairs of dense vectors "
        f"of {table['p']} numbers, {table['estimates']} estimates each. Mean error in 1/10,000, with its standard "
        "error, then what theory says:", "",
        *lines("rows", named, mean), "",
        "Variance times N / (1 - z^2); independent rows have 1, rows orthogonal to each other less:", "",
        *lines("rows", named, lambda kind: [f"{at[kind, rho, None]['variance']:.2f}" for rho in cosines]), "",
        f"Bias, which no N removes, where one of the two vectors has s numbers of {table['p']} that are not 0 (root "
        "mean square over pairs at cosines from -0.95 to 0.95, then what theory says):", "",
        *lines("rows", [f"s = {s}" for s in sparse], bias), "",
        f"Noise of such a measurement: {noise:.4f}. Theory: 0 for Gaussian and orthogonal rows. Of Rademacher rows up "
        f"to {COUNTED} places are counted out, more are expanded to first order in 1/p. Hadamard: two rounds are "
        "Rademacher rows for what the first made of the vectors, so few places are spread over all; the expansion "
        "leaves out that sums of equal numbers are often 0, which counts as +1. Gaussian rows are whole numbers of a "
        "deviation of 5.7, so they too meet 0 now and then on one place or two.",
        "",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.estimator", description=__doc__)
    parser.add_argument("--pairs", type=int, default=60, help="of vectors at each cosine and each s")
    parser.add_argument("--seeds", type=int, default=16, help="of each projection, an even number")
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.seeds < 2 or args.seeds % 2 or args.pairs < 1:
        parser.error(f"--seeds {args.seeds} --pairs {args.pairs}: seeds is an even number from 2, pairs from 1")
    table: dict[str, Any] = {"p": P, "n": N, "pairs": args.pairs, "estimates": args.seeds * PIECES}
    table |= {"commit": commit(), "hardware": hardware(), "rows": measure(args.pairs, args.seeds)}
    for row in table["rows"]:
        numbers = " ".join(f"{key} {value:.5f}" for key, value in row.items() if isinstance(value, float))
        print(f"{row['projection']:10} s {row.get('nonzeros', P):2} {numbers}")
    path = args.results / "gnet" / "estimator.json"
    save(path, table)
    print(path)


if __name__ == "__main__":
    main()
