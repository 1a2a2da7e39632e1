"""Where data sets lie on this machine: an argument, BITWRIGHT_DATA, or the user's cache."""

import os
from pathlib import Path


def data_root(root: str | os.PathLike | None = None) -> Path:
    """The folder with `mnist/`, `fashion-mnist/`, `cifar10/`: `root`, else BITWRIGHT_DATA, else the user's cache.

    The cache is XDG_CACHE_HOME/bitwright, by default ~/.cache/bitwright, and need not exist yet.
    Raises FileNotFoundError if a folder that was named (not the cache) does not exist.
    """
    named = root or os.environ.get("BITWRIGHT_DATA")
    if not named:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bitwright"
    folder = Path(named).expanduser()
    if not folder.is_dir():
        origin = "root" if root else "BITWRIGHT_DATA"
        raise FileNotFoundError(
            f"data: {origin} is {str(folder)!r}, not a folder; create it, or leave {origin} out to use the cache"
        )
    return folder


def first_file(candidates: list[Path]) -> Path | None:
    """The first of the paths that is a file, or None."""
    return next((path for path in candidates if path.is_file()), None)
