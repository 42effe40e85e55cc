"""What was said since the last frame: notes by hand, and warnings from anywhere in the core."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from roi_core.frame import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["News"]


class News(logging.Handler):
    """Gathers notes and warnings from any thread until the worker, or whoever ends a recording, asks."""

    def __init__(self, notes: Iterable[str]) -> None:
        super().__init__(logging.WARNING)
        self._said: deque[tuple[str, dict[str, Any]]] = deque(("warning", {"text": note}) for note in notes)
        logging.getLogger("roi_core").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a warning, unless it is `told` as an event already, or only to the user."""
        if getattr(record, "told", False):
            return
        self._said.append((record.levelname.lower(), {"text": record.getMessage()}))

    def say(self, kind: str, data: dict[str, Any]) -> None:
        """Take an event that is not tied to a frame yet."""
        self._said.append((kind, data))

    def note(self, text: str) -> None:
        """Take a note."""
        self.say("note", {"text": text})

    def events(self, time: float, frame: int) -> list[Event]:
        """Return what came since this was last asked, as events at `time` (s) and `frame`."""
        told = []
        with suppress(IndexError):
            while True:
                told.append(Event(time, frame, *self._said.popleft()))
        return told

    def deafen(self) -> None:
        """Hear nothing more."""
        logging.getLogger("roi_core").removeHandler(self)
