"""The commands: each calls one function and prints. Rooms are imported when they are used, so that --help is quick."""

import json as json_module
from pathlib import Path

from tyro.conf import Positional


def freeze(
    run: Positional[Path],
    /,
    out: Path | None = None,
    passes: tuple[str, ...] = (),
    hyperdimensions: tuple[int, ...] = (),
    projection: str = "",
    rounds: int | None = None,
    seed: int = 0,
    correct: int = 0,
) -> None:
    """Freeze a trained run into one Program file, and say what stays wider than a bit, and why.

    Examples: bitwright freeze runs/mnist_sign_mlp-seed0 --out mnist.bw
    bitwright freeze runs/mnist_gnet-seed0 --hyperdimensions 1023 2047 2047 511 --correct 500 --out short.bw

    Args:
        run: a run folder, made by `bitwright train`.
        out: the file to write; by default model.bw in the run folder.
        passes: what is done to the Program after its gates were simplified: rewrite, which needs the extra aig.
        hyperdimensions: of a G-Net: signs of a code, one number for all cosine layers or one for each in order. These
            options are the recipe's where they are not given.
        projection: of a G-Net: where the signs come from: hadamard, gaussian, rademacher or orthogonal.
        rounds: of a G-Net: rounds of random signs and transforms of hadamard.
        seed: of a G-Net: of the projections, not of the training.
        correct: of a G-Net: take offsets of the sums out on so many training samples, a few hundred; 0 leaves them.
    """
    from bitwright.app.workflow import PROGRAM, freeze_model, load_run

    recipe, _, data, model = load_run(run)
    lengths = hyperdimensions[0] if len(hyperdimensions) == 1 else list(hyperdimensions) or None
    given = {"hyperdimensions": lengths, "projection": projection or None, "rounds": rounds, "seed": seed or None}
    embedding = {name: value for name, value in given.items() if value is not None}
    program = freeze_model(model, recipe, data, passes=passes, correct=correct, embedding=embedding)
    size = program.save(out or run / PROGRAM)
    print(f"{out or run / PROGRAM}: {size:,} bytes")
    print(program.summary())


def verify(program: Positional[str], /, data: str = "", samples: int = 1000) -> int:
    """Run every backend of this machine and compare every value; of a run folder, also with its PyTorch model.

    Examples: bitwright verify runs/digits_sign_mlp-seed0
    bitwright verify model.bw --data photos/

    Args:
        program: a .bw file, the name of a shipped Program, or a run folder.
        data: what to compare on: files as for `predict`, or a data set's name; by default the network's own test set,
            or, where that is not at hand, random inputs.
        samples: compare at most so many.
    """
    from bitwright.app.checking import verify_program, verify_run

    if Path(program).is_dir():
        report, agreed = verify_run(program, data, samples)
        print(agreed)
        print(report)
        return 0 if report.ok and agreed.ok else 1
    report = verify_program(open_program(program), data, samples)
    print(report)
    return 0 if report.ok else 1


def evaluate(run: Positional[Path], /, results: Path = Path("results"), compare: int = 0) -> int:
    """Read the test set once for this run and write its results file.

    Example: bitwright eval runs/mnist_sign_mlp-seed0

    Args:
        run: a run folder, made by `bitwright train`.
        results: folder for NAME-seedSEED.json.
        compare: test samples on which every value is compared with the slow reference; 0 takes all, of a G-Net 1,000.
            Accuracy is of the whole test set always.
    """
    from bitwright.app.workflow import evaluate_run

    path, measured = evaluate_run(run, results, compare)
    if "failed" in measured:
        print(f"this run failed ({measured['failed']}); recorded in {path}, the test set was not read")
        return 1
    if "not_frozen" in measured:
        print(f"PyTorch model {measured['model_accuracy']:.2f} % of {measured['test_samples']:,} test samples; {path}\n"
              f"no Program: {measured['not_frozen']}")  # fmt: skip
        return 0
    print(f"Program {measured['frozen_accuracy']:.2f} %, model {measured['model_accuracy']:.2f} %, same class "
          f"{measured['agreement']:.2f} % of {measured['test_samples']:,} test samples; {path}")  # fmt: skip
    if measured["exact"]:
        bits = f"{measured['hidden_differing']} of {measured['hidden_compared']:,} hidden bits"
        scores = f"{measured['scores_differing']} of {measured['scores_compared']:,} scores"
        print(f"{bits} and {scores} differ from PyTorch")
    twin = f"{measured['twin_differing']} of {measured['twin_compared']:,} values differ from the grid twin"
    print(f"{twin}, on {measured['compared_samples']:,} samples")
    if measured["read_note"]:
        print(measured["read_note"])
    return 0


