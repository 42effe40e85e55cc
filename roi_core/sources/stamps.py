"""A camera's own clock, put on ours: its intervals are better than ours, its seconds are not."""

from __future__ import annotations

__all__ = ["DeviceClock"]


class DeviceClock:
    """Tells when, on our clock, a frame was taken that a camera stamped with its own.

    The offset between the clocks is fixed at the first frame. A frame can only come late, so the least delay
    of each `WINDOW` tells where the offset has drifted to, and it follows by at most `SLEW`: times keep the
    camera's even steps, and do not run away from ours in an hour. A clock that was set back begins anew.
    """

    WINDOW = 10.0
    """Seconds from which a drift is learned."""
    SLEW = 1e-3
    """Seconds by which a second may be stretched; crystals differ by a tenth of that."""
    JUMP = 1.0
    """Seconds by which a stamp cannot be ahead of its arrival."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._target = 0.0
        self._stamp: float | None = None
        self._begun = 0.0
        self._least = 0.0

    def step(self, stamp: float, now: float) -> float:
        """Return our time of a frame stamped ``stamp`` that arrived at ``now``, all in s."""
        late = now - stamp
        if self._stamp is None or stamp <= self._stamp or late < self._offset - self.JUMP:
            self._offset = self._target = late
            self._begin(stamp, late)
        else:
            self._least = min(self._least, late)
            if stamp - self._begun >= self.WINDOW:
                self._target = self._least
                self._begin(stamp, late)
            reach = self.SLEW * (stamp - self._stamp)
            self._offset += max(-reach, min(reach, self._target - self._offset))
        self._stamp = stamp
        return stamp + self._offset

    def _begin(self, stamp: float, late: float) -> None:
        self._begun, self._least = stamp, late
