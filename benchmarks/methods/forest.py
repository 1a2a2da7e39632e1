"""Paired differences with their 95 % intervals as an SVG: a dot and a bar a method, sorted."""

from collections.abc import Sequence
from html import escape

WIDTH, LEFT, RIGHT, TOP, ROW = 720, 190, 70, 46, 18
COLOURS = {True: "#1b6ca8", False: "#8a97a5"}  # an interval without 0, and with


def forest(rows: Sequence[tuple[str, float, float]], title: str, label: str, reach: float = 0.0) -> str:
    """rows: (name, mean difference, half width of its interval, nan for none), drawn from the largest down.

    reach: differences beyond +-reach are drawn at the edge; 0 takes the largest. Raises ValueError for no rows.
    """
    if not rows:
        raise ValueError("forest: no rows to draw; measure at least one method beside its base")
    rows = sorted(rows, key=lambda row: -row[1])
    reach = reach or max(abs(mean) + (half if half == half else 0.0) for _, mean, half in rows) or 1.0
    height = TOP + ROW * len(rows) + 44

    def at(value: float) -> float:
        share = (min(max(value, -reach), reach) + reach) / (2 * reach)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    bottom = TOP + ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="22" text-anchor="middle" font-size="14">{escape(title)}</text>',
    ]
    for i in range(-2, 3):
        x = at(reach * i / 2)
        parts.append(f'<line x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{bottom}" stroke="{"#555" if i == 0 else "#ddd"}"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{reach * i / 2:+.3g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 34}" text-anchor="middle">{escape(label)}</text>')
    for i, (name, mean, half) in enumerate(rows):
        y = TOP + ROW * i + 8
        spread = half if half == half else 0.0
        colour = COLOURS[abs(mean) > spread and half == half]
        low, high = at(mean - spread), at(mean + spread)
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<line x1="{low}" y1="{y}" x2="{high}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<circle cx="{at(mean)}" cy="{y}" r="3.5" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4}">{mean:+.2f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
