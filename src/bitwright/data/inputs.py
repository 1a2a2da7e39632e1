"""Files as a trained model eats them: what `bitwright predict m.bw cat.png | photos/ | t.csv | x.npy` reads."""

import os
from pathlib import Path

import numpy as np

from bitwright.data.arrays import check_array
from bitwright.data.csv_file import read_csv
from bitwright.data.images import SUFFIXES, find_images, is_image, read_image
from bitwright.data.spec import InputSpec
from bitwright.data.table import encode_table


def read_inputs(path: str | os.PathLike, spec: InputSpec) -> tuple[list[str], np.ndarray]:
    """(a name for each row, the rows as spec.dtype (N, *spec.shape)), prepared as for training.

    An image, or a folder of images at any depth (rows named by their path in it), for a model of images; a .csv of the
    raw columns for a model of tables, else of the row's numbers with or without a header; a .npy of one row or of rows.
    Raises FileNotFoundError, ValueError or TypeError, naming the file and what was expected; ImportError if Pillow is
    needed and missing.
    """
    path = Path(path)
    if path.is_dir():
        files = find_images(path)
        if not files:
            raise ValueError(f"predict: {path} holds no images ({', '.join(SUFFIXES)})")
        return [file.relative_to(path).as_posix() for file in files], _read_images(files, spec)
    if not path.is_file():
        raise FileNotFoundError(f"predict: no file or folder {path}")
    if is_image(path):
        return [path.name], _read_images([path], spec)
    if path.suffix.lower() == ".csv":
        x = _read_csv(path, spec)
    elif path.suffix.lower() == ".npy":
        x = check_array(_read_npy(path), spec, path.name)
    else:
        images = ", ".join(SUFFIXES)
        raise ValueError(f"predict: {path} is none of: an image ({images}), a folder of images, a .csv, a .npy")
    return [f"{path.name}[{row}]" for row in range(len(x))], x


def _read_images(files: list[Path], spec: InputSpec) -> np.ndarray:
    if spec.kind != "image" or spec.mode is None:
        columns = f"columns {', '.join(spec.columns)}" if spec.columns else f"{spec.n_features} numbers a row"
        raise ValueError(
            f"predict: {files[0]} is an image, but the model eats a {spec.kind}; give it a .csv of {columns}"
        )
    _, height, width = spec.shape
    x = np.stack([read_image(file, height, width, spec.mode) for file in files]).astype(np.int32)
    return ((2 * x * (spec.hi - spec.lo) + 255) // 510 + spec.lo).astype(np.uint8)  # 0..255 -> lo..hi, rounded


def _read_csv(path: Path, spec: InputSpec) -> np.ndarray:
    if spec.kind == "table":
        return encode_table(read_csv(path), spec)
    file = read_csv(path, header=None)
    if len(file.header) != spec.n_features:
        raise ValueError(f"predict: {path} has {len(file.header)} columns, expected {spec.n_features}, one a feature")
    x = np.stack([file.numbers(name) for name in file.header], axis=1)
    if spec.dtype == "uint8":
        wrong = np.argwhere((x != np.floor(x)) | (x < spec.lo) | (x > spec.hi))
        if len(wrong):
            row, column = wrong[0]
            where = file.where(row, file.header[column])
            raise ValueError(f"predict: {where} is {x[row, column]:g}, expected an integer in {spec.lo}..{spec.hi}")
    return x.astype(spec.dtype).reshape(-1, *spec.shape)


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"predict: {path} is not a .npy of numbers ({error}); write it with np.save") from error
