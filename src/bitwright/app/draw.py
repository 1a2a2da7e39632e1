"""An image in a terminal, in shades of blocks."""

import numpy as np

SHADES = " ░▒▓█"


def draw_image(image: np.ndarray, highest: int) -> str:
    """image: (C, H, W) integers 0..highest. Channels are averaged; a pixel is two characters wide, and pixels are
    merged two by two while the picture is wider than 32 characters."""
    grey = np.asarray(image, np.float64).mean(0) / max(highest, 1)
    while grey.shape[1] > 16 and min(grey.shape) >= 2:
        height, width = grey.shape[0] // 2 * 2, grey.shape[1] // 2 * 2
        grey = grey[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    steps = np.rint(grey.clip(0, 1) * (len(SHADES) - 1)).astype(int)
    return "\n".join("".join(SHADES[step] * 2 for step in row).rstrip() for row in steps)
