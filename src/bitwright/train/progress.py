"""What a training shows: a bar with loss and accuracy on a terminal, a plain line an epoch when piped."""

import sys
import time


def _rich_bar():
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def validation_words(accuracy: float | None, soft: float | None) -> str:
    """What follows an epoch's loss; "" where nobody looked. soft: percent before projection to signs, or None."""
    if accuracy is None or accuracy != accuracy:
        return ""
    return f", validation {accuracy:.2f} %" + ("" if soft is None else f" ({soft:.2f} % before projection to signs)")


class TrainProgress:
    """with TrainProgress("mnist", epochs, steps) as show: show.step(...); show.epoch(...). Writes to stderr."""

    def __init__(self, label: str, epochs: int, total_steps: int, on: bool = True, every: float = 5.0):
        self.label, self.epochs, self.total_steps, self.on, self.every = label, epochs, total_steps, on, every
        self._bar, self._next, self._note = None, 0.0, ""

    def __enter__(self) -> "TrainProgress":
        if self.on and sys.stderr.isatty():
            self._bar = _rich_bar()
        if self._bar is not None:
            self._task = self._bar.add_task(self.label, total=self.total_steps, note="")
            self._bar.start()
        return self

    def __exit__(self, *exception) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, done: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=self._note)

    def epoch(self, epoch: int, loss: float, val_accuracy: float | None, soft: float | None = None) -> None:
        """epoch: epochs done. A plain line at most every `every` seconds, and one for the last epoch."""
        self._note = f"epoch {epoch}/{self.epochs}, loss {loss:.4f}{validation_words(val_accuracy, soft)}"
        now = time.monotonic()
        if self.on and self._bar is None and (now >= self._next or epoch == self.epochs):
            self._next = now + self.every
            self.say(f"{self.label}: {self._note}")

    def say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text)
        else:
            print(text, file=sys.stderr, flush=True)
