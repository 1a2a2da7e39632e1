"""`lower`: how a layer says itself in a Program. Each layer registers its own rule, in its own file.

A rule takes the layer and a `freeze.stream.Stream` (a value of the Program under construction with its pending chain)
and returns the stream after the layer. `ir` knows no layer and no torch; the table fills when layers are imported.
"""

from functools import singledispatch
from typing import Any


@singledispatch
def lower(layer: Any, *streams: Any) -> Any:
    """Append the layer to the Program. Raises TypeError for a layer without a rule."""
    raise TypeError(f"freeze: no rule for {type(layer).__name__}")
