"""Whether there is light: contrast against what is usual in this session.

Nothing tells at once whether a change is for good. So much more contrast than ever is the light that goes on,
or a flash in a part of the picture; so much less is the light that goes off, or such a flash that is over.
What lasts decides, and what was there before.
"""

from __future__ import annotations

import math

__all__ = ["STAY", "Lit"]

DARK = 0.2
"""Share of the usual contrast below which a picture is dark (or saturated)."""
ADAPT = 60.0
"""Seconds in which eyes get used to the dark: what was usual is forgotten."""
TRUSTED = 60
"""Pictures over which the usual contrast is averaged."""
STAY = 3.0
"""Seconds after which what is odd, or much brighter, is the new normal."""
HELD = 10.0
"""The same for what is much brighter where cells were found: they are not learned anew for a flash."""
FIRST = 10.0
"""Seconds of light up to which longer darkness is what is normal: the light was a flash."""


class Lit:
    """Follows the usual contrast of the pictures of a stream at ``rate`` Hz."""

    def __init__(self, rate: float) -> None:
        self.anew = False
        """Whether another light began with the last picture."""
        self._stay, self._held, self._first = STAY * rate, HELD * rate, FIRST * rate
        self._adapt = 1 / (ADAPT * rate)
        self._usual = self._former = 0.0
        self._lasted = self._brighter = self._darker = 0

    def step(self, contrast: float, found: bool) -> bool:
        """Return whether a picture of this contrast has light; ``found``: cells were found in that so far."""
        self.anew = False
        as_before = DARK * self._former < contrast < self._former / DARK
        if contrast < DARK * self._usual:
            self._darker, self._brighter = self._darker + 1, 0
            was_flash = self._lasted < self._first and 0 < contrast and self._darker > self._lasted
            if not (was_flash or (as_before and self._darker > self._stay)):
                self._usual *= 1 - self._adapt
                return False
            self._begin(contrast, self._usual if found and not as_before else 0.0)
        elif DARK * contrast > self._usual:
            self._brighter += 1
            if self._usual and not as_before and self._brighter < (self._held if found else self._stay):
                return False
            self._begin(contrast, self._usual if found else 0.0)
        self._darker = self._brighter = 0
        self._lasted += 1
        if math.isfinite(contrast):
            self._usual += (contrast - self._usual) / TRUSTED
        return True

    def _begin(self, contrast: float, former: float) -> None:
        self.anew = True
        self._usual, self._former, self._lasted = contrast, former, 0
