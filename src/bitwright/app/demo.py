"""The main job on real data in one table: train, freeze, verify, time; then a digit, and the command for your own data."""

import shutil
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from bitwright.app.checking import verification_inputs
from bitwright.app.draw import draw_image
from bitwright.app.recipes import find_recipe
from bitwright.app.source import Source
from bitwright.app.timing import rates
from bitwright.app.workflow import PROGRAM, train_run
from bitwright.app.zoo import list_pretrained, pretrained, pretrained_results
from bitwright.data import Dataset, is_present
from bitwright.freeze import agreement
from bitwright.ir import Program
from bitwright.models import create_model, float_twin
from bitwright.train import Recipe, evaluate, train_recipe

# data -> (recipe, changes that make it a matter of a minute or two)
CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "digits": ("digits_sign_mlp", {}),
    "mnist": ("mnist_sign_mlp", {"epochs": 4}),
}
SHIPPED = "mnist_sign_mlp"
BATCHES = (1, 256)


@dataclass
class Demo:
    """What the demo found. accuracies in percent of the test set; rates: batch -> (float twin, Program), images a second."""

    data: Dataset
    program: Program
    twin_accuracy: float
    model_accuracy: float
    program_accuracy: float
    twin_bytes: int
    program_bytes: int
    rates: dict[int, tuple[float, float]]
    differing: dict[str, str]
    ok: bool


def demo(data: str = "digits", out: str | Path = "runs", seconds: float = 1.0, **changes: Any) -> int:
    """Runs and prints it; 0 if nothing differed. seconds: spent on each rate. changes: of the recipe's fields.

    Raises ValueError for data other than CHOICES.
    """
    if data not in CHOICES:
        raise ValueError(
            f"demo: data is {data!r}, expected one of {', '.join(CHOICES)}; your own: bitwright train --data"
        )
    console = Console()
    name, quick = CHOICES[data]
    recipe = Recipe.from_toml(find_recipe(name)).override({"name": f"demo-{data}", **quick, **changes})
    folder = Path(out) / f"demo-{data}"
    shutil.rmtree(folder, ignore_errors=True)
    found = run_demo(recipe, Source(data), folder, seconds, console)
    console.print(demo_table(found))
    show_shipped(console, seconds)
    show_digit(found, console)
    path = folder / PROGRAM
    console.print(
        f"\nThe Program is [bold]{path}[/]. Your own pictures, a subfolder a class:\n"
        f"  [bold]bitwright train --data photos/[/]   then   [bold]bitwright predict runs/photos-seed0/model.bw cat.png[/]\n"
        "A table:  [bold]bitwright train --data table.csv --target column[/]"
        "   (in a checkout the command is .venv/bin/bitwright)",
        soft_wrap=True,
    )
    return 0 if found.ok else 1


def run_demo(recipe: Recipe, source: Source, folder: Path, seconds: float, console: Console) -> Demo:
    console.print(f"[bold]1[/] train {recipe.model} on {recipe.data}: every weight and every hidden activation one bit")
    result, program, data = train_run(recipe, source, folder)
    console.print("[bold]2[/] train its float twin: the same layers with real weights and ReLU")
    twin = train_recipe(replace(recipe, float_twin=True, name=f"{recipe.name}-float"), data=data).model
    console.print("[bold]3[/] verify: PyTorch, interpreter and every kernel of this CPU, value by value")
    n = min(len(data.x_test), 2000)
    agreed = agreement(program, data.x_test[:n])
    report = program.verify(data.x_test[:n])
    hidden, scores = agreed.hidden_differing, agreed.scores_differing
    differing = {
        "PyTorch": f"{hidden} of {agreed.hidden_compared:,} bits, {scores} of {agreed.scores_compared:,} scores"
    }
    for entry in report.backends:
        differing[entry.backend] = f"{entry.differing} of {entry.hidden_compared:,} values"
    console.print("[bold]4[/] time it beside the float twin, one thread each")
    speeds = {batch: compare_speed(program, twin, data.x_test[:batch], batch, seconds) for batch in BATCHES}
    return Demo(
        data=data,
        program=program,
        twin_accuracy=evaluate(twin, data.x_test, data.y_test),
        model_accuracy=evaluate(result.model, data.x_test, data.y_test),
        program_accuracy=100 * float((program.predict(data.x_test) == data.y_test).mean()),
        twin_bytes=sum(4 * p.numel() for p in twin.parameters()),
        program_bytes=(folder / PROGRAM).stat().st_size,
        rates=speeds,
        differing=differing,
        ok=agreed.ok and report.ok,
    )


