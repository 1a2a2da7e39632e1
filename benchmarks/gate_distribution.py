"""Which of the 16 gates a trained logic net consists of, layer by layer: a table, and a plot as SVG.

python -m benchmarks.gate_distribution RUN [--svg FILE]; RUN is a folder of `bitwright train`. Gates are counted as they
were trained, before simplification. Numbered as in Petersen et al. 2022 (arXiv:2210.08277): the truth table's bits for
(a, b) = 00, 01, 10, 11, the first being the most significant.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn

from bitwright.layers import LogicConv2d, LogicLinear

NAMES = ("0", "a∧b", "a∧¬b", "a", "¬a∧b", "b", "a⊕b", "a∨b", "¬(a∨b)", "a≡b", "¬b", "a∨¬b", "¬a", "¬a∨b", "¬(a∧b)", "1")


def gate_counts(model: nn.Module) -> dict[str, np.ndarray]:
    """Layer -> int (16,): how many of its gates are which. Layers of more than two inputs a gate are left out."""
    layers = {name: m for name, m in model.named_modules() if isinstance(m, LogicLinear | LogicConv2d) and m.k == 2}
    powers = np.array([8, 4, 2, 1])
    return {name: np.bincount(m.tables.hard().numpy() @ powers, minlength=16) for name, m in layers.items()}


def table(counts: Mapping[str, np.ndarray]) -> str:
    """Percent of each layer's gates."""
    lines = [f"{'':10}" + "".join(f"{name:>8}" for name in counts)]
    for gate, name in enumerate(NAMES):
        shares = (100 * count[gate] / max(count.sum(), 1) for count in counts.values())
        lines.append(f"{gate:2} {name:7}" + "".join(f"{share:7.1f}%" for share in shares))
    return "\n".join(lines)


def svg(counts: Mapping[str, np.ndarray], title: str) -> str:
    """A heat map: a row for each layer, a column for each gate, the share in percent in each cell."""
    cell, left, top = 46, 90, 70
    width, height = left + 16 * cell + 10, top + 30 * len(counts) + 10
    style = "<style>text{font:11px sans-serif}.m{text-anchor:middle}</style>"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">', style]
    parts.append(f'<rect width="100%" height="100%" fill="white"/><text x="10" y="20">{title}</text>')
    for gate, name in enumerate(NAMES):
        parts.append(f'<text class="m" x="{left + cell * gate + cell / 2:g}" y="{top - 10}">{name}</text>')
    for row, (name, count) in enumerate(counts.items()):
        y = top + 30 * row
        parts.append(f'<text x="10" y="{y + 19}">{name}</text>')
        for gate, share in enumerate(count / max(count.sum(), 1)):
            shade = round(255 * (1 - share**0.5))
            ink = "white" if shade < 110 else "black"
            x = left + cell * gate
            parts.append(f'<rect x="{x}" y="{y}" width="{cell - 2}" height="28" fill="rgb({shade},{shade},255)"/>')
            parts.append(f'<text class="m" x="{x + cell / 2 - 1:g}" y="{y + 18}" fill="{ink}">{100 * share:.1f}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    from bitwright.app.workflow import load_run

    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate_distribution", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--svg", type=Path, help="also write the plot here")
    args = parser.parse_args()
    recipe, _, _, model = load_run(args.run)
    counts = gate_counts(model)
    print(table(counts))
    if args.svg:
        total = sum(int(count.sum()) for count in counts.values())
        title = f"{recipe.name}, seed {recipe.seed}: learned gates, percent of each layer ({total:,} gates)"
        args.svg.write_text(svg(counts, title), encoding="utf-8")


if __name__ == "__main__":
    main()
