"""How the lost frames of a live camera are known: from its own count, or from gaps in time."""

from __future__ import annotations

import math
from collections import deque
from statistics import median_low
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.frame import Counter

__all__ = ["EmbeddedCounter", "FrameCounter", "HardwareCounter", "ReadCounter", "TimeCounter"]


class FrameCounter(Protocol):
    """Gives each frame of a live camera its index."""

    counter: Counter
    note: str
    """A sentence about something odd seen in the last step, else empty."""

    def step(self, image: NDArray[Any], time: float, *, waited: bool = True) -> int:
        """Return the index of the next frame, taken at ``time`` s; ``waited`` if it was not buffered."""
        ...

    def resume(self) -> None:
        """Expect a gap: the camera was away and the next frame is its first again."""
        ...


class ReadCounter:
    """Counts what was read; losses are unknown."""

    counter: Counter = "unknown"
    note = ""

    def __init__(self) -> None:
        self._index = -1

    def step(self, image: NDArray[Any], time: float, *, waited: bool = True) -> int:
        """Return how many frames came before."""
        self._index += 1
        return self._index

    def resume(self) -> None:
        """Do nothing: what was missed cannot be known."""


class EmbeddedCounter:
    """Reads the 32-bit count that the camera writes into the first four pixels, one byte each, highest first.

    The index is that count, going on beyond 2**32. A count that stands still or goes back (the camera was
    switched off and on) is bridged by the time that has passed.
    """

    counter: Counter = "camera"

    def __init__(self, rate: float) -> None:
        self.note = ""
        self._rate = rate
        self._index = -1
        self._count = 0
        self._time = 0.0

    def step(self, image: NDArray[Any], time: float, *, waited: bool = True) -> int:
        """Return the count, or the previous index plus what has passed since."""
        self.note = ""
        count = embedded_count(image)
        ahead = (count - self._count) % 2**32
        if self._index < 0:
            ahead = count + 1
        elif not 0 < ahead < 2**31:
            self.note = f"its embedded frame count went from {self._count} to {count}; the gap is an estimate"
            ahead = max(1, round((time - self._time) * self._rate))
        self._index += ahead
        self._count, self._time = count, time
        return self._index

    def resume(self) -> None:
        """Do nothing: the count tells."""


class HardwareCounter:
    """Follows the frame number that a camera's driver gives with each frame.

    ``wrap`` is after how many numbers it begins anew (65535 for GigE cameras, which count from 1), 0 when it
    never does. A number that stands still, goes back, or is farther ahead than time allows (the camera was
    switched off and on) is bridged by the time that has passed, at the pace of the frames before; that is
    ``rate`` to begin with, in Hz. Time allows what the camera may have made since it was last kept up with:
    while buffered frames are fetched in a burst, their times say nothing of its pace.
    """

    counter: Counter = "camera"
    PLAUSIBLE = 4.0
    """Times its rate that a camera may have been faster, before its number is not believed."""
    FEW = 100
    """Frames ahead that are always believed."""
    PULL = 0.05
    """Weight of one interval in the pace; one that is long may only be late, and counts as `LATE` periods."""
    LATE = 2.0

    def __init__(self, rate: float, wrap: int = 0) -> None:
        self.note = ""
        self._period = 1 / rate
        self._wrap = wrap
        self._index = -1
        self._count = 0
        self._time = 0.0
        self._behind = 0.0
        """Frames the camera may have made beyond the last one fetched."""
        self._waited = False
        self._away = False

    def step(self, count: int, time: float, *, waited: bool = True) -> int:
        """Return the camera's number, going on where it wraps or is bridged.

        ``time`` (s) is when the frame was made, or, unless `waited`, when it was fetched from a buffer.
        """
        self.note = ""
        ahead = count - self._count
        ahead = ahead % self._wrap if self._wrap else ahead
        interval = time - self._time
        if (
            waited and self._waited
        ):  # the last was the newest there was; after a burst that overflowed it is not
            self._behind = 0.0
        self._behind += interval / self._period
        if self._index < 0:
            ahead, self._behind = count + 1, 0.0
        elif self._away:
            ahead = max(1, round(self._behind))
        elif ahead <= 0 or ahead > max(self.FEW, self.PLAUSIBLE * self._behind):
            self.note = f"its frame number went from {self._count} to {count}; the gap is an estimate"
            ahead = max(1, round(self._behind))
        elif waited:
            usual = min(interval / ahead, self.LATE * self._period)
            self._period += self.PULL * (usual - self._period)
        self._index += ahead
        self._behind = max(self._behind - ahead, 0.0)
        self._count, self._time, self._waited, self._away = count, time, waited, False
        return self._index

    def resume(self) -> None:
        """Expect the numbers to begin anew: the camera was away."""
        self._away = True


