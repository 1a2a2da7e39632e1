"""The estimator's table: theory against sums over all signs, measured against theory, the page's lines."""

import json
import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from benchmarks.gnet import estimator  # noqa: E402
from benchmarks.gnet.page import page  # noqa: E402


def over_all_signs(u, v):
    """E sgn(a.u) sgn(a.v) of vectors of whole numbers, over all signs a: joint sums, place after place."""
    nu, nv = int(np.abs(u).sum()), int(np.abs(v).sum())
    share = np.zeros((2 * nu + 1, 2 * nv + 1))
    share[nu, nv] = 1
    for a, b in zip(u, v, strict=True):
        share = (np.roll(share, (a, b), (0, 1)) + np.roll(share, (-a, -b), (0, 1))) / 2
    return float(np.sign(np.arange(-nu, nu + 1)) @ share @ np.sign(np.arange(-nv, nv + 1)))


@pytest.mark.parametrize("rho", [-0.5, 0.7, 0.9])
def test_fourth_cumulants_give_the_bias_of_dense_vectors(rho):
    rng = np.random.default_rng(3)
    w = rng.normal(size=(2, 48))
    u, v = (np.rint(4 * x).astype(int) for x in (w[0], rho * w[0] + math.sqrt(1 - rho**2) * w[1]))
    u[0], v[0] = u[0] + 1 - u.sum() % 2, v[0] + 1 - v.sum() % 2  # odd sums: none is 0
    a, b = u / np.linalg.norm(u), v / np.linalg.norm(v)
    bias = over_all_signs(u, v) - 2 / math.pi * math.asin(a @ b)
    assert float(estimator.edgeworth_bias(a, b)) == pytest.approx(bias, rel=0.5, abs=1e-3)


@pytest.mark.parametrize("s, rho", [(1, 0.7), (2, -0.9), (3, 0.9)])
def test_signs_of_few_places_are_counted_out(s, rho):
    rng = np.random.default_rng(s)
    u, v = np.zeros(40, int), np.rint(4 * rng.normal(size=40)).astype(int)
    u[:s] = (7, 1, 2)[:s]
    v[:s] += np.rint(rho * 25 * u[:s] / 7).astype(int)
    v[-1] += 1 - v.sum() % 2
    a, b = u / np.linalg.norm(u), v / np.linalg.norm(v)
    bias = over_all_signs(u, v) - 2 / math.pi * math.asin(a @ b)
    assert abs(bias) > 0.025
    assert estimator.counted_bias(a, b, s) == pytest.approx(bias, abs=0.012)  # the rest is nearly normal


def test_measured_beside_theory_and_on_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(estimator, "COSINES", (0.0, 0.7))
    monkeypatch.setattr(estimator, "SPARSE", (1, 64))
    rows = estimator.measure(pairs=10, seeds=2)
    at = {(row["projection"], row.get("cosine"), row.get("nonzeros")): row for row in rows}
    assert len(at) == 4 * 4
    for kind in ("gaussian", "rademacher"):  # 32 estimates of 10 pairs know a variance to about 8 %
        assert at[kind, 0.7, None]["variance"] == pytest.approx(1, abs=0.3)
    assert at["orthogonal", 0.0, None]["variance"] < 0.8 > at["hadamard", 0.0, None]["variance"]
    assert at["rademacher", None, 1]["bias"] == pytest.approx(at["rademacher", None, 1]["theory"], abs=0.02)
    assert at["rademacher", None, 1]["theory"] > 0.08
    assert max(at[kind, None, 1]["bias"] for kind in ("gaussian", "orthogonal", "hadamard")) < 0.02
    assert all(abs(row["mean_error"]) < 0.01 for row in rows if "mean_error" in row)
    (tmp_path / "gnet").mkdir()
    table = {"p": 64, "n": 1024, "pairs": 10, "estimates": 32, "rows": rows}
    (tmp_path / "gnet/estimator.json").write_text(json.dumps(table))
    text = page(tmp_path, tmp_path)
    assert "## Estimates against theory" in text and "| rows | s = 1 | s = 64 |" in text
    line = next(line for line in text.splitlines() if line.startswith("| rademacher | 0.1"))
    assert f"({at['rademacher', None, 1]['theory']:.4f})" in line


def test_bounds_beside_observations(tmp_path, monkeypatch):
    """The command on a small net for digits, as it begins: a network's row, Rademacher's bias, the page."""
    from benchmarks.gnet import bound
    from bitwright.freeze import guarantees

    monkeypatch.setattr(bound, "RESULTS", tmp_path)
    monkeypatch.setattr(bound, "fit", lambda model, data, **fields: model.eval())  # the same weights on any machine
    monkeypatch.setattr(guarantees, "MEASURED_ROWS", 1 << 13)
    asked = "bound --layers linear1 --n 255 1023 --seeds 5 --network-n 4095 16383 --network-seeds 2 --samples 2"
    monkeypatch.setattr("sys.argv", asked.split())
    bound.main()
    rows = json.loads((tmp_path / "gnet/bound-digits-seed0.json").read_text())["layers"]
    assert [(row["layer"], row["projection"]) for row in rows] == [
        (layer, kind) for layer in ("linear1", "network") for kind in ("gaussian", "rademacher")
    ]
    for row in rows:
        assert max(row["beyond"]) == 0 and all(a < b for a, b in zip(row["largest"], row["bounds"], strict=True))
        assert row["largest"][1] < row["largest"][0]  # errors shrink
    estimates = 32 * 100
    assert rows[0]["bounds"][0] == pytest.approx(math.sqrt(2 / 255 * math.log(2 * estimates / 0.05)))
    assert rows[1]["bounds"][0] - rows[1]["bias"] == pytest.approx(math.sqrt(2 / 255 * math.log(4 * estimates / 0.05)))
    assert rows[2]["bounds"][0] == 2.0 and len(rows[2]["required"]) == 2
    text = page(tmp_path, tmp_path)
    assert "| network | gaussian | 4,095 | none |" in text and "Bound beside observation: digits-seed0" in text
