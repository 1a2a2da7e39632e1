"""The plots of docs/methods.md as SVG: every pair's curves, and the error of each surrogate's gradient by harmonic."""

from collections.abc import Mapping, Sequence

import numpy as np

BLUE, ORANGE = ("#a9c4e8", "#5b8fd0", "#1b4f91"), ("#f3c9a5", "#e08e45", "#a4530c")  # start, middle, end
LINES = ("#1b4f91", "#a4530c", "#2e7d32", "#7b1fa2", "#00838f", "#c2185b", "#5d4037")
REACH = 2.0
PERIOD = 4.0  # of the square wave whose derivative the surrogates stand for
HARMONICS = 61


def _path(x: np.ndarray, y: np.ndarray, colour: str, width: float = 1.3) -> str:
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, size: int = 11, anchor: str = "middle") -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="#333">{escaped}</text>'


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>", ""])


def _functions(name: str, progress: float):
    from bitwright.quantizers.theory import scalar_pair
    from bitwright.quantizers.theory.check import functions_of

    pair = scalar_pair(name)
    return functions_of(pair, pair.values_at(progress))


def curves(columns: int = 5) -> str:
    """A small plot for every quantizer: forward and slope at the start, half way and at the end."""
    from bitwright.quantizers import QUANTIZERS

    wide, high = 150, 120
    rows = -(-len(QUANTIZERS) // columns)
    w = np.linspace(-REACH, REACH, 201) + 1e-6
    parts = []
    for i, name in enumerate(QUANTIZERS):
        left, top = (i % columns) * (wide + 14) + 12, (i // columns) * (high + 28) + 24
        middle = top + high / 2
        x = left + (w + REACH) / (2 * REACH) * wide
        parts.append(_text(left + wide / 2, top - 6, name))
        parts.append(f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#ccc"/>')
        parts.append(_path(np.array([left, left + wide]), np.array([middle, middle]), "#ccc", 0.7))
        for step, progress in enumerate((0.0, 0.5, 1.0)):
            forward, backward = (f(w) for f in _functions(name, progress))
            slope = backward / max(np.abs(backward).max(), 1e-12)
            for y, colours in ((slope, ORANGE), (forward, BLUE)):
                shown = middle - np.clip(y, -1.35, 1.35) / 1.4 * high / 2
                parts.append(_path(x, shown, colours[step]))
    return _svg(columns * (wide + 14) + 10, rows * (high + 28) + 14, parts)


def harmonic_errors(slope, harmonics: int = HARMONICS, period: float = PERIOD) -> np.ndarray:
    """|amplitude of `slope` - that of a square wave's derivative| / the latter, at harmonics 1, 3, 5, ...

    slope: function of float64 on one period about 0. The square wave's derivative has 4 omega / pi at odd harmonics.
    """
    omega, n = 2 * np.pi / period, 1 << 14
    t = (np.arange(n) + 0.5) / n * period - period / 2
    k = np.arange(1, harmonics + 1, 2)
    amplitude = (np.cos(k[:, None] * omega * t) * slope(t)).mean(1) * 2
    return np.abs(amplitude / (4 * omega / np.pi) - 1)


def fourier_errors() -> str:
    """Lines of relative error over odd harmonics, at the end of each surrogate's training."""
    from bitwright.quantizers.fourier import fda
    from bitwright.quantizers.theory.check import functions_of

    omega = 2 * np.pi / PERIOD
    slopes = {"STE (BNN)": "ste", "ApproxSign": "approx_sign", "SwishSign, m = 5": "swish_sign", "EDE, t = 10": "ede",
              "ReSTE, o = 3": "reste"}  # fmt: skip
    lines = {label: harmonic_errors(_functions(name, 1.0)[1]) for label, name in slopes.items()}
    for n in (9, 18):
        pair = fda(n, n, omega=omega)
        lines[f"FDA, n = {n}"] = harmonic_errors(functions_of(pair, {"terms": float(n)})[1])
    x = np.arange(1, HARMONICS + 1, 2) / HARMONICS
    ticks = {tick / HARMONICS: str(tick) for tick in (1, 11, 21, 31, 41, 51, 61)}
    curves = {label: (x, np.minimum(error, 1.6) / 1.6) for label, error in lines.items()}
    return _chart(curves, ticks, {y / 1.6: f"{y:g}" for y in (0.0, 0.5, 1.0, 1.5)}, "harmonic")


def _chart(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], x_ticks: Mapping[float, str],
           y_ticks: Mapping[float, str], below: str) -> str:  # fmt: skip
    """Lines with a key. curves: label -> places and heights; those and the ticks are shares of the frame, in [0, 1]."""
    left, top, wide, high = 46, 16, 520, 240
    parts = [f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#ccc"/>']
    for y, label in y_ticks.items():
        place = top + high * (1 - y)
        parts.append(_path(np.array([left, left + wide]), np.array([place, place]), "#eee", 0.8))
        parts.append(_text(left - 6, place + 4, label, anchor="end"))
    for x, label in x_ticks.items():
        parts.append(_text(left + wide * x, top + high + 15, label))
    parts.append(_text(left + wide / 2, top + high + 31, below))
    for i, (label, (x, y)) in enumerate(curves.items()):
        parts.append(_path(left + wide * x, top + high * (1 - y), LINES[i], 1.6))
        key = left + wide + 14.0
        parts.append(_path(np.array([key, key + 20]), np.full(2, top + 14.0 + 18 * i), LINES[i], 2))
        parts.append(_text(left + wide + 40, top + 18 + 18 * i, label, anchor="start"))
    return _svg(left + wide + 170, top + high + 42, parts)


def convergence(steps: int = 1000) -> str:
    """Distance to the best value on a convex problem, for the point of each step and for the average so far.

    min over p of |A (p/2 + 1/5) - y|^2 / 60 + |p|_1 / 20, A (30, 8) of fixed random numbers: T is affine, the
    regulariser convex, steps are 1/sqrt(t). The best value comes from 20,000 proximal gradient steps in NumPy.
    """
    rng = np.random.default_rng(0)
    A, y = rng.normal(size=(30, 8)), rng.normal(size=30)

    def value(p: np.ndarray) -> float:
        return float(((A @ (p / 2 + 0.2) - y) ** 2).sum() / 60 + np.abs(p).sum() / 20)

    def slope(p: np.ndarray) -> np.ndarray:
        return A.T @ (A @ (p / 2 + 0.2) - y) / 30

    def shrink(w: np.ndarray, by: float) -> np.ndarray:
        return np.sign(w) * np.maximum(np.abs(w) - by, 0)

    best, rate = np.zeros(8), 4 / float(np.linalg.norm(A.T @ A / 30, 2))
    for _ in range(20_000):
        best = shrink(best - rate * slope(best) / 2, rate / 20)
    w, average, total = np.zeros(8), np.zeros(8), 0.0
    gaps: dict[str, list[float]] = {"PC++, averaged": [], "PC++, each step": []}
    for step in range(1, steps + 1):
        p = shrink(w, total / 20)
        average, total = average + p / step**0.5, total + 1 / step**0.5
        w = w - slope(p) / 2 / step**0.5
        gaps["PC++, averaged"].append(value(average / total) - value(best))
        gaps["PC++, each step"].append(value(p) - value(best))
    x = np.log10(np.arange(1, steps + 1)) / 3
    lines = {label: (x, (np.log10(np.clip(gap, 1e-6, 1)) + 6) / 6) for label, gap in gaps.items()}
    return _chart(lines, {k / 3: f"{10**k}" for k in range(4)}, {k / 6: f"1e{k - 6}" for k in range(0, 7, 2)}, "step")
