"""How a file is played: held still, slower, faster, a frame at a time.

A camera is never held; a file that is played waits for whoever takes its frames, so that none is lost at any
speed and the same file gives the same result each time.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from roi_core.sources.base import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from roi_core.card import Card
    from roi_core.frame import Counter, Frame
    from roi_core.sources.base import Source

__all__ = ["Played", "Transport"]

LATE = 0.2
"""Seconds by which frames may be late and are still hurried after; beyond that the time is given up."""


class Transport:
    """Play, pause, speed and step, asked from any thread and obeyed by the `Played` source.

    ``row`` and ``time`` (s of the file) are those of the last frame that was given, -1 before the first.
    """

    def __init__(self, *, playing: bool = True, speed: float = 1.0, clock: Clock | None = None) -> None:
        self.row, self.time = -1, -1.0
        self._playing, self._speed = playing, speed
        self._clock = clock or Clock()
        self._wake = threading.Condition()
        self._steps = 0
        self._anchor: tuple[float, float] | None = None
        """A moment of the clock and the file's time that belongs to it, at the present speed."""
        self.closed = False

    @property
    def playing(self) -> bool:
        """False while the file is held still."""
        return self._playing

    @property
    def speed(self) -> float:
        """Seconds of the file per second; infinite is as fast as the frames can be analysed."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"a file cannot be played at {speed!r} times its speed; use more than 0")
        with self._wake:
            self._speed, self._anchor = speed, None
            self._wake.notify_all()

    def play(self) -> None:
        """Let the file run on."""
        self._set(True)

    def pause(self) -> None:
        """Hold the file still before its next frame."""
        self._set(False)

    def step(self) -> None:
        """Hold the file still, but let one more frame go."""
        with self._wake:
            self._steps += 1
        self._set(False)

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._wake:
            self.closed = True
            self._wake.notify_all()

    def admit(self, row: int, time: float) -> bool:
        """Wait until the frame of `row`, at `time` s of the file, may go; False when closed meanwhile."""
        with self._wake:
            while not self.closed and (left := self._left(time)) > 0:
                self._clock.wait(self._wake, left)
            if not self.closed:
                self.row, self.time = row, time
                self._steps = max(self._steps - 1, 0) if not self._playing else 0
        return not self.closed

    def _left(self, time: float) -> float:
        """Return the seconds until a frame is due; without end while the file is held still."""
        if not self._playing:
            self._anchor = None
            return 0.0 if self._steps else threading.TIMEOUT_MAX
        if math.isinf(self._speed):
            return 0.0
        now = self._clock.now()
        if self._anchor is None:
            self._anchor = (now, time)
        due = self._anchor[0] + (time - self._anchor[1]) / self._speed
        if now > due + LATE:
            self._anchor = (now, time)
        return due - now

    def _set(self, playing: bool) -> None:
        with self._wake:
            self._playing = playing
            self._wake.notify_all()


class Played:
    """A file as a `Transport` lets it go, from the row `first` on; no frame is ever left out."""

    live = False

    def __init__(self, source: Source, transport: Transport, first: int = 0) -> None:
        self.name, self.shape, self.rate = source.name, source.shape, source.rate
        self.counter: Counter = source.counter
        self.length: int | None = getattr(source, "length", None)
        self.begun: datetime | None = getattr(source, "begun", None)
        self.card: Card | None = getattr(source, "card", None)
        self.notes: tuple[str, ...] = getattr(source, "notes", ())
        self.transport, self.first = transport, first
        self._source = source
        seek = getattr(source, "seek", None)
        if first and seek is not None:
            seek(first)

    def frames(self) -> Iterator[Frame]:
        """Yield each frame when it is let go; index and time stay those of the file."""
        for count, frame in enumerate(self._source.frames(), self.first):
            if not self.transport.admit(getattr(self._source, "row", count), frame.time):
                return
            yield frame

    def close(self) -> None:
        """Wake the wait and close the file."""
        self.transport.close()
        self._source.close()
