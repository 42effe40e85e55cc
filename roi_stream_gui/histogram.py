"""How many pixels of a frame have which value, and the hand on its two limits. Knows no toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_stream_gui.tone import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_stream_gui.tone import Limits, Shown

__all__ = ["BINS", "Grip", "Histogram", "Levels"]

BINS: Final = 64
MARGIN: Final = 0.08
"""Share of the scale that is left free beyond what is on it."""
TAIL: Final = 99.98
"""Percentile up to which pixels widen the scale: one hot pixel must not squeeze the others into a line."""

TIGHT: Final = 0.6
"""Share of the scale that is used at least in the long run."""
PATIENCE: Final = 20
"""Looks that the scale waits before it is made narrower, so that it does not jump with every transient."""
NEAREST: Final = 0.01
"""Share of the scale that two limits keep between them under the hand."""


class Levels(NamedTuple):
    """A histogram: the value where its scale begins and ends, and the height 0..1 of each bin."""

    start: float = 0.0
    end: float = 1.0
    heights: NDArray[np.float64] = np.zeros(BINS)

    def place(self, value: float) -> float:
        """Return where a value lies on the scale, 0..1."""
        return (value - self.start) / max(self.end - self.start, 1e-12)

    def value(self, place: float) -> float:
        """Return the value at a place of the scale."""
        return self.start + place * (self.end - self.start)


class Histogram:
    """Looks at a subsample of the frame, never at what is drawn on it."""

    def __init__(self) -> None:
        self.levels = Levels()
        self._name, self._loose = "", 0

    def look(self, canvas: Shown, limits: Limits, name: str) -> Levels:
        """Return the levels of a picture; the scale holds the `limits` and stays while it fits well."""
        some = spread(canvas.codes)
        if canvas.holes:
            some = some[some > 0]
        if not some.size:
            return self.levels
        low, high = float(some.min()), float(np.percentile(some, TAIL))
        start, end = self._scale(min(canvas.value(low), limits[0]), max(canvas.value(high), limits[1]), name)
        one = canvas.value(1.0) - canvas.value(0.0)
        first = canvas.value(0.0)
        edges = ((start - first) / one - 0.5, (end - first) / one + 0.5)
        counts, _ = np.histogram(some, BINS, edges)
        heights = np.log1p(counts)
        self.levels = Levels(start, end, heights / max(float(heights.max()), 1e-9))
        return self.levels

    def _scale(self, low: float, high: float, name: str) -> Limits:
        """Return where the scale begins and ends: wider at once, narrower only after a while."""
        start, end = self.levels.start, self.levels.end
        room = MARGIN * max(high - low, 1e-9)
        self._loose = self._loose + 1 if high - low < TIGHT * (end - start) else 0
        if name == self._name and start <= low and high <= end and self._loose < PATIENCE:
            return start, end
        self._name, self._loose = name, 0
        return low - room, high + room


class Grip:
    """The hand on the limits: it takes the nearer line, or both when it takes hold between them."""

    def __init__(self) -> None:
        self._held: tuple[bool, bool] | None = None
        self._last = 0.0

    @property
    def busy(self) -> bool:
        """True while a limit is dragged."""
        return self._held is not None

    def press(self, place: float, low: float, high: float, reach: float) -> None:
        """Take hold at a place of the scale 0..1; `low` and `high` are where the lines lie."""
        near = abs(place - low) <= reach, abs(place - high) <= reach
        self._last = place
        if any(near):
            lower = abs(place - low) < abs(place - high) or (low == high and place < low)
            self._held = lower, not lower
        else:
            self._held = (True, True) if low < place < high else (place <= low, place >= high)
            if self._held != (True, True):  # beside both: the nearer line comes to the hand
                self._last = low if place <= low else high

    def move(self, place: float, limits: Limits, span: float) -> Limits:
        """Return the limits after the hand went on to `place`; `span` is the value of the whole scale."""
        if self._held is None:
            return limits
        step, self._last = (place - self._last) * span, place
        low, high = (value + step * held for value, held in zip(limits, self._held, strict=True))
        if self._held == (True, True):
            return low, high
        least = NEAREST * span  # one line stops before the other
        return (min(low, high - least), high) if self._held[0] else (low, max(high, low + least))

    def release(self) -> None:
        """Let go."""
        self._held = None