def compare_speed(program: Program, twin: torch.nn.Module, x: np.ndarray, batch: int, seconds: float):
    """(float twin, Program): examples a second, whole calls from uint8 to scores, one thread each."""
    x = np.resize(x, (batch, *x.shape[1:]))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    twin = twin.eval()

    def run_twin():
        with torch.inference_mode():
            return twin(torch.from_numpy(x).float())

    try:
        found = rates({"twin": run_twin, "program": partial(program.run, x)}, batch, seconds)
    finally:
        torch.set_num_threads(threads)
    return found["twin"], found["program"]


def demo_table(found: Demo) -> Table:
    n = len(found.data.y_test)

    def percent(accuracy: float) -> str:
        p = accuracy / 100
        return f"{accuracy:.2f} ± {100 * sqrt(p * (1 - p) / n):.2f} %"

    table = Table(title=f"{found.data.name}: {n:,} test images", title_justify="left")
    for heading in ("", "float twin", "binary model", "frozen Program"):
        table.add_column(heading, justify="left" if not heading else "right")
    accuracies = map(percent, (found.twin_accuracy, found.model_accuracy, found.program_accuracy))
    table.add_row("accuracy (binomial error)", *accuracies)
    table.add_row("bytes", f"{found.twin_bytes:,}", "", f"{found.program_bytes:,}")
    for batch, (slow, fast) in found.rates.items():
        table.add_row(f"images a second, batch {batch}", f"{slow:,.0f}", "", f"{fast:,.0f}  ({fast / slow:.1f} x)")
    table.add_section()
    for who, count in found.differing.items():
        table.add_row(f"differing: {who}", "", "", count)
    return table


def show_shipped(console: Console, seconds: float) -> None:
    """The MNIST network that comes with the package: verified, timed, with its recorded accuracy."""
    if SHIPPED not in list_pretrained():
        return
    program, recorded = pretrained(SHIPPED), pretrained_results(SHIPPED)
    present = is_present("mnist")
    x = verification_inputs(program, "mnist" if present else "", 1000)
    report = program.verify(x)
    options = program.header.get("recipe", {}).get("model_options", {})
    twin = float_twin(create_model("sign_mlp", **{**options, "shape": program.input_type.shape}))
    table = Table(title=f"shipped: {SHIPPED}, {len(program.to_bytes()):,} bytes", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("accuracy, MNIST test set (recorded)", f"{recorded['frozen_accuracy']:.2f} %")
    for batch in BATCHES:
        slow, fast = compare_speed(program, twin, x, batch, seconds)
        table.add_row(f"images a second, batch {batch}", f"{fast:,.0f}  ({fast / slow:.1f} x its float twin)")
    inputs = "MNIST images" if present else "random images"
    table.add_row(f"differing values, {len(x)} {inputs}, all kernels", f"{report.differing}")
    console.print(table)


def show_digit(found: Demo, console: Console) -> None:
    """One test digit, drawn."""
    at = int(np.random.default_rng().integers(len(found.data.x_test)))
    image, true = found.data.x_test[at], found.data.classes[found.data.y_test[at]]
    predicted = found.data.classes[int(found.program.predict(image[None])[0])]
    console.print(draw_image(image, found.data.input.hi), highlight=False, markup=False)
    console.print(f"true {true}, predicted {predicted}")
