"""A camera's own clock, put on ours: its intervals are better than ours, its seconds are not."""

from __future__ import annotations

import math

__all__ = ["DeviceClock"]


class DeviceClock:
    """Tells when, on our clock, a frame was taken that a camera stamped with its own.

    The offset between the clocks is fixed at the first frame. A frame can only come late, so the least delay
    of each `WINDOW` tells where the offset has drifted to, and it follows by at most `SLEW`: times keep the
    camera's even steps, and do not run away from ours in an hour. A frame dated `AHEAD` of its arrival proves
    that the offset was that of a late one, such as the first: it then follows by `HASTE`, and times still
    increase. A clock that was set back begins anew.
    """

    WINDOW = 10.0
    """Seconds from which a drift is learned."""
    SLEW = 1e-3
    """Seconds by which a second may be stretched; crystals differ by a tenth of that."""
    AHEAD = 0.1
    """Seconds by which a frame may be dated later than it came, as usual delays vary by less."""
    HASTE = 0.5
    """Part of each second by which a wrong offset is mended."""
    JUMP = 1.0
    """Seconds by which a stamp cannot be ahead of its arrival."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._target = 0.0
        self._stamp: float | None = None
        self._begun = 0.0
        self._least = 0.0
        self._slew = self.SLEW

    def step(self, stamp: float, now: float) -> float:
        """Return our time of a frame stamped ``stamp`` that arrived at ``now``, all in s."""
        late = now - stamp
        if self._stamp is None or stamp <= self._stamp or late < self._offset - self.JUMP:
            self._offset = self._target = late
            self._slew = self.SLEW
            self._begin(stamp, late)
        else:
            self._aim(stamp, late)
            self._move(stamp - self._stamp)
        self._stamp = stamp
        return stamp + self._offset

    @property
    def even(self) -> bool:
        """False while a wrong offset is being mended: steps then tell less than the camera's."""
        return self._slew == self.SLEW

    def _aim(self, stamp: float, late: float) -> None:
        """Learn from one frame where the offset has to go, and how quickly."""
        self._least = min(self._least, late)
        if not self.even or self._target - late > self.AHEAD:
            self._target, self._slew = min(self._target, late), self.HASTE
        if stamp - self._begun >= self.WINDOW:
            self._target = self._least
            self._begin(stamp, late)

    def _move(self, seconds: float) -> None:
        """Let the offset follow its target for so long."""
        way, reach = self._target - self._offset, self._slew * seconds
        if abs(way) <= reach:
            self._offset, self._slew = self._target, self.SLEW
        else:
            self._offset += math.copysign(reach, way)

    def _begin(self, stamp: float, late: float) -> None:
        self._begun, self._least = stamp, late
