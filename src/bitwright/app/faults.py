"""The command `faults`: how accuracy falls when bits flip, as a table, a JSON file and a plot."""

import json
from pathlib import Path
from typing import Any

from tyro.conf import Positional


def faults_command(
    program: Positional[str],
    /,
    rate: tuple[float, ...] = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    target: str = "weights",
    seeds: int = 3,
    data: str = "",
    samples: int = 0,
    copies: int = 1,
    out: Path | None = None,
) -> None:
    """Flip bits of a Program at exact rates and measure what is left of its accuracy.

    Examples: bitwright faults model.bw --rate 0.1 --target weights
    bitwright faults model.bw --rate 0 0.1 0.2 --target activations --samples 500 --out faults

    Args:
        program: a .bw file, the name of a shipped Program, or a run folder.
        rate: shares of the bits that flip.
        target: weights, thresholds, bytes (all that is stored but wiring), activations, projections or accumulators.
        seeds: runs with other flips at each rate.
        data: a data set's name; by default the one the network was trained on. Its test set is read.
        samples: use so many of it; 0 takes all.
        copies: store every bit so often (an odd number) and take the majority.
        out: write OUT.json and OUT.svg too.
    """
    from bitwright.app.commands import open_program
    from bitwright.bench.faults import TARGETS, as_json, fault_curve, summarize_faults
    from bitwright.bench.svg_curves import svg_curves

    if target not in TARGETS:
        raise ValueError(f"faults: no target {target!r}; choose one of {', '.join(TARGETS)}")
    folder = Path(program)
    opened = open_program(str(folder / "model.bw") if folder.is_dir() else program)
    data_name, x, y = _labelled(opened, data, samples)
    voted = f", majority of {copies} copies" if copies > 1 else ""
    print(f"{program}: {target} flipped{voted}, {len(x):,} test samples of {data_name}, {seeds} seeds")
    points = fault_curve(opened, x, y, target, rate, range(seeds), copies=copies)
    print("   rate   accuracy   sd")
    for row in summarize_faults(points):
        print(f"{100 * row['rate']:6g}%   {row['mean']:7.2f}  {row['sd']:5.2f}")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        name = out.stem if out.suffix in (".json", ".svg") else out.name  # a rate in a name is no suffix
        rows, of = summarize_faults(points), folder.name if folder.is_dir() else folder.stem
        curve = [(100 * row["rate"], row["mean"], row["sd"]) for row in rows]
        described = {"program": of, "data": data_name, "samples": len(x), "copies": copies}
        described |= {"points": as_json(points)}
        table, plot = out.with_name(f"{name}.json"), out.with_name(f"{name}.svg")
        table.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
        svg = svg_curves({of: curve}, f"{target} flipped", "bits flipped, %", "accuracy, %")
        plot.write_text(svg, encoding="utf-8")
        print(f"{table}, {plot}")


def _labelled(program, data: str, samples: int) -> tuple[str, Any, Any]:
    from bitwright.data import DATASETS, load_data

    if samples < 0:
        raise ValueError(f"faults: samples is {samples}, expected how many, or 0 for all")
    name = (data or str(program.header.get("data", ""))).lower().replace("-", "_")
    if name not in DATASETS:
        known = ", ".join(DATASETS)
        raise ValueError(f"faults: labels are needed, and {name or 'no data'!r} is no data set; --data one of {known}")
    loaded = load_data(name)
    if loaded.x_test.shape[1:] != program.input_type.shape:
        raise ValueError(
            f"faults: {name} is {loaded.x_test.shape[1:]} a row, this Program takes {program.input_type.shape}; "
            "name its own data with --data"
        )
    n = samples or len(loaded.x_test)
    return name, loaded.x_test[:n], loaded.y_test[:n]
