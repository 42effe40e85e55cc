"""Room and names where recordings go, looked up on a thread of its own: the disk may be far away.

Knows no toolkit.
"""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from roi_core.paths import is_there
from roi_core.sinks.disk import free_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Disk", "Room"]

PERIOD: Final = 1.0
"""Seconds between two looks."""
PATIENCE: Final = 2.0
"""Seconds that closing waits for a disk that does not answer."""


class Room(NamedTuple):
    """``free`` bytes, None before the first look; ``path`` is what the next recording will be called."""

    free: int | None = None
    path: Path | None = None


class Disk:
    """Remembers the last look; never waits for one."""

    def __init__(self) -> None:
        self._room = Room()
        self._target: Path | None = None
        self._look = threading.Event()
        self._over = False
        self._thread: threading.Thread | None = None

    def room(self, target: Path) -> Room:
        """Return what is known of a recording that is to become `target`; its folder need not be there."""
        if target != self._target:
            self._target = target
            self._look.set()
        if self._thread is None and not self._over:
            self._thread = threading.Thread(target=self._watch, name="disk", daemon=True)
            self._thread.start()
        return self._room

    def close(self) -> None:
        """End the thread."""
        self._over = True
        self._look.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _watch(self) -> None:
        while not self._over:
            self._look.clear()
            if self._target is not None:
                self._room = looked(self._target)
            self._look.wait(PERIOD)


def looked(target: Path) -> Room:
    """Ask the disk; one that does not answer well has no room."""
    try:
        there = next((one for one in target.parents if is_there(one)), None)
        return Room(shutil.disk_usage(there).free if there else 0, free_path(target))
    except (OSError, ValueError):
        return Room(0, target)
