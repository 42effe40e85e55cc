"""The frames of a session as they come: when, how fast, and what is missing between them."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from roi_core import layout
from roi_core.frame import Event
from roi_core.ledger import Cause, Ledger
from roi_core.metrics import Meter

if TYPE_CHECKING:
    from roi_core.frame import Frame, Sample
    from roi_core.ledger import Account
    from roi_core.sources.base import Source

__all__ = ["Arrivals"]

LATE, LEAST = 2.0, 0.03
"""Frame periods, and seconds at least, by which the worker may be behind a camera."""


class Arrivals:
    """Follows what a source gives. The worker writes; what it says may be read from any thread.

    ``time`` (s since the first frame, negative before it) and ``index`` (the camera's count) are those of
    the last frame measured; ``meter`` counts the frames that are done, and what they cost.
    """

    def __init__(self, source: Source) -> None:
        self.time = -1.0
        self.index = -1
        self.meter = Meter()
        self._source = source
        self._ledger = Ledger(source.counter)
        self._zero = 0.0
        self._heard = perf_counter()
        self._punctual = getattr(source, "punctual", False)

    @property
    def account(self) -> Account:
        """What became of the frames so far, without the lanes."""
        return self._ledger.account

    @property
    def start_is(self) -> str:
        """What the dates of its frames are, in the words of `roi_core.layout`."""
        if not hasattr(self._source, "begun"):
            return layout.LIVE
        return layout.OF_PROCESSING if self._source.begun is None else layout.OF_SOURCE

    @property
    def elapsed(self) -> float:
        """Seconds from the first frame to the last."""
        return max(self.time, 0.0)

    @property
    def silence(self) -> float:
        """Seconds since the last frame arrived, or since the start."""
        return perf_counter() - self._heard

    def hear(self) -> float:
        """Note that a frame arrives, or that the first is awaited; return when (s of ``perf_counter``)."""
        self._heard = perf_counter()
        return self._heard

    def late(self, frame: Frame) -> bool:
        """Return whether the worker is so far behind a punctual camera that this may soon lose frames."""
        return self._punctual and self._heard - frame.time > max(LATE / self._source.rate, LEAST)

    def time_of(self, frame: Frame) -> float:
        """Return when a frame was taken, s since the first; always later than the last."""
        if self.meter.count == 0:
            self._zero = frame.time
        return max(frame.time - self._zero, self.time + 1e-6)

    def missing(self, frame: Frame) -> tuple[int | None, Cause]:
        """Return how many frames were lost just before this one, None when nobody can know, and where."""
        counter = self._source.counter
        lost = frame.index - self.index - 1 if self.meter.count else 0
        cause = frame.cause or (Cause.TIME if counter == "time" else Cause.COUNT)
        return (None if counter == "unknown" else lost), cause

    def gap(self, frame: Frame, timeout: float) -> tuple[Event, ...]:
        """Tell of frames missing before this one, or of a silence (> `timeout` s) that hides how many."""
        if self.meter.count == 0:
            return ()
        time, (lost, _) = self.time_of(frame), self.missing(frame)
        silent = self._source.live and time - self.time > timeout
        if not lost and not silent:
            return ()
        data = {"lost": lost, "first": self.index + 1, "last": frame.index - 1}
        return (Event(time, frame.index, "gap", {**data, "seconds": round(time - self.time, 6)}),)

    def last_gap(self, timeout: float) -> tuple[Event, ...]:
        """Tell of a silence (> `timeout` s) that no frame has ended."""
        silence = self.silence
        if not self.meter.count or not self._source.live or silence <= timeout:
            return ()
        data = {"lost": None, "first": self.index + 1, "last": None, "seconds": round(silence, 6)}
        return (Event(self.time + silence, self.index, "gap", data),)

    def fail(self, frame: Frame) -> None:
        """Count a frame that could not be measured, and those lost before it."""
        self._ledger.fail(*self.missing(frame))

    def lose(self, lost: int) -> None:
        """Count frames behind the last one that were no pictures."""
        self._ledger.lose(lost, Cause.CORRUPT, after=True)

    def take(self, sample: Sample) -> None:
        """Count a frame that was measured, and those lost before it; it is the last from now on."""
        self._ledger.take(sample.fate, sample.lost, sample.cause)
        self.time, self.index = sample.time, sample.index

    def done(self, arrival: float) -> None:
        """Note what a frame that arrived at `arrival` has cost; to be called last of all."""
        self.meter.add(arrival, perf_counter() - arrival)
