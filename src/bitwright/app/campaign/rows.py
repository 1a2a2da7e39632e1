"""The rows of the campaign in order of worth; each is recipes in `recipes/campaign/`, run over seeds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """recipes: names of TOML files, the first being the one the bar is about. bar, aim: percent of the test set.

    device: "gpu" for schedules that a CPU would need days for, else "cpu". paper: what the paper reports, percent.
    """

    key: str
    what: str
    recipes: tuple[str, ...]
    seeds: int = 3
    bar: float | None = None
    aim: float | None = None
    paper: str = ""
    device: str = "gpu"


ROWS: tuple[Row, ...] = ()


def find_rows(keys: list[str] | None = None, device: str | None = None) -> list[Row]:
    """The rows named, in the order of the table; without names those of the device ("gpu" rows too where there is one).

    Raises ValueError for a key that is no row.
    """
    known = {row.key: row for row in ROWS}
    unknown = [key for key in keys or [] if key not in known]
    if unknown:
        raise ValueError(f"campaign: no row {unknown[0]!r}; rows: {', '.join(known)}")
    if keys:
        return [row for row in ROWS if row.key in keys]
    return [row for row in ROWS if device in (None, "gpu") or row.device == device]
