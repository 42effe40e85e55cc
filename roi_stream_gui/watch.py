"""What happens by itself and must be said: stages being compiled, a picture that jumped. Knows no toolkit."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from roi_stream_gui import words

if TYPE_CHECKING:
    from roi_core.settings import Settings
    from roi_core.snapshot import Snapshot

__all__ = ["Watch", "awaited", "progress"]

log = logging.getLogger(__name__)

LONG: Final = 6.0
"""Seconds after which a stage in the making is being compiled, not read from the disk."""
CALM: Final = 10.0
"""Seconds without a doubt after which the next one is said again."""


def awaited(snapshot: Snapshot, settings: Settings) -> str:
    """Return the stage that is wanted and not there yet: ``motion``, ``cnmf`` or none."""
    for name, wanted in (("motion", settings.motion.enabled), ("cnmf", settings.cnmf.enabled)):
        if wanted and snapshot.stages.get(name) in ("off", "making"):
            return name
    return ""


def progress(snapshot: Snapshot, settings: Settings) -> tuple[int, int]:
    """Return which of the stages that are wanted is in the making, from 1 on, and how many these are."""
    wanted = [name for name in ("motion", "cnmf") if getattr(settings, name).enabled]
    there = sum(snapshot.stages.get(name) not in ("off", "making") for name in wanted)
    return min(there + 1, len(wanted)), len(wanted)


class Watch:
    """Looks at each snapshot; says a thing once."""

    def __init__(self) -> None:
        self.compiling = False
        self._frames: object = None
        self._since = 0.0
        self._doubted: dict[str, float] = {}

    def follow(self, snapshot: Snapshot, settings: Settings) -> None:
        """Say what is new in a snapshot of a running session."""
        now = time.monotonic()
        if snapshot.frames is not self._frames:
            self._frames, self._since, self.compiling = snapshot.frames, now, False
        self._follow_stages(snapshot, settings, now)
        if snapshot.flag in words.DOUBTS:
            if now - self._doubted.get(snapshot.flag, -CALM) >= CALM:
                log.warning(words.DOUBTS[snapshot.flag])
            self._doubted[snapshot.flag] = now

    def _follow_stages(self, snapshot: Snapshot, settings: Settings, now: float) -> None:
        if not awaited(snapshot, settings):
            if self.compiling:
                log.info(words.COMPILED)
            self._since, self.compiling = now, False
        elif not self.compiling and now - self._since > LONG:
            self.compiling = True
            log.info(words.COMPILING)
