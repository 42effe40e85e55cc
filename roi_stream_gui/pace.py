"""How often the window draws: as often as it was told while something moves, seldom when nothing does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from roi_stream_gui.view import View

__all__ = ["Pace"]

IDLE_RATE: Final = 10.0
"""Draws per second while nothing moves."""
HAND_RATE: Final = 40.0
"""Draws per second at least while the hand draws."""
LONGEST: Final = 500
"""ms; a frame that took longer is counted here."""


class Pace:
    """Sleeps until the next frame is due and counts how many there are."""

    def __init__(self) -> None:
        self.rate = 0.0
        """Frames drawn per second, over the last 20."""
        self.busy = [0] * (LONGEST + 1)
        """How many frames took so many ms, without the sleep after them and what tests ask."""
        self.made = [0] * (LONGEST + 1)
        """How many took so many ms until they were handed over to be rasterised."""
        self._ends = [0.0] * 20
        self._seen: tuple[object, ...] = ()
        self._quiet_since = 0.0

    def hand_over(self, began: float) -> None:
        """Count how long the frame that began at `began` took to make."""
        self.made[_slot(time.perf_counter() - began)] += 1

    def finish(self, began: float) -> None:
        """Count how long the frame that began at `began` took in all."""
        self.busy[_slot(time.perf_counter() - began)] += 1

    def wait(self, began: float, view: View, mouse: object) -> None:
        """Sleep what is left of a frame that began at `began`, sooner when something moves."""
        seen = (view.snapshot.frames.head if view.snapshot else 0, mouse, view.news)
        if seen != self._seen or view.hand.busy:
            self._seen, self._quiet_since = seen, began
        left = began + 1.0 / self._wanted(began, view) - time.perf_counter()
        if left > 0:
            time.sleep(left)
        self._ends = [*self._ends[1:], time.perf_counter()]
        span = self._ends[-1] - self._ends[0]
        self.rate = (len(self._ends) - 1) / span if span > 0 else 0.0

    def _wanted(self, now: float, view: View) -> float:
        rate = view.settings.display.rate
        if now - self._quiet_since > 1.0:
            return min(rate, IDLE_RATE)
        return max(rate, HAND_RATE) if view.hand.busy else rate


def _slot(seconds: float) -> int:
    return min(int(1e3 * seconds), LONGEST)
