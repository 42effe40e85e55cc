"""What happened, for the message list: a log handler that any thread may write to."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

__all__ = ["LEVELS", "Message", "MessageLog"]

KEPT: Final = 200
"""Messages of each kind kept, so that a storm of news buries no error."""
LEVELS: Final = (logging.INFO, logging.WARNING, logging.ERROR)


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence, how bad it is, when it was last said, and how often in a row.

    Of a ``topic``, such as how far something is, only the last is kept; '' is none.
    """

    level: int
    text: str
    when: datetime
    count: int = 1
    topic: str = ""


class MessageLog(logging.Handler):
    """Keeps the last messages of the loggers it is added to; the same sentence again only counts up.

    A record logged with ``extra={"topic": ...}`` takes the place of the last one of that topic.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._messages: list[Message] = []
        self._counts: Counter[int] = Counter()
        self._turn = threading.RLock()
        self.total = 0
        """Changes with everything said, and with what is to be shown."""
        self.least = logging.INFO
        """The list shows messages at least this bad."""
        self._tracebacks = logging.StreamHandler()
        self._tracebacks.addFilter(lambda record: record.exc_info is not None)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record, from any thread."""
        text = record.getMessage()
        now = datetime.fromtimestamp(record.created)
        with self._turn:
            self._append(_kind(record.levelno), text, now, getattr(record, "topic", ""))

    def _append(self, level: int, text: str, now: datetime, topic: str) -> None:
        old = next((each for each in self._messages if topic and each.topic == topic), None)
        if old is not None:
            self._messages.remove(old)
            self._counts[old.level] -= 1
        last = self._messages[-1] if self._messages else None
        if last is not None and (last.text, last.level, last.topic) == (text, level, topic):
            self._messages[-1] = replace(last, when=now, count=last.count + 1)
        else:
            self._messages.append(Message(level, text, now, topic=topic))
            self._forget(level)
        self._counts[level] += 1
        self.total += 1

    def _forget(self, level: int) -> None:
        """Drop the oldest of a kind when there are too many."""
        same = [k for k, message in enumerate(self._messages) if message.level == level]
        if len(same) > KEPT:
            del self._messages[same[0]]

    def messages(self) -> tuple[Message, ...]:
        """Return the messages, oldest first."""
        with self._turn:
            return tuple(self._messages)

    def counts(self) -> dict[int, int]:
        """Return how often something of each kind (`LEVELS`) was said since the list was cleared."""
        with self._turn:
            return dict(self._counts)

    def show(self, least: int) -> None:
        """Have the list show only what is at least this bad."""
        with self._turn:
            self.least = least
            self.total += 1

    def clear(self) -> None:
        """Forget all messages."""
        with self._turn:
            self._messages.clear()
            self._counts.clear()
            self.least = logging.INFO
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


def _kind(level: int) -> int:
    return max((one for one in LEVELS if one <= level), default=logging.INFO)
