"""Doubtful shifts as events: an episode is told when it begins and when it is over, not at each frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Doubts"]

CALM: Final = 1.0
"""Seconds without a doubt after which an episode is over."""


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
