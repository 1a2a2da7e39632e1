"""Ctrl-C during training: the step is finished, the checkpoint written, and only then it stops."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during `fit`; the checkpoint, if the run has a folder, is written."""


@contextmanager
def ctrl_c() -> Iterator[threading.Event]:
    """Yields an event that Ctrl-C sets, so that a step is never cut in half. A second Ctrl-C acts at once."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.getsignal(signal.SIGINT)

    def handler(*_):
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, handler)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
