"""How fast, how late, how full: small running figures for the health chips and the progress line."""

from __future__ import annotations

import numpy as np

__all__ = ["Meter"]


class Meter:
    """The last `size` frames' arrival times (s) and costs (s). One writer; readers get whole numbers."""

    def __init__(self, size: int = 256) -> None:
        self._arrivals = np.zeros(size)
        self._costs = np.zeros(size)
        self.count = 0

    def add(self, arrival: float, cost: float) -> None:
        """Take one frame that arrived at `arrival` and took `cost` to process."""
        slot = self.count % self._arrivals.size
        self._arrivals[slot] = arrival
        self._costs[slot] = cost
        self.count += 1

    def rate(self, now: float, over: float = 1.0) -> float:
        """Return frames per second over the last `over` seconds of frames; 0 when none came for long."""
        # sorted, because the writer may replace the oldest while we look
        times = np.sort(self._arrivals[: self.count])
        times = times[times >= times[-1] - over] if times.size else times
        if times.size < 2:
            return 0.0
        period = (times[-1] - times[0]) / (times.size - 1)
        return 0.0 if now - times[-1] > max(over, 3 * period) else float(1 / period)

    def cost(self, percentile: float = 50.0) -> float:
        """Return a percentile of the recent costs, in seconds."""
        costs = np.sort(self._costs[: self.count])
        if not costs.size:
            return 0.0
        # what np.percentile does, without the 0.2 ms it takes to find out what it was given
        place = percentile / 100.0 * (costs.size - 1)
        below = int(place)
        above = min(below + 1, costs.size - 1)
        return float(costs[below] + (place - below) * (costs[above] - costs[below]))
