"""Index buffers are checked when they are loaded: kernels trust them, and a wrong one would read foreign memory."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from .wiring import out_of_range


class CheckedIndices(nn.Module):
    """A module that says in index_limits how many things each of its index buffers chooses from."""

    def index_limits(self) -> Mapping[str, tuple[int, ...]]:
        """Buffer -> one number for all entries, or one a column."""
        raise NotImplementedError

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        for name, limits in self.index_limits().items():
            loaded = state_dict.get(prefix + name)
            columns = () if loaded is None else (loaded,) if len(limits) == 1 else loaded.unbind(-1)
            problems = [out_of_range(column, limit) for column, limit in zip(columns, limits, strict=False)]
            if any(problems):
                rest[-1].append(f"{prefix}{name}: {'; '.join(filter(None, problems))}")  # torch raises them together
                return
        super()._load_from_state_dict(state_dict, prefix, *rest)  # type: ignore[arg-type]
