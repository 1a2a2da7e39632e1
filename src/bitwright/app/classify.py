"""Files in, names and scores out: what `bitwright predict` prints. NumPy only; Pillow where the files are images."""

import os
from dataclasses import dataclass

import numpy as np

from bitwright.data import InputSpec, read_inputs
from bitwright.ir import Program


@dataclass(frozen=True)
class Prediction:
    """One row: what it is called, the winning class, and the integer score of every class."""

    name: str
    label: str
    scores: dict[str, int]

    def best(self, n: int) -> list[tuple[str, int]]:
        """The n highest scores, highest first; the lower class index first in a tie."""
        return sorted(self.scores.items(), key=lambda item: -item[1])[:n]


def classify(
    program: Program, path: str | os.PathLike, backend: str = "auto", threads: int = 1, batch: int = 512
) -> list[Prediction]:
    """Predictions for an image, a folder of images, a .csv or a .npy, prepared as the training data was.

    Raises FileNotFoundError, ValueError or TypeError, naming the file and what the Program expects.
    """
    names, x = read_inputs(path, input_of(program))
    predictions = []
    for start in range(0, len(x), batch):
        scores = program.run(x[start : start + batch], backend, threads)
        for name, row in zip(names[start:], scores, strict=False):
            label = program.classes[int(np.argmax(row))]
            predictions.append(Prediction(name, label, dict(zip(program.classes, map(int, row), strict=True))))
    return predictions


def input_of(program: Program) -> InputSpec:
    """What the Program eats: its header's description, or, without one, plain arrays of its input's shape."""
    described = program.header.get("input")
    if isinstance(described, dict):
        spec = InputSpec.from_json(described)
        if spec.shape != program.input_type.shape:
            raise ValueError(
                f"the header describes inputs of shape {spec.shape}, the Program eats {program.input_type.shape}"
            )
        return spec
    kind, shape = program.input_type.kind, program.input_type.shape
    if kind == "float":
        return InputSpec("array", shape, "float32")
    lo, hi = (0, 1) if kind == "bits" else (program.input_type.lo, program.input_type.hi)
    return InputSpec("array", shape, "uint8", max(lo, 0), min(hi, 255))
