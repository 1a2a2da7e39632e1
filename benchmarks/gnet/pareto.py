"""python -m benchmarks.gnet.pareto RUN ...: accuracy and operations of every way to ship one topology.

Of a run of `gnet`: rows of projections x N x projection seeds, each plain and, of Hadamard rows, with offsets corrected
and with the codes of the last --tuned-layers trained, straight through their signs or, by --refit, as signs of real
weights; of a TASU run its limit of 4-bit weights too; of any other run (sign network, plain CNN) its own Program.
Writes results/gnet/pareto-RECIPE-seedK.json, cell after cell; what is there already, or in
results/gnet/RECIPE-seedK.json, is not measured again. --shipped NAME ... adds shipped networks of another topology,
whose accuracy their results files say. `python -m benchmarks.gnet.page` makes table and plot of it.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.claims.claim import RESULTS
from benchmarks.gnet.__main__ import lengths, measure, save
from benchmarks.gnet.cost import cost_of
from bitwright.app.workflow import load_run
from bitwright.app.zoo import pretrained, pretrained_results
from bitwright.bench.machine import commit, hardware
from bitwright.freeze import freeze, refit_codes, tune_codes

SHARED = ("gaussian", "rademacher")
PAPERS_N = 10_000  # the length whose cost every way is compared with
TUNED_LAYERS, TUNE_EPOCHS, TUNE_LR = 2, 4, 3e-3  # chosen on the validation split
KEY = ("way", "hyperdimensions", "projection", "projection_seed", "corrected", "tuned", "tuned_layers", "tune_epochs",
       "tune_lr", "split", "samples")  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One embedding. corrected, tuned: training samples used for it, 0 for none; the others belong to tuned."""

    n: int | tuple[int, ...]
    projection: str
    seed: int
    corrected: int = 0
    tuned: int = 0
    tuned_layers: int = 0
    tune_epochs: int = 0
    tune_lr: float = 0.0
    refit: bool = False

    def given(self) -> int | list[int]:
        return self.n if isinstance(self.n, int) else list(self.n)


def way_of(options: dict[str, Any], cell: Cell) -> str:
    """The words of a row in the table: how the network was trained, what its rows are, what was done after."""
    words = ["noise-aware" if options.get("train_dimensions") else "float training"]
    if options.get("activation") == "tasu":
        words.insert(0, "TASU")
    shared = "shared " if cell.projection in SHARED else ""
    words.append(f"{shared}{cell.projection.capitalize()} rows")
    words += ["offsets corrected"] * bool(cell.corrected)
    if cell.tuned:
        whose = "the head" if cell.tuned_layers == 1 else f"{cell.tuned_layers} layers"
        words.append(f"codes of {whose} {'refit' if cell.refit else 'tuned'}")
    return ", ".join(words)


def cells_of(args: argparse.Namespace) -> Iterator[Cell]:
    for n in args.n:
        for projection in args.projection:
            for seed in range(args.seeds):
                given = tuple(n) if isinstance(n, list) else n
                yield Cell(given, projection, seed)
                if projection == "hadamard" and args.correct:
                    yield Cell(given, projection, seed, corrected=args.correct)
                if projection == "hadamard" and args.tune and seed < args.tuned_seeds:
                    trained = (args.tune, args.tuned_layers, args.tune_epochs, args.tune_lr, args.refit)
                    yield Cell(given, projection, seed, 0, *trained)


def measure_cell(cell: Cell, model, data, x, y) -> dict[str, Any]:
    if not cell.tuned:
        return measure(model, data, x, y, cell.given(), cell.projection, 2, cell.seed, 0, cell.corrected)
    program = freeze(model, data, hyperdimensions=cell.given(), projection=cell.projection, seed=cell.seed)
    train = refit_codes if cell.refit else tune_codes
    x_train, y_train = data.x_train[: cell.tuned], data.y_train[: cell.tuned]
    options = {"layers": cell.tuned_layers, "epochs": cell.tune_epochs, "lr": cell.tune_lr}
    return measured_program(train(program, x_train, y_train, **options), x, y)


def measured_program(program, x, y) -> dict[str, Any]:
    right = int((program.predict(x) == y).sum())
    size = len(program.to_bytes(short=True))
    return {"accuracy": 100 * right / len(x), "file_bytes": size, "cost": cost_of(program).to_json()}


def evaluated(program, path: Path, common: dict[str, Any]) -> dict[str, Any] | None:
    """The row of a run that `bitwright eval` has read the same test samples for."""
    said = json.loads(path.read_text()) if path.exists() else {}
    if (common["split"], common["samples"]) != ("test", said.get("test_samples")) or "frozen_accuracy" not in said:
        return None
    return {"accuracy": said["frozen_accuracy"], "file_bytes": said["file_bytes"], "cost": cost_of(program).to_json()}


def key_of(row: dict[str, Any]) -> tuple:
    n = row.get("hyperdimensions")
    return tuple(tuple(n) if k == "hyperdimensions" and isinstance(n, list) else row.get(k) or 0 for k in KEY)


