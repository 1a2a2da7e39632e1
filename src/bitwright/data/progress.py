"""Progress on stderr for work that takes longer than two seconds: a rich bar on a terminal, plain lines when piped."""

import sys
import time


class Progress:
    """`with Progress("decode", 6) as bar: bar.advance()`; silent at first, so short work prints nothing.

    total: units in all, or None if not known. unit: "" or "B" (printed in MB).
    after: seconds of silence; every: seconds between plain lines.
    """

    def __init__(self, label: str, total: int | None = None, unit: str = "", after: float = 2.0, every: float = 5.0):
        self.label, self.total, self.unit, self.after, self.every = label, total, unit, after, every
        self.done, self._bar = 0, None

    def __enter__(self) -> "Progress":
        self._started = time.monotonic()
        self._next = self._started + self.after
        return self

    def __exit__(self, *exception) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, amount: int = 1) -> None:
        self.done += amount
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self.done)
        elif now >= self._next:
            self._next = now + self.every
            self._bar = self._rich_bar() if sys.stderr.isatty() else None
            if self._bar is None:
                print(f"{self.label}: {self._amount()}, {now - self._started:.0f} s", file=sys.stderr, flush=True)

    def _rich_bar(self):
        try:
            from rich.console import Console
            from rich.progress import Progress as RichProgress
        except ImportError:
            return None
        bar = RichProgress(console=Console(stderr=True), transient=True)
        bar.add_task(self.label, total=self.total, completed=self.done)
        bar.start()
        return bar

    def _amount(self) -> str:
        def readable(value):
            return f"{value / 1e6:.1f} MB" if self.unit == "B" else str(value)

        return readable(self.done) if self.total is None else f"{readable(self.done)} of {readable(self.total)}"
