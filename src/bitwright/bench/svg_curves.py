"""Curves as an SVG file, without a plotting library: lines through means, bars for standard deviations."""

from collections.abc import Mapping, Sequence
from html import escape

COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#5d6d7e", "#117a65", "#7b241c", "#1f2d5a",
           "#e0699b", "#6b8e23", "#20a4b8")  # fmt: skip
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 60, 20, 40, 50

Curve = Sequence[tuple[float, float, float]]  # x, mean, standard deviation


def svg_curves(
    curves: Mapping[str, Curve], title: str, x_label: str, y_label: str, y_range: tuple[float, float] = (0, 100),
    marks: bool = False,
) -> str:  # fmt: skip
    """An SVG of named curves over common axes; what lies beyond y_range is drawn at its edge.

    marks: a dot at every point, so that curves of one point are seen, and the names below the axes.
    Raises ValueError if there is nothing to draw.
    """
    xs = [x for curve in curves.values() for x, _, _ in curve]
    if not xs:
        raise ValueError("svg_curves: no curve has a point; measure at least one")
    low, high = min(xs), max(max(xs), min(xs) + 1e-9)
    floor, top = y_range
    whole = HEIGHT + 16 * len(curves) * marks

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - low) / (high - low) * (WIDTH - LEFT - RIGHT)
        share = (min(max(y, floor), top) - floor) / (top - floor)
        return round(across, 1), round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {whole}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{whole}" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="20" text-anchor="middle" font-size="14">{escape(title)}</text>',
    ]
    for y in (floor + (top - floor) * i / 5 for i in range(6)):
        (x0, y0), (x1, _) = at(low, y), at(high, y)
        parts.append(f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y0}" stroke="#ddd"/>')
        parts.append(f'<text x="{x0 - 8}" y="{y0 + 4}" text-anchor="end">{y:g}</text>')
    for i in range(6):
        x = low + (high - low) * i / 5
        across, down = at(x, floor)
        parts.append(f'<text x="{across}" y="{down + 18}" text-anchor="middle">{x:g}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'transform="rotate(-90 16 {middle})"'
    parts.append(f'<text x="16" y="{middle}" text-anchor="middle" {turned}>{escape(y_label)}</text>')
    for i, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        points = " ".join(f"{a},{b}" for a, b in (at(x, mean) for x, mean, _ in curve))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, mean, sd in curve:
            (a, upper), (_, lower) = at(x, mean + sd), at(x, mean - sd)
            parts.append(f'<line x1="{a}" y1="{upper}" x2="{a}" y2="{lower}" stroke="{colour}"/>')
            if marks:
                parts.append(f'<circle cx="{a}" cy="{at(x, mean)[1]}" r="3" fill="{colour}"/>')
        down = HEIGHT + 4 + 16 * i if marks else HEIGHT - BOTTOM - 12 - 16 * i
        parts.append(f'<text x="{LEFT + 12}" y="{down}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