def predict(
    program: Positional[str], inputs: Positional[Path], /, json: bool = False, top: int = 3, backend: str = "auto"
) -> None:
    """Names and scores for an image, a folder of images, a .csv or a .npy. Needs no torch.

    Examples: bitwright predict model.bw cat.png
    bitwright predict model.bw table.csv --json

    Args:
        program: a .bw file, or the name of a shipped Program.
        inputs: what to classify.
        json: one JSON object a line, with every class's score.
        top: classes shown a line.
        backend: how to run: auto, interpreter, or a kernel set as in `bitwright doctor`.
    """
    from bitwright.app.classify import classify

    predictions = classify(open_program(program), inputs, backend)
    width = max((len(row.name) for row in predictions), default=0)
    for row in predictions:
        if json:
            print(json_module.dumps({"input": row.name, "class": row.label, "scores": row.scores}, ensure_ascii=False))
        else:
            print(f"{row.name:{width}}  " + "  ".join(f"{label} {score}" for label, score in row.best(top)))


def summary(program: Positional[str], /) -> None:
    """What every operation is and costs, and what stays wider than a bit.

    Example: bitwright summary model.bw

    Args:
        program: a .bw file, the name of a shipped Program, or a run folder (its PyTorch model is summed up too).
    """
    if Path(program).is_dir():
        from bitwright.app.workflow import PROGRAM, load_run
        from bitwright.models import summary as summarize

        print(summarize(load_run(program)[3]), end="\n\n")
        program = str(Path(program) / PROGRAM)
    print(open_program(program).summary())


def bench(program: Positional[str], /, data: str = "", threads: tuple[int, ...] = (1,)) -> None:
    """Examples a second of every backend of this machine, beside the float twin in PyTorch, at batch 1 and 256.

    Example: bitwright bench model.bw --threads 1 2

    Args:
        program: a .bw file, or the name of a shipped Program.
        data: what to run on, as for `verify`; timing does not depend on it.
        threads: numbers of threads to time with; each is pinned to as many cores.
    """
    from bitwright.app.checking import verification_inputs
    from bitwright.bench import compare_speed, float_twin_of, sizes

    opened = open_program(program)
    print(sizes(opened))
    print(compare_speed(opened, float_twin_of(opened), verification_inputs(opened, data, 256), threads=threads))


def doctor() -> None:
    """Say what is present on this machine: Python, NumPy, torch, the native core and its kernels, compiler, data.

    Example: bitwright doctor
    """
    from bitwright.app.doctor import doctor

    for what, found, present in doctor():
        print(f"{'ok' if present else '--':3} {what:14} {found}")


def demo(data: str = "digits", out: Path = Path("runs")) -> int:
    """The main job on real data: train, freeze, verify and time a small network of signs, in one table.

    Example: bitwright demo --data mnist

    Args:
        data: digits (embedded) or mnist.
        out: where the run folder goes.
    """
    from bitwright.app.demo import demo as run_demo

    return run_demo(data, out)


def papers(results: Path = Path("results")) -> None:
    """What the papers report beside what our recipes gave, a table a paper.

    Example: bitwright papers

    Args:
        results: folder of results files.
    """
    from rich.console import Console
    from rich.table import Table

    from bitwright.bench.published import NOTES, papers_rows, say_what_is_shown

    say_what_is_shown(results)
    tables: dict[str, Table] = {}
    for paper, row, ours, recipe in papers_rows(results):
        if paper not in tables:
            heads = ("what", "published", "known from", "ours", "recipe")
            tables[paper] = Table(
                *heads, title=paper, title_justify="left", caption=NOTES.get(paper), caption_justify="left"
            )
        tables[paper].add_row(row.what, row.figure, row.kind, ours, recipe)
    for table in tables.values():
        Console().print(table)


def open_program(name: str):
    """A Program from a .bw file, or a shipped one by its name."""
    from bitwright.app.zoo import list_pretrained, pretrained
    from bitwright.ir import load

    path = Path(name)
    if path.exists() or path.suffix == ".bw" or len(path.parts) > 1:
        return load(path)
    if name not in list_pretrained():
        shipped = ", ".join(list_pretrained()) or "none in this build"
        raise FileNotFoundError(f"no file {name}, and no shipped Program of that name (shipped: {shipped})")
    return pretrained(name)
