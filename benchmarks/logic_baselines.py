"""The paper's baselines on the same bits: a decision tree, logistic regression, a small neural network.

python -m benchmarks.logic_baselines [DATA ...] prints test accuracies and writes results/logic_baselines.json. The
tree's depth and the regression's penalty are chosen by 5-fold cross-validation on the training rows. The network has
one hidden layer of ReLU, 8 units on the small tables and 32 on Adult; its epochs are fixed.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.breast_cancer import logistic_regression, stratified_folds
from bitwright.data import load_data

PATH = Path(__file__).resolve().parents[1] / "results" / "logic_baselines.json"
HIDDEN = {"monk1": 8, "monk2": 8, "monk3": 8, "adult": 32, "adult_official_hours": 32, "breast_cancer": 8}
DEPTHS, PENALTIES, SEEDS = range(1, 13), (0.01, 0.1, 1.0, 10.0), 5
EPOCHS, LR = {"adult": 20, "adult_official_hours": 20}, 0.01  # 1,000 epochs on the small ones


@dataclass
class Node:
    """A leaf's answer, or a question about one bit and what follows from 0 and 1."""

    answer: int
    bit: int = -1
    children: tuple["Node", "Node"] | None = None

    def leaves(self) -> int:
        return 1 if self.children is None else sum(child.leaves() for child in self.children)


def grow(x: np.ndarray, y: np.ndarray, depth: int) -> Node:
    """A tree of at most this depth; each question makes the Gini impurity smallest. x: bool (N, F), y: 0 and 1."""
    node = Node(int(2 * y.sum() > len(y)))
    if depth == 0 or y.min() == y.max():
        return node
    n1, ones = x.sum(0), (x & (y == 1)[:, None]).sum(0)
    n0, zeros = len(y) - n1, y.sum() - ones
    with np.errstate(invalid="ignore", divide="ignore"):
        impurity = np.where((n1 > 0) & (n0 > 0), ones * (n1 - ones) / n1 + zeros * (n0 - zeros) / n0, np.inf)
    bit = int(impurity.argmin())
    if not np.isfinite(impurity[bit]):
        return node
    parts = (grow(x[side], y[side], depth - 1) for side in (~x[:, bit], x[:, bit]))
    return Node(node.answer, bit, tuple(parts))  # type: ignore[arg-type]


def ask(node: Node, x: np.ndarray) -> np.ndarray:
    if node.children is None:
        return np.full(len(x), node.answer)
    return np.where(x[:, node.bit], ask(node.children[1], x), ask(node.children[0], x))


def choose(x: np.ndarray, y: np.ndarray, settings, right) -> object:
    """The setting with the best mean of right(setting, x, y, x_other, y_other) over 5 folds, the first at a tie."""
    fold = stratified_folds(y, 5, seed=0)
    scores = [
        np.mean([right(setting, x[fold != k], y[fold != k], x[fold == k], y[fold == k]) for k in range(5)])
        for setting in settings
    ]
    return list(settings)[int(np.argmax(scores))]


def tree_right(depth, x, y, x_other, y_other) -> float:
    return 100 * float((ask(grow(x, y, depth), x_other) == y_other).mean())


def regression_right(l2, x, y, x_other, y_other) -> float:
    weights = logistic_regression(x.astype(float), y, l2)
    return 100 * float(((x_other @ weights[:-1] + weights[-1] > 0) == y_other).mean())


def network_right(hidden: int, epochs: int, seed: int, x, y, x_other, y_other) -> float:
    """One hidden layer, Adam, batches of 100, the rate falling to 0 as half a cosine."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(x.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, 2))
    bits, labels = torch.from_numpy(x).float(), torch.from_numpy(y)
    steps = max(1, len(x) // 100)
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for rows in order.chunk(steps):
            loss = F.cross_entropy(model(bits[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        return 100 * float((model(torch.from_numpy(x_other).float()).argmax(1).numpy() == y_other).mean())


def baselines(name: str) -> dict[str, dict[str, float]]:
    """Model -> its accuracy on the test set in percent, its settings, its parameters."""
    data = load_data(name, validation=False)
    x, y, x_test, y_test = data.x_train.astype(bool), data.y_train, data.x_test.astype(bool), data.y_test
    depth, l2 = choose(x, y, DEPTHS, tree_right), choose(x, y, PENALTIES, regression_right)
    hidden, epochs = HIDDEN[name], EPOCHS.get(name, 1000)
    nets = [network_right(hidden, epochs, seed, x, y, x_test, y_test) for seed in range(SEEDS)]
    return {
        "decision tree": {"accuracy": tree_right(depth, x, y, x_test, y_test), "depth": depth,
                          "leaves": grow(x, y, depth).leaves()},  # type: ignore[arg-type]
        "logistic regression": {"accuracy": regression_right(l2, x, y, x_test, y_test), "l2": l2,
                                "parameters": x.shape[1] + 1},
        "neural network": {"accuracy": float(np.mean(nets)), "sd": float(np.std(nets, ddof=1)), "seeds": SEEDS,
                           "parameters": (x.shape[1] + 1) * hidden + (hidden + 1) * 2},
    }  # type: ignore[dict-item]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logic_baselines", description=__doc__)
    parser.add_argument("data", nargs="*", choices=[[], *HIDDEN], help="data sets; all by default")
    known = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    for name in parser.parse_args().data or list(HIDDEN):
        known[name] = baselines(name)
        for model, found in known[name].items():
            rest = ", ".join(f"{key} {value:,.4g}" for key, value in found.items() if key != "accuracy")
            print(f"{name}: {model} {found['accuracy']:.2f} % ({rest})", flush=True)
        PATH.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
