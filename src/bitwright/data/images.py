"""One image file -> the pixels a model was trained on. The only room of `data` that needs Pillow."""

from pathlib import Path

import numpy as np

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def pillow():
    """The module PIL.Image, or an ImportError that says how to get it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("reading image files needs Pillow: pip install bitwright[train]") from error
    return Image


def is_image(path: Path) -> bool:
    """Whether the file's name ends as an image's does; hidden files do not count."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def find_images(folder: Path) -> list[Path]:
    """All images below the folder, at any depth, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if is_image(path) and path.is_file())


def read_image(path: Path, height: int, width: int, mode: str) -> np.ndarray:
    """uint8 (1, H, W) for mode "L", (3, H, W) for "RGB"; the same for training and for prediction.

    Turned upright (EXIF), cut to the wanted aspect ratio around its centre, scaled by a triangle filter that averages
    when it shrinks, transparency on white, 16-bit grey by its upper byte. Of an animation, the first frame.
    Raises ValueError, naming the file, if it is not an image or is damaged; ImportError without Pillow.
    """
    image_module = pillow()
    from PIL import ImageOps

    try:
        with image_module.open(path) as opened:
            if opened.mode.startswith("I"):
                opened = image_module.fromarray((np.clip(np.asarray(opened), 0, 65535) >> 8).astype(np.uint8))
            image = ImageOps.exif_transpose(opened)
            if "A" in image.getbands() or "transparency" in image.info:
                image = image.convert("RGBA")
                image = image_module.alpha_composite(image_module.new("RGBA", image.size, "white"), image)
            image = ImageOps.fit(image.convert(mode), (width, height), image_module.Resampling.BILINEAR)
    except Exception as error:  # whatever the decoder of a damaged file raises
        raise ValueError(f"image: {path} cannot be read as an image ({error}); replace or remove the file") from error
    pixels = np.asarray(image)
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
