"""What happened, for the message list: a log handler that any thread may write to."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime

__all__ = ["Message", "MessageLog"]

KEPT = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence, how bad it is, when it was last said, and how often in a row."""

    level: int
    text: str
    when: datetime
    count: int = 1


class MessageLog(logging.Handler):
    """Keeps the last messages of the loggers it is added to; the same sentence again only counts up."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._messages: deque[Message] = deque(maxlen=KEPT)
        self._turn = threading.RLock()
        self.total = 0
        self._tracebacks = logging.StreamHandler()
        self._tracebacks.addFilter(lambda record: record.exc_info is not None)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record, from any thread."""
        text = record.getMessage()
        now = datetime.fromtimestamp(record.created)
        with self._turn:
            self._append(record.levelno, text, now)

    def _append(self, level: int, text: str, now: datetime) -> None:
        last = self._messages[-1] if self._messages else None
        if last is not None and last.text == text and last.level == level:
            self._messages[-1] = replace(last, when=now, count=last.count + 1)
        else:
            self._messages.append(Message(level, text, now))
        self.total += 1

    def messages(self) -> tuple[Message, ...]:
        """Return the messages, oldest first."""
        with self._turn:
            return tuple(self._messages)

    def clear(self) -> None:
        """Forget all messages."""
        with self._turn:
            self._messages.clear()
            self.total += 1

    def install(self) -> None:
        """Listen to the core and the window; tracebacks go to stderr."""
        for name in ("roi_core", "roi_stream_gui"):
            logger = logging.getLogger(name)
            logger.setLevel(logging.INFO)
            logger.addHandler(self)
            logger.addHandler(self._tracebacks)

    def remove(self) -> None:
        """Stop listening."""
        for name in ("roi_core", "roi_stream_gui"):
            for handler in (self, self._tracebacks):
                logging.getLogger(name).removeHandler(handler)
