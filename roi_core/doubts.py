"""Pictures that are not to be trusted: what teaches the cells nothing, and doubtful shifts as events.

An episode of doubtful shifts is told when it begins and when it is over, not at each frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.ledger import Fate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Doubts", "Judge"]

CALM: Final = 1.0
"""Seconds without a doubt after which an episode is over."""
PROBE, SIDE = 8, 64
"""Pixels between those by which a picture is known again, fewer where that leaves less than so many a side:
of a handful, two pictures with few photons may well have the same."""
UNMOVED: Final = 10.0
"""Seconds without motion correction, after it was on, for which pictures teach the cells nothing."""
MISPLACED: Final = {"jump": Fate.JUMP, "unsure": Fate.UNSURE}
"""A flag of motion correction -> what it means for the cells."""


class Judge:
    """Says of each picture of a stream why the cells should not learn from it: it is no news, or misplaced.

    Sessions and the faces of `roi_core.ml` ask one each, so that the same pictures teach all of them.
    """

    def __init__(self, rate: float) -> None:
        self._rate, self._unmoved = rate, 0
        self._last: NDArray[Any] | None = None

    def step(self, image: NDArray[Any], flag: str | None, stopped: bool) -> Fate | None:
        """Return what is to be doubted in the next (H, W) `image`, as the camera gave it.

        ``flag`` is what motion correction says of it, None when it was not moved; then ``stopped`` tells
        that there is a motion correction that was on before.
        """
        frozen = self._frozen(image)
        self._unmoved = 0 if flag is not None else self._unmoved + stopped
        just_off = 0 < self._unmoved <= UNMOVED * self._rate
        return Fate.FROZEN if frozen else Fate.UNMOVED if just_off else MISPLACED.get(flag or "")

    def _frozen(self, image: NDArray[Any]) -> bool:
        """Return whether a picture repeats the one before: a camera that hangs shows no cells."""
        every = max(1, min(PROBE, min(image.shape[:2]) // SIDE))
        some, last = image[::every, ::every], self._last
        self._last = some.copy()
        return last is not None and np.array_equal(some, last)


@dataclass
class Episode:
    """Frames in doubt, with less than ``calm`` s between them."""

    calm: float = CALM
    since: float = 0.0
    last: float = 0.0
    frames: int = 0

    @property
    def on(self) -> bool:
        """True between its beginning and its end."""
        return self.frames > 0

    def step(self, doubt: bool, time: float) -> dict[str, Any] | None:
        """Return what there is to tell at this frame, if anything."""
        if doubt:
            began = self.frames == 0
            self.since = time if began else self.since
            self.last, self.frames = time, self.frames + 1
            return {"state": "begin"} if began else None
        if self.frames and time - self.last >= self.calm:
            frames, self.frames = self.frames, 0
            return {"state": "end", "frames": frames, "seconds": round(self.last - self.since, 3)}
        return None


@dataclass
class Doubts:
    """An episode for each flag of motion correction."""

    episodes: dict[str, Episode] = field(default_factory=lambda: {"jump": Episode(), "unsure": Episode()})

    @property
    def on(self) -> bool:
        """True while there is an episode of any flag."""
        return any(episode.on for episode in self.episodes.values())

    def step(self, flag: str, time: float) -> list[tuple[str, dict[str, Any]]]:
        """Return the (kind, data) of events at this frame, such as ``motion_jump``; `time` in s."""
        told = [(kind, episode.step(flag == kind, time)) for kind, episode in self.episodes.items()]
        return [(f"motion_{kind}", data) for kind, data in told if data is not None]
