"""A folder of photos, a subfolder a class."""

import os
from pathlib import Path

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.images import find_images, is_image, read_image
from bitwright.data.progress import Progress
from bitwright.data.spec import InputSpec
from bitwright.data.split import split_own_data


def from_folder(
    folder: str | os.PathLike,
    size: int | tuple[int, int] = 32,
    mode: str = "RGB",
    test: float = 0.2,
    validation: float = 0.1,
    seed: int = 0,
) -> Dataset:
    """Dataset of the images in the subfolders, each subfolder (at any depth below it) a class of its name.

    size: pixels of a side, or (height, width). mode: "RGB" or "L" (grey). See `images.read_image` for how an image
    becomes uint8 (C, H, W). test, validation: fractions of all images, drawn with the seed, stratified.
    Other files are passed over. Raises ValueError for fewer than two classes, a class with fewer than 2 images, images
    beside the subfolders, and an image that cannot be read, naming it; FileNotFoundError if there is no such folder;
    ImportError without Pillow.
    """
    folder = Path(folder)
    height, width = (size, size) if isinstance(size, int) else size
    if mode not in ("L", "RGB"):
        raise ValueError(f"from_folder: mode is {mode!r}, expected 'L' (grey) or 'RGB'")
    if height < 1 or width < 1:
        raise ValueError(f"from_folder: size is {size}, expected pixels of a side, as in size=32 or size=(32, 48)")
    spec = InputSpec("image", (1 if mode == "L" else 3, height, width), "uint8", 0, 255, mode=mode)
    classes, files, y = _list_classes(folder)
    x = np.empty((len(files), *spec.shape), np.uint8)
    with Progress(f"read {folder}", len(files)) as bar:
        for row, path in enumerate(files):
            x[row] = read_image(path, height, width, mode)
            bar.advance()
    return split_own_data(x, np.array(y, np.int64), classes, spec, folder.resolve().name, test, validation, seed)


def _list_classes(folder: Path) -> tuple[list[str], list[Path], list[int]]:
    """(class names, image files, class of each file), in the order of their names."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"from_folder: {folder} is not a folder; expected one with a subfolder of images a class"
        )
    entries = sorted(folder.iterdir())
    stray = next((path for path in entries if is_image(path)), None)
    classes = [path.name for path in entries if path.is_dir() and not path.name.startswith(".")]
    if stray is not None and classes:
        raise ValueError(f"from_folder: {stray} lies beside the class folders; move it into the folder of its class")
    if len(classes) < 2:
        found = f"one subfolder, {classes[0]!r}" if classes else "no subfolders"
        raise ValueError(
            f"from_folder: {folder} has {found}; expected at least two, a class each, as in {folder / 'cat'}/1.jpg "
            f"and {folder / 'dog'}/1.jpg"
        )
    if set(classes) <= {"train", "test", "val", "valid", "validation"}:
        raise ValueError(
            f"from_folder: the subfolders of {folder} are splits ({', '.join(classes)}), not classes; "
            f"give {folder / classes[-1]} or a folder with a subfolder a class, the split is drawn from it"
        )
    files, y = [], []
    for k, name in enumerate(classes):
        images = find_images(folder / name)
        if not images:
            raise ValueError(f"from_folder: {folder / name} holds no images; add some, or remove the folder")
        files += images
        y += [k] * len(images)
    return classes, files, y
