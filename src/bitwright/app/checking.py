"""`bitwright verify`: which data a Program is checked on, and what is compared. A .bw file is checked without torch."""

from pathlib import Path

import numpy as np

from bitwright.app.classify import input_of
from bitwright.data import DATASETS, is_present, load_data, read_inputs
from bitwright.data.progress import Progress
from bitwright.ir import Program


def verify_program(program: Program, data: str = "", samples: int = 1000):
    """Program.verify on `data`: a data set's name, files as for `predict`, or "" for the best there is."""
    return _compared(program, verification_inputs(program, data, samples))


def verify_run(folder: str | Path, data: str = "", samples: int = 1000):
    """(VerifyReport, Agreement with PyTorch) of a run's model, frozen anew, on its test set or on `data`."""
    from bitwright.app.workflow import freeze_model, load_run
    from bitwright.freeze import agreement

    recipe, _, own, model = load_run(folder)
    program = freeze_model(model, recipe, own)
    x = verification_inputs(program, data, samples) if data else own.x_test[:samples]
    y = None if data else own.y_test[:samples]
    return _compared(program, x), agreement(program, x, y)


def _compared(program: Program, x: np.ndarray):
    with Progress("verify, samples", len(x)) as bar:
        return program.verify(x, progress=bar.advance)


def verification_inputs(program: Program, data: str = "", samples: int = 1000) -> np.ndarray:
    """At most `samples` rows: of `data`, else of the header's data set where it is at hand, else random ones."""
    if data and (Path(data).exists() or data.lower().replace("-", "_") not in DATASETS):
        return read_inputs(data, input_of(program))[1][:samples]
    own = data or program.header.get("data", "")
    if own and own in DATASETS and (data or is_present(own)):
        x = load_data(own).x_test[:samples]
        if x.shape[1:] == program.input_type.shape:
            return x
        if data:
            raise ValueError(f"verify: {data} is {x.shape[1:]} a row, this Program takes {program.input_type.shape}")
    return example_inputs(program, min(samples, 256))


def example_inputs(program: Program, n: int, seed: int = 0) -> np.ndarray:
    """n random inputs over the Program's whole range; floats are normal, scaled to the thresholds they meet."""
    rng, taken = np.random.default_rng(seed), program.input_type
    shape = (n, *taken.shape)
    if taken.kind == "float":
        marks = [op.consts["t"] for op in program.ops if "t" in op.consts and 0 in op.inputs]
        finite = marks[0][np.isfinite(marks[0])] if marks else np.zeros(0)
        spread = float(np.abs(finite).mean()) if finite.size else 1.0
        return (rng.standard_normal(shape) * max(spread, 1e-3)).astype(np.float32)
    lo, hi = (0, 1) if taken.kind == "bits" else (taken.lo, taken.hi)
    return rng.integers(lo, hi + 1, shape).astype(np.uint8 if lo >= 0 and hi < 256 else np.int32)
