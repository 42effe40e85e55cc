"""The last minute of some figures, and how fast they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MINUTE", "Minute"]

MINUTE: Final = 60.0
LEAST: Final = 30.0
"""Seconds of looks from which a slope is believed: a shorter one is activity."""
LOOKS: Final = 128
"""Looks of a minute, at two a second, and some to spare."""


class Minute:
    """Looks at n figures: at most the last 128, of which those of the last minute count."""

    def __init__(self, n: int) -> None:
        self._times = np.full(LOOKS, -np.inf)
        self._values = np.full((LOOKS, n), np.nan)
        self._count = 0

    def add(self, time: float, values: ArrayLike) -> None:
        """Take a look at `time` (s)."""
        slot = self._count % LOOKS
        self._times[slot], self._values[slot] = time, values
        self._count += 1

    def slope(self) -> NDArray[np.float64]:
        """Return the change per minute, (n,), by least squares; NaN where not every look is known."""
        times, values = self._recent()
        if _span(times) < LEAST:
            return np.full(values.shape[1], np.nan)
        dt = times - times.mean()
        slope: NDArray[np.float64] = MINUTE * (dt @ values) / (dt @ dt)
        return slope

    def fading(self) -> float:
        """Return the change of the first figure in % per minute, which no moment of darkness disturbs.

        The slope of the resistant line (Tukey 1977, Exploratory Data Analysis, 5): that between the medians
        of the first and the last third.
        """
        times, values = self._recent()
        if _span(times) < LEAST:
            return float("nan")
        third = _span(times) / 3
        first, last = times <= times.min() + third, times >= times.max() - third
        (t0, t1), (x0, x1) = ((np.median(a[first]), np.median(a[last])) for a in (times, values[:, 0]))
        return float(100.0 * MINUTE * (x1 - x0) / (t1 - t0) / max(np.median(values[:, 0]), 1e-9))

    def _recent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the times and values of the last minute, in any order."""
        rows = self._times >= self._times.max() - MINUTE if self._count else slice(0)
        return self._times[rows], self._values[rows]

    def taken_over(self, n: int, to: NDArray[np.intp], of: NDArray[np.intp]) -> Minute:
        """Return the minute of `n` figures, of which those at `to` are those at `of` here."""
        other = Minute(n)
        other._times, other._count = self._times.copy(), self._count
        other._values[:, to] = self._values[:, of]
        return other


def _span(times: NDArray[np.float64]) -> float:
    """Return the seconds from the first look to the last."""
    return float(times.max() - times.min()) if len(times) else 0.0
