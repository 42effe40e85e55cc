"""Words for a terminal that may be gone: a closed pipe or a full disk under stdout never ends a recording."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import Any, TextIO

__all__ = ["Quiet", "complain", "live_under", "say"]

NICE = 5
"""How far a program steps back that works for another one; with 10 two busy cores leave it no time at all."""


class Quiet:
    """A stream that falls silent instead of failing."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        if self._stream is not None:
            with suppress(OSError, ValueError):
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send it on; a stream that cannot is not tried again."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError):
            self._stream = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def say(text: str) -> None:
    """Print a line to stdout, if there still is one."""
    _print(sys.stdout, text)


def complain(text: str) -> None:
    """Print a line to stderr, if there still is one."""
    _print(sys.stderr, text)


def live_under(stream: TextIO | None) -> None:
    """Give way to other programs, and end when `stream` ends: whoever started this one has gone."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    if stream is not None:
        threading.Thread(target=_end_after, args=(stream,), name="end", daemon=True).start()


def _end_after(stream: TextIO) -> None:
    stream.read()
    os._exit(1)


def _print(stream: TextIO | None, text: str) -> None:
    quiet = Quiet(stream)
    quiet.write(text + "\n")
    quiet.flush()
