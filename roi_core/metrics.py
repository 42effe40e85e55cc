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

    def rate(self, over: float = 1.0) -> float:
        """Return frames per second over about the last `over` seconds; 0 before the second frame."""
        # sorted, because the writer may replace the oldest while we look
        times = np.sort(self._arrivals[: self.count])
        times = times[times >= times[-1] - over] if times.size else times
        return float((times.size - 1) / (times[-1] - times[0])) if times.size > 1 else 0.0

    def cost(self, percentile: float = 50.0) -> float:
        """Return a percentile of the recent costs, in seconds."""
        costs = self._costs[: self.count]
        return float(np.percentile(costs, percentile)) if costs.size else 0.0
