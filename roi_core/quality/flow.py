"""How the frames come: what is lost, and the longest wait for one."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from roi_core.quality.minute import MINUTE

__all__ = ["Flow"]

INTERVALS: Final = 255
"""Intervals whose median is the frame period."""
KNOWN: Final = 8
"""Intervals from which it is believed."""


class Flow:
    """Takes every frame; `look` returns what the last minute was like."""

    def __init__(self) -> None:
        self._intervals = np.full(INTERVALS, np.nan)
        self._count = 0
        self._last = np.nan
        self._longest = np.nan
        self._lost = self._frames = 0
        self._unknown = False
        self._minute: deque[tuple[float, int, int]] = deque()
        """When a look was, how many frames were lost before it, and how many there were."""

    def step(self, time: float, lost: int | None) -> None:
        """Take a frame at `time` (s), before which `lost` are missing; None: nobody can know."""
        interval, self._last = time - self._last, time
        if interval == interval:  # known from the second frame on
            self._intervals[self._count % INTERVALS] = interval
            self._count += 1
            self._longest = float(np.fmax(self._longest, interval))
        self._unknown |= lost is None
        self._lost += lost or 0
        self._frames += 1

    def look(self, time: float) -> tuple[float, float, float]:
        """Return frames lost, and their share in %, in the last minute; longest interval since, in periods.

        NaN is what is not known.
        """
        self._minute.append((time, self._lost, self._frames))
        self._lost = self._frames = 0
        while self._minute[0][0] < time - MINUTE:
            self._minute.popleft()
        longest, self._longest = self._longest, np.nan
        gap = longest / self._period() if self._count >= KNOWN else np.nan
        if self._unknown:
            return np.nan, np.nan, gap
        lost = sum(look[1] for look in self._minute)
        frames = sum(look[2] for look in self._minute)
        return float(lost), 100.0 * lost / (lost + frames), gap

    def _period(self) -> float:
        """Return the usual time between two frames, s."""
        return max(float(np.median(self._intervals[: min(self._count, INTERVALS)])), 1e-9)