def embedded_count(image: NDArray[Any]) -> int:
    """Return the count in the first four pixels of the first row (of the first channel)."""
    pixels = image[0, :4] if image.ndim == 2 else image[0, :4, 0]
    return int.from_bytes(bytes(int(pixel) & 0xFF for pixel in pixels), "big")


class TimeCounter:
    """Estimates the index from time alone.

    A clock with the camera's period runs along and is pulled gently to each frame. A frame that comes late
    by a period or more may mean a loss, or only that the computer looked late: then the driver had kept the
    frames, they follow faster than the camera makes them, and the delay melts. So a delay is booked as a
    loss only once it has stopped melting for `PATIENCE` frames.

    The period is the one the camera reports, until the frames that were really waited for (not buffered)
    agree on another. A camera that slows down without saying so looks like one that loses frames until they
    agree; the two cannot be told apart earlier.
    """

    counter: Counter = "time"
    PATIENCE = 8
    WINDOW = 32
    SETTLE = 12
    GAIN = 0.2
    PULL = 0.01
    MELTING = 0.75

    def __init__(self, rate: float) -> None:
        self.note = ""
        self.period = 1 / rate if rate > 0 else 0.0
        self._intervals: deque[float] = deque(maxlen=self.WINDOW)
        self._delays: deque[float] = deque(maxlen=self.PATIENCE)
        self._index = -1
        self._read = 0
        self._due = 0.0
        self._last = 0.0
        self._credit = 0
        self._waited = False
        self._away = False

    def step(self, image: NDArray[Any], time: float, *, waited: bool = True) -> int:
        """Return the previous index plus one, plus the losses that have become certain."""
        self.note = ""
        interval, self._last = time - self._last, time
        self._index += 1
        self._read += 1
        if self._index == 0:
            self._due = time
        elif self._away:
            self._bridge(interval, time)
        else:
            melting = len(self._delays) > 1 and self._delays[0] - self._delays[-1] > self.MELTING
            if waited and self._waited and not melting:
                self._intervals.append(interval)
                self._learn(time)
            self._waited = waited
            if self.period:
                self._follow(time, waited=waited)
        return self._index

    def resume(self) -> None:
        """Take the next interval as a gap of its full length."""
        self._away = True

    def _bridge(self, interval: float, time: float) -> None:
        if self.period:
            self._index += max(0, round(interval / self.period) - 1)
        self._away = self._waited = False
        self._due = time
        self._delays.clear()

    def _learn(self, time: float) -> None:
        """Correct the period: coarsely when most intervals contradict it, finely as their common divisor."""
        if len(self._intervals) < self.SETTLE:
            return
        middle = median_low(self._intervals)
        alike = sum(abs(interval - middle) < 0.4 * middle for interval in self._intervals)
        agreed = alike >= 0.75 * len(self._intervals)
        if agreed and not (self.period and 0.7 < middle / self.period < 1.4):
            if self.period:
                self.note = f"it gives {1 / middle:.3g} frames/s, not {1 / self.period:.3g}"
            self._tune(middle, time)
        if self.period:
            self._refine(time)

    def _refine(self, time: float) -> None:
        """Take the common divisor of the intervals when nearly all lie on the same side of the period's grid.

        A loss adds a whole period to both sums; jitter lies on both sides and must not pull.
        """
        periods = [max(1, round(interval / self.period)) for interval in self._intervals]
        pairs = zip(self._intervals, periods, strict=True)
        above = sum(interval > number * self.period for interval, number in pairs) / len(periods)
        usual = sum(self._intervals) / sum(periods)
        if not 0.2 <= above <= 0.8 and abs(usual - self.period) > 0.05 * self.period:
            self._tune(usual, time)

    def _tune(self, period: float, time: float) -> None:
        self.period = period
        self._due = time - period
        self._delays.clear()

    def _follow(self, time: float, *, waited: bool) -> None:
        """Compare the frame with the clock; book a delay that has stopped melting."""
        self._due += self.period
        delay = (time - self._due) / self.period
        if abs(delay) < 0.5:
            # A frame that was buffered tells when it was fetched, which is not the camera's rhythm.
            if waited:
                self._due += self.GAIN * delay * self.period
                self.period *= 1 + self.PULL * delay
            self._delays.clear()
        elif delay < 0:
            # Earlier than possible: something booked before was no loss. It is taken from the next one.
            early = math.ceil(-delay - 0.5)
            self._credit += early if self._index >= self._read else 0
            self._due -= early * self.period
            self._delays.clear()
        else:
            self._delays.append(delay)
            settled = len(self._intervals) >= self.SETTLE or self._read > 3 * self.SETTLE
            if settled and len(self._delays) == self.PATIENCE and self._delays[0] - delay < self.MELTING:
                self._book(round(delay))

    def _book(self, lost: int) -> None:
        paid = min(lost, self._credit)
        self._credit -= paid
        self._index += lost - paid
        self._due += lost * self.period
        self._delays.clear()