def known_rows(results: Path, name: str, way) -> list[dict[str, Any]]:
    """Rows of `python -m benchmarks.gnet` on the same run that say all a cell has to. way: words of its Cell."""
    path = results / "gnet" / f"{name}.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    found = []
    for row in rows:
        if "elementwise" in row["cost"] and row["projection"] in (*SHARED, "hadamard"):
            corrected = row.get("corrected", 0)
            cell = Cell(0, row["projection"], 0, corrected)
            found.append({**row, "corrected": corrected, "tuned": 0, "way": way(cell)})
    return found


def embed_all(run: Path, args: argparse.Namespace, results: Path = RESULTS) -> Path:
    """Measures one run; returns the file with its rows."""
    recipe, _, data, model = load_run(run)
    x, y = (data.x_val, data.y_val) if args.split == "val" else (data.x_test, data.y_test)
    x, y = x[: args.samples or len(x)], y[: args.samples or len(y)]
    name = f"{recipe.name}-seed{recipe.seed}"
    path = results / "gnet" / f"pareto-{name}.json"
    table: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"rows": []}
    if table.get("recipe_hash", recipe.hash()) != recipe.hash():
        raise ValueError(f"{path} is of another version of {recipe.name}; move it away, or train that version")
    table |= {"recipe": recipe.name, "recipe_hash": recipe.hash(), "seed": recipe.seed, "data": data.name}
    table |= {"hardware": hardware(), "commit": commit()}
    common = {"split": args.split, "samples": len(x)}
    done = {key_of(row) for row in table["rows"]}

    def add(row: dict[str, Any]) -> None:
        table["rows"].append({**row, **common})
        save(path, table)
        n = row.get("hyperdimensions")
        told = f"N {n}, seed {row['projection_seed']}" if n else ""
        print(f"{name}: {row['way']} {told}: {row['accuracy']:.2f} %, {row['cost']['total']:,} operations", flush=True)

    if recipe.model != "gnet":
        way = {"gnet_sign": "sign network", "gnet_cnn": "plain CNN, 8-bit weights"}.get(recipe.model, recipe.model)
        if key_of({"way": way, **common}) not in done:
            program = freeze(model, data)
            add(
                {
                    "way": way,
                    **(evaluated(program, results / f"{name}.json", common) or measured_program(program, x, y)),
                }
            )
        return path

    def way_here(cell: Cell) -> str:
        return way_of(recipe.model_options, cell)

    if "papers_total" not in table:
        dear = freeze(model, data, hyperdimensions=PAPERS_N, projection="rademacher")
        table["papers_total"] = cost_of(dear).total
    known = {key_of(row): row for row in known_rows(results, name, way_here)}
    for cell in cells_of(args):
        said = {
            "way": way_here(cell), "hyperdimensions": cell.given(), "projection": cell.projection,
            "projection_seed": cell.seed, "corrected": cell.corrected, "tuned": cell.tuned,
        }  # fmt: skip
        if cell.tuned:
            said |= {name: getattr(cell, name) for name in ("tuned_layers", "tune_epochs", "tune_lr")}
        key = key_of({**said, **common})
        if key in done:
            continue
        found = known.get(key) or measure_cell(cell, model, data, x, y)
        add({**said, **{name: found[name] for name in ("accuracy", "file_bytes", "cost") if name in found}})
    way = "TASU, limit of 4-bit weights"
    if recipe.model_options.get("activation") == "tasu" and key_of({"way": way, **common}) not in done:
        add({"way": way, **measured_program(freeze(model, data, limit_bits=4), x, y)})
    return path


def shipped(names: list[str], results: Path = RESULTS) -> Path:
    rows = []
    for name in names:
        said = pretrained_results(name)
        row = {"way": name, "accuracy": said["frozen_accuracy"], "samples": said["test_samples"], "split": "test"}
        rows.append({**row, "file_bytes": said["file_bytes"], "cost": cost_of(pretrained(name)).to_json()})
    path = results / "gnet" / "pareto-shipped.json"
    save(path, {"recipe": "shipped", "seed": 0, "data": "mnist", "rows": rows})
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gnet.pareto", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="*", help="folders of finished trainings")
    parser.add_argument("--n", nargs="+", type=lengths, default=[255, 511, 1023, 2047], help="or one a layer: 511,1023")
    parser.add_argument("--projection", nargs="+", default=["hadamard", "rademacher"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--correct", type=int, default=500, help="training samples for offsets, 0 to leave it out")
    parser.add_argument("--tune", type=int, default=20_000, help="training samples for codes, 0 to leave it out")
    parser.add_argument("--tuned-layers", type=int, default=TUNED_LAYERS, help="so many, from the head")
    parser.add_argument("--tune-epochs", type=int, default=TUNE_EPOCHS, help="with --refit, of each layer")
    parser.add_argument("--tune-lr", type=float, default=TUNE_LR)
    parser.add_argument("--refit", action="store_true", help="codes as signs of real weights, layer after layer")
    parser.add_argument("--tuned-seeds", type=int, default=1, help="so many of the projection seeds are tuned")
    parser.add_argument("--split", choices=["val", "test"], default="test")
    parser.add_argument("--samples", type=int, default=0, help="the first so many of the split; 0 takes all")
    parser.add_argument("--shipped", nargs="*", default=[], help="shipped networks to add")
    args = parser.parse_args()
    for run in args.runs:
        print(embed_all(run, args))
    if args.shipped:
        print(shipped(args.shipped))


if __name__ == "__main__":
    main()
