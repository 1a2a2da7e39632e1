"""Breast Cancer, 10 x 10 stratified cross-validation: logic nets paired with logistic regression on the same bits.

python -m benchmarks.breast_cancer [--steps N] writes results/breast_cancer_cv.json. Every fold trains its own net on
all its training rows. All nets are trained at once as one wide net whose parts share nothing but the input bits; hard
truth tables are what is tested. The interval of the paired difference is the corrected resampled t interval for
repeated cross-validation: folds share training rows, so their differences are not independent.
Source: Nadeau, Bengio 2003, "Inference for the generalization error", Machine Learning 52, Sec. 4.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from bitwright.data import load_data
from bitwright.layers import WIRINGS, LogicLinear, LogicStack

PATH = Path(__file__).resolve().parents[1] / "results" / "breast_cancer_cv.json"
FOLDS = REPEATS = 10
WIDTHS, TAU, LR = (128,) * 5, 20.0, 0.05
T_99 = 1.9842  # 97.5 % point of Student's t with 99 degrees of freedom


@dataclass(frozen=True)
class Report:
    """Percent right: means and standard deviations over the folds, and the mean difference with half its interval."""

    logic: float
    logic_sd: float
    regression: float
    regression_sd: float
    difference: float
    half_interval: float
    rows: int
    gates: int
    steps: int

    def __str__(self) -> str:
        return (
            f"logic net {self.logic:.2f} ± {self.logic_sd:.2f} %, logistic regression {self.regression:.2f} ± "
            f"{self.regression_sd:.2f} %; difference {self.difference:+.2f} ± {self.half_interval:.2f} points (95 %); "
            f"{self.rows} rows, {self.gates} gates, {FOLDS} x {REPEATS} folds"
        )


def stratified_folds(y: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """int (N,): the fold each row is tested in; every fold has its share of each class."""
    random, fold = np.random.RandomState(seed), np.empty(len(y), np.int64)
    at = 0
    for label in np.unique(y):
        rows = random.permutation(np.flatnonzero(y == label))
        fold[rows] = (np.arange(len(rows)) + at) % n_folds
        at += len(rows)
    return fold


def logistic_regression(x: np.ndarray, y: np.ndarray, l2: float = 1.0) -> np.ndarray:
    """x: (N, F), y: (N,) of 0 and 1 -> weights (F + 1,), the intercept last and not penalised; Newton's method.

    Minimises the sum of log losses + l2 / 2 times the squared weights.
    """
    design = np.concatenate([x, np.ones((len(x), 1))], 1)
    penalty, weights = l2 * np.eye(design.shape[1]), np.zeros(design.shape[1])
    penalty[-1, -1] = 1e-9
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (p - y) + penalty @ weights
        step = np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]) + penalty, gradient)
        weights -= step
        if np.abs(step).max() < 1e-10:
            break
    return weights


def side_by_side(n_nets: int, in_features: int, seed: int) -> list[LogicLinear]:
    """Layers of n_nets nets in one: net i has gates i * width to (i + 1) * width of each layer, and reads only them."""
    torch.manual_seed(seed)
    layers, width = [], in_features
    for i, out in enumerate(WIDTHS):
        own = [WIRINGS["unique" if i == 0 else "balanced"](width, out, 2) for _ in range(n_nets)]
        wiring = torch.cat([part + (net * width if i else 0) for net, part in enumerate(own)], 1)
        layers.append(LogicLinear(width * (n_nets if i else 1), out * n_nets, wiring=wiring))
        width = out
    return layers


def train_nets(
    x: np.ndarray, y: np.ndarray, train: np.ndarray, steps: int, seed: int = 0, watch: int = 0
) -> np.ndarray:
    """train: bool (nets, N), the rows each net learns from -> int (nets, N), what the hard nets say of every row.

    watch: print shares right of rows learned from and of others every so many steps.
    """
    bits, labels, used = torch.from_numpy(x).float(), torch.from_numpy(y), torch.from_numpy(train)
    n_nets = len(train)
    model = LogicStack(*side_by_side(n_nets, x.shape[1], seed))
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)

    def scores() -> torch.Tensor:  # (N, nets, 2)
        return model(bits).unflatten(1, (n_nets, 2, -1)).sum(3) / TAU

    def said() -> np.ndarray:
        model.eval()
        with torch.no_grad():
            answer = scores().argmax(2).T.numpy()
        model.train()
        return answer

    for step in range(1, steps + 1):
        loss = F.cross_entropy(scores().flatten(0, 1), labels.repeat_interleave(n_nets), reduction="none")
        loss = (loss.reshape(-1, n_nets).T * used).sum(1) / used.sum(1)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        if watch and step % watch == 0:
            right = said() == y
            print(f"step {step}: {100 * right[train].mean():.2f} % learned, {100 * right[~train].mean():.2f} % others",
                  file=sys.stderr, flush=True)  # fmt: skip
    return said()


def folds_of(y: np.ndarray) -> np.ndarray:
    """bool (FOLDS * REPEATS, N): rows to learn from."""
    return np.concatenate([stratified_folds(y, FOLDS, r)[None] != np.arange(FOLDS)[:, None] for r in range(REPEATS)])


def cross_validate(steps: int) -> Report:
    """All folds, both models."""
    data = load_data("breast_cancer", validation=False)
    x, y = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    train = folds_of(y)
    right = train_nets(x, y, train, steps, watch=max(steps // 10, 1)) == y
    logic = np.array([100 * row[~learn].mean() for row, learn in zip(right, train, strict=True)])
    regression = []
    for learn in train:
        weights = logistic_regression(x[learn].astype(float), y[learn])
        answer = x[~learn] @ weights[:-1] + weights[-1] > 0
        regression.append(100 * (answer == y[~learn]).mean())
    apart = logic - regression
    spread = np.sqrt((1 / len(apart) + (~train).sum(1).mean() / train.sum(1).mean()) * apart.var(ddof=1))
    return Report(
        float(logic.mean()), float(logic.std(ddof=1)), float(np.mean(regression)), float(np.std(regression, ddof=1)),
        float(apart.mean()), float(T_99 * spread), len(y), sum(WIDTHS), steps,
    )  # fmt: skip


def choose_steps(steps: int) -> None:
    """Prints how shares right go with the steps, in cross-validation of the official split's training rows alone."""
    data = load_data("breast_cancer", validation=False)
    train_nets(data.x_train, data.y_train, folds_of(data.y_train), steps, seed=1, watch=max(steps // 20, 1))


def load_report() -> Report | None:
    """The last report, or None."""
    return Report(**json.loads(PATH.read_text(encoding="utf-8"))) if PATH.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.breast_cancer", description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="full-batch steps of Adam")
    parser.add_argument("--choose", action="store_true", help="only print accuracies by step on the training rows")
    args = parser.parse_args()
    if args.choose:
        choose_steps(args.steps)
        return
    report = cross_validate(args.steps)
    PATH.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
