"""The main job on real data in one table: train, freeze, verify, time; then a digit, and the way to your own data."""

import os
import shutil
import sys
import time
from dataclasses import dataclass, replace
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
from bitwright.app.workflow import PROGRAM, train_run
from bitwright.app.zoo import list_pretrained, pretrained, pretrained_results
from bitwright.bench import binomial_error, compare_speed, float_twin_of, widths
from bitwright.bench.rivals import FLOAT_TWIN
from bitwright.data import Dataset, is_present
from bitwright.freeze import agreement
from bitwright.ir import Program, join_backends
from bitwright.train import Recipe, evaluate, train_recipe

# data -> (recipe, changes that make it a matter of a minute or two)
CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "digits": ("digits_sign_mlp", {"epochs": 30, "threads": 1}),  # so small that threads only wait for each other
    "mnist": ("mnist_sign_mlp", {"epochs": 3}),
}
SHIPPED = "mnist_sign_mlp"
BATCHES = (1, 256)
BITS = "bits: weights / activations / projections / sums"


@dataclass
class Demo:
    """What the demo found. Accuracies: percent of the test set. rates: batch -> images/s of (float twin, Program)."""

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


def demo(data: str = "digits", out: str | Path = "runs", **changes: Any) -> int:
    """Runs and prints it; 0 if nothing differed. changes: of the recipe's fields.

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
    found = run_demo(recipe, Source(data), folder, console)
    console.print(demo_table(found))
    show_shipped(console)
    show_digit(found, console)
    path, command = folder / PROGRAM, this_command()
    console.print(
        f"\nThe Program is [bold]{path}[/]. Your own pictures, a subfolder a class:\n"
        f"  [bold]{command} train --data photos/[/]   then   "
        f"[bold]{command} predict runs/photos-seed0/model.bw cat.png[/]\n"
        f"A table:  [bold]{command} train --data table.csv --target column[/]",
        soft_wrap=True,
    )
    return 0 if found.ok else 1


def run_demo(recipe: Recipe, source: Source, folder: Path, console: Console) -> Demo:
    console.print(f"[bold]1[/] train {recipe.model} on {recipe.data}: every weight and every hidden activation one bit")
    result, program, data = train_run(recipe, source, folder)
    console.print("[bold]2[/] train its float twin: the same layers with real weights and ReLU")
    twin = train_recipe(replace(recipe, float_twin=True, name=f"{recipe.name}-float"), data=data).model
    console.print("[bold]3[/] verify: PyTorch, interpreter and every kernel of this CPU, value by value")
    n = min(len(data.x_test), 1000)
    agreed = agreement(program, data.x_test[:n])
    report = program.verify(data.x_test[:n])
    differing = {
        "PyTorch, bits": f"{agreed.hidden_differing} of {agreed.hidden_compared:,}",
        "PyTorch, scores": f"{agreed.scores_differing} of {agreed.scores_compared:,}",
    }
    for entry in report.backends:
        differing[entry.backend] = f"{entry.differing} of {entry.hidden_compared:,}"
    console.print("[bold]4[/] time it beside the float twin, one thread each")
    speeds = speed_beside(program, twin, data.x_test[:256])
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


def speed_beside(program: Program, twin: torch.nn.Module, x: np.ndarray) -> dict[int, tuple[float, float]]:
    """batch -> examples a second, (float twin, the Program's fastest backend), whole calls, one thread each."""
    backends = list(join_backends())[-1:]
    report = compare_speed(program, twin, x, BATCHES, threads=(1,), backends=backends)
    return {b: (report.row(b, 1, FLOAT_TWIN).per_second, report.fastest(b, 1).per_second) for b in BATCHES}


def this_command() -> str:
    """How this very `bitwright` is called from a shell."""
    return "bitwright" if shutil.which("bitwright") else os.path.relpath(Path(sys.executable).with_name("bitwright"))


def demo_table(found: Demo) -> Table:
    n = len(found.data.y_test)

    def percent(accuracy: float) -> str:
        return f"{accuracy:.2f} ± {binomial_error(accuracy, n):.2f} %"

    table = Table(title=f"{found.data.name}: {n:,} test images, accuracy ± binomial error", title_justify="left")
    for heading in ("", "float twin", "binary model", "frozen Program"):
        table.add_column(heading, justify="left" if not heading else "right")
    accuracies = map(percent, (found.twin_accuracy, found.model_accuracy, found.program_accuracy))
    table.add_row("accuracy", *accuracies)
    table.add_row("bytes", f"{found.twin_bytes:,}", "", f"{found.program_bytes:,}")
    table.add_row(BITS, "32/32/none/32", "", str(widths(found.program)))
    for batch, (slow, fast) in found.rates.items():
        table.add_row(f"images/s, batch {batch}", f"{slow:,.0f}", "", f"{fast:,.0f}  ({fast / slow:.1f} x)")
    table.add_section()
    table.add_row("differing values")
    for who, count in found.differing.items():
        table.add_row(f"  {who}", "", "", count)
    return table


def quick_rate(program: Program, x: np.ndarray) -> float:
    """Examples a second of one thread, the best of at most twenty calls within about a second."""
    program.run(x[:1])
    best, end = float("inf"), time.perf_counter() + 1
    for _ in range(20):
        started = time.perf_counter()
        program.run(x)
        now = time.perf_counter()
        best = min(best, now - started)
        if now > end:
            break
    return len(x) / best


CHECKED_VALUES = 1 << 23  # of one Program, compared between all kernels


def show_shipped(console: Console) -> None:
    """The MNIST networks that come with the package: verified, timed, with their recorded accuracy."""
    names = [SHIPPED, *(name for name in list_pretrained() if name.startswith("mnist_") and name != SHIPPED)]
    if SHIPPED not in list_pretrained():
        return
    programs = {name: pretrained(name) for name in names}
    present = is_present("mnist")
    x = verification_inputs(programs[SHIPPED], "mnist" if present else "", 1000)
    beside = speed_beside(programs[SHIPPED], float_twin_of(programs[SHIPPED]), x)
    table = Table(title=f"shipped, each beside the float twin of {SHIPPED}", title_justify="left")
    table.add_column("")
    columns = []
    for name, program in programs.items():
        table.add_column(name, justify="right")
        fast = {batch: beside[batch][1] if name == SHIPPED else quick_rate(program, x[:batch]) for batch in BATCHES}
        rates = [f"{fast[batch]:,.0f}  ({_times(fast[batch] / beside[batch][0])} x)" for batch in BATCHES]
        accuracy = f"{pretrained_results(name)['frozen_accuracy']:.2f} %"
        few = max(2, CHECKED_VALUES // sum(type_.n_values for type_ in program.types))  # long codes at every place
        checked = f"{program.verify(x[:few]).differing}" + (f" ({few} images)" if few < len(x) else "")
        columns.append([f"{len(program.to_bytes(short=True)):,}", str(widths(program)), accuracy, *rates, checked])
    heads = ["bytes", BITS, "accuracy, MNIST test set (recorded)", *(f"images/s, batch {batch}" for batch in BATCHES)]
    heads.append(f"differing values, {len(x)} {'MNIST' if present else 'random'} images, all kernels")
    for head, *cells in zip(heads, *columns, strict=True):
        table.add_row(head, *cells)
    console.print(table)


def _times(ratio: float) -> str:
    """Two digits, and whole numbers from 10 on: 0.11, 1.6, 62, 214."""
    return f"{ratio:,.0f}" if ratio >= 9.95 else f"{ratio:.2g}"


def show_digit(found: Demo, console: Console) -> None:
    """One test digit, drawn."""
    at = int(np.random.default_rng().integers(len(found.data.x_test)))
    image, true = found.data.x_test[at], found.data.classes[found.data.y_test[at]]
    predicted = found.data.classes[int(found.program.predict(image[None])[0])]
    console.print(draw_image(image, found.data.input.hi), highlight=False, markup=False)
    console.print(f"true {true}, predicted {predicted}")
