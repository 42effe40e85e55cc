"""The door for cameras: what a source is, and the clock that paces its frames."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from roi_core.ledger import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from roi_core.card import Card
    from roi_core.frame import Counter, Frame

__all__ = [
    "FIRST_PAUSE",
    "LONGEST_PAUSE",
    "PATIENCE",
    "Asked",
    "Clock",
    "Paced",
    "Source",
    "asked",
    "kind_of",
]

PATIENCE = 10
"""Frames a camera keeps for a consumer that is late: the most that OpenCV lets a V4L2 driver keep.

Those of microscopes are given more, see `roi_core.sources.handle.buffers`.
"""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0
"""Seconds between attempts to reconnect: doubled each time."""


class Source(Protocol):
    """Where frames come from.

    ``shape`` is (height, width) in px, ``rate`` in Hz as asked or as the file says, ``live`` is true when
    frames are lost unless taken in time, ``counter`` tells how losses are known. Construction opens the
    device and refuses with a `SourceError`, before any frame. A source that knows how many frames it holds
    also has ``length``; a ``punctual`` one, whose times are those on `perf_counter` at which a frame was
    there to be taken, lets a late consumer be known. What was odd at opening is in ``notes``. A file has
    ``begun``: when the frame at its time 0 was taken, with its zone, None if it does not tell; and ``card``,
    if it says whom it shows; a camera that can send a part of its sensor has ``readout``, which part it is.
    Trouble on the way is logged as a warning, one sentence each.
    """

    name: str
    shape: tuple[int, int]
    rate: float
    live: bool
    counter: Counter

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the source ends; raise `SourceLost` when it is gone for good."""
        ...

    def close(self) -> None:
        """Let go of the device, from any thread, any number of times; `frames` then ends."""
        ...


class Asked(NamedTuple):
    """What ``camera.format`` asks for, in px and Hz."""

    width: int
    height: int
    rate: float | None


def asked(text: str) -> Asked | None:
    """Read ``WxH`` or ``WxH@FPS``, already checked by the settings; empty asks for nothing."""
    if not text:
        return None
    size, _, rate = text.partition("@")
    width, _, height = size.partition("x")
    return Asked(int(width), int(height), float(rate) if rate else None)


def kind_of(image: NDArray[Any]) -> str:
    """Describe what may not change while frames flow: ``640x480 uint16``, ``640x480x3 uint8``."""
    height, width, *channels = image.shape
    return f"{'x'.join(map(str, [width, height, *channels]))} {image.dtype}"


class Clock:
    """Time as a camera sees it, s; tests put their own in its place."""

    def now(self) -> float:
        """Return monotonic seconds, on the clock that V4L2 stamps frames with on Linux."""
        return time.perf_counter()

    def wait(self, event: threading.Event | threading.Condition, seconds: float) -> bool:
        """Wait for the event, at most so long; tell whether it came."""
        return event.wait(seconds)


class Paced:
    """A file that plays at its own speed and, like a camera, does not wait for a late consumer."""

    live = True
    counter: Counter = "camera"

    def __init__(self, source: Source, clock: Clock | None = None) -> None:
        self.name = source.name
        self.shape = source.shape
        self.rate = source.rate
        self.length: int | None = getattr(source, "length", None)
        self.begun: datetime | None = getattr(source, "begun", None)
        self.card: Card | None = getattr(source, "card", None)
        self._source = source
        self.punctual = clock is None
        self._clock = clock or Clock()
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Yield frames when their time has come; frames more than `PATIENCE` periods late are skipped."""
        start: float | None = None
        skip_to, cause = 0.0, None
        for frame in self._source.frames():
            now = self._clock.now()
            start = now - frame.time if start is None else start
            due = start + frame.time
            if frame.time < skip_to:
                continue
            if now > due + PATIENCE / self.rate and not skip_to:
                skip_to, cause = now - start, Cause.SKIPPED
                continue
            # One frame is always given after a skip: a decoder slower than the file must not starve.
            skip_to = 0.0
            if due > now and self._clock.wait(self._closed, due - now):
                return
            yield replace(frame, time=due, cause=cause or frame.cause)
            cause = None

    def close(self) -> None:
        """Wake the wait and close the file."""
        self._closed.set()
        self._source.close()
