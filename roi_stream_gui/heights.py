"""How traces are put beside or over each other, and the bars and ticks that tell their units.

A trace is drawn at ``base + gain * (value - low)``. Knows no toolkit.
"""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_stream_gui.lineup import Lane

    Line = NDArray[np.float64]
    Limits = tuple[float, float]
    Ticks = tuple[tuple[str, float], ...]

__all__ = ["Heights", "Place", "bar", "clock_ticks", "limits_of", "nice", "value_ticks"]

FILL: Final = 0.86
"""Part of its lane that a trace may fill."""
FOOT: Final = 0.3
"""Part of a cell's lane that is for its spikes."""
CLOCK: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Steps between the ticks of time, s."""
APART: Final = 88
"""Screen px between two ticks of time, at least."""


class Place(NamedTuple):
    """Where a trace is drawn: ``base + gain * (value - low)``."""

    base: float
    gain: float
    low: float

    def y(self, values: Line) -> Line:
        """Return where values are drawn."""
        return self.base + self.gain * (values - self.low)


class Heights:
    """Own scales, or one that all regions and one that all cells share, fixed when they begin to share it."""

    def __init__(self) -> None:
        self._span = {False: 0.0, True: 0.0}
        self._floor = {False: 0.0, True: 0.0}

    def forget(self) -> None:
        """Measure anew: values have another unit now."""
        self._span = {False: 0.0, True: 0.0}

    def scale(self, factor: float) -> None:
        """Make the shared scales coarser (factor > 1) or finer."""
        self._span = {which: span * factor for which, span in self._span.items()}

    def key(self) -> tuple[float, ...]:
        """Return what a drawing depends on."""
        return tuple(self._span.values())

    def stacked(self, lanes: Sequence[Lane], ranges: Sequence[Limits], own: bool, foot: float) -> list[Place]:
        """Return the place of each lane, the first on top; cells leave `foot` of theirs for spikes."""
        self._measure(lanes, ranges, own)
        places = []
        for k, (lane, (low, high)) in enumerate(zip(lanes, ranges, strict=True)):
            base, span = len(lanes) - k - 1.0, max(high - low if own else self._span[lane.is_cell], 1e-9)
            if lane.is_cell:
                places.append(Place(base + foot, (1 - foot) * FILL / span, low))
            else:
                places.append(Place(base + 0.5, FILL / span, (low + high) / 2))
        return places

    def overlaid(self, lanes: Sequence[Lane], ranges: Sequence[Limits], own: bool) -> list[Place]:
        """Return places within 0..1: each by itself, or regions by one scale and cells by one."""
        self._measure(lanes, ranges, own)
        pad = (1 - FILL) / 2
        places = []
        for lane, (low, high) in zip(lanes, ranges, strict=True):
            span = max(high - low if own else self._span[lane.is_cell], 1e-9)
            places.append(Place(pad, FILL / span, low if own else self._floor[lane.is_cell]))
        return places

    def _measure(self, lanes: Sequence[Lane], ranges: Sequence[Limits], own: bool) -> None:
        for which in (False, True):
            mine = [limits for lane, limits in zip(lanes, ranges, strict=True) if lane.is_cell is which]
            known = [limits for limits in mine if limits[1] > limits[0]]
            if own:
                self._span[which] = 0.0
            elif not self._span[which] and known:
                self._span[which] = max(high - low for low, high in known)
                self._floor[which] = min(low for low, _ in known)


def limits_of(values: Line) -> Limits:
    """Return the lowest and highest value there is, (0, 0) of none."""
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


def nice(value: float) -> float:
    """Return the largest of 1, 2, 5, 10 ... not above a value."""
    if not value > 0:
        return 0.0
    size = 10.0 ** floor(log10(value))
    return size * next(step for step in (5.0, 2.0, 1.0) if step * size <= value * (1 + 1e-9))


def bar(gain: float, room: float = 0.6) -> float:
    """Return the round value whose height, at so much per value, fits in `room`; 0 when there is none."""
    return nice(room / gain) if 0 < gain < 1e8 else 0.0


def value_ticks(place: Place, count: int = 4) -> Ticks:
    """Return ticks (label, y) at round values for a trace drawn within 0..1."""
    step = nice((1.0 / place.gain) / count * 1.6) if 0 < place.gain < 1e8 else 0.0
    if not step:
        return ()
    first, last = place.low - place.base / place.gain, place.low + (1 - place.base) / place.gain
    values = np.arange(np.ceil(first / step), np.floor(last / step) + 1) * step
    return tuple((f"{value:.6g}", float(place.y(np.array(value)))) for value in values)


def clock_ticks(start: float, end: float, pixels: float) -> Ticks:
    """Return ticks (label, time) of a time axis that is so many px wide."""
    least = (end - start) * APART / max(pixels, 1.0)
    step = next((step for step in CLOCK if step >= least), CLOCK[-1])
    times = np.arange(np.ceil(start / step), np.floor(end / step + 1e-9) + 1) * step
    return tuple((words.moment(time, step), float(time)) for time in times)
