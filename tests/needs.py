"""What a test needs of the machine it runs on: `@needs_data("mnist")`, `@needs_pillow`. Under CI=true a skip fails."""

import importlib.util

import pytest

from bitwright.data import data_root, is_present


def needs_data(name: str) -> pytest.MarkDecorator:
    """Skip unless all files of the data set are on this machine; a test never fetches from the internet."""
    try:
        present, place = is_present(name), str(data_root())
    except FileNotFoundError as error:  # BITWRIGHT_DATA names no folder
        present, place = False, str(error)
    return pytest.mark.skipif(
        not present, reason=f"needs {name} in {place}: set BITWRIGHT_DATA to a folder that holds it"
    )


needs_pillow = pytest.mark.skipif(importlib.util.find_spec("PIL") is None, reason="needs Pillow: pip install pillow")
