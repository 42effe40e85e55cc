"""Room and names where recordings go, looked up on a thread of its own: the disk may be far away.

Knows no toolkit.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from roi_core.paths import is_folder, is_there
from roi_core.sinks.disk import free_path
from roi_stream_gui import words
from roi_stream_gui.safe import shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Disk", "Room"]

log = logging.getLogger(__name__)

PERIOD: Final = 1.0
"""Seconds between two looks."""
PATIENCE: Final = 2.0
"""Seconds that closing waits for a disk that does not answer."""


class Room(NamedTuple):
    """``free`` bytes, None before the first look; ``path`` is what the next recording will be called."""

    free: int | None = None
    path: Path | None = None
    why: str = ""
    """Why nothing can be recorded there; '' when it can, and before the first look."""


class Disk:
    """Remembers the last look; never waits for one."""

    def __init__(self) -> None:
        self._room = Room()
        self._target: Path | None = None
        self._tried: tuple[Path, str] | None = None
        self._told = ""
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

    def tick(self) -> None:
        """Say once when nothing can be recorded in the folder that was chosen, before somebody tries."""
        if self._room.why != self._told:
            self._told = self._room.why
            if self._told:
                log.warning("%s", shown(self._told))

    def close(self) -> None:
        """End the thread."""
        self._over = True
        self._look.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _watch(self) -> None:
        while not self._over:
            self._look.clear()
            target = self._target
            if target is not None:
                if self._tried is None or self._tried[0] != target.parent:
                    self._tried = target.parent, refusal(target.parent)
                self._room = looked(target)._replace(why=self._tried[1])
            self._look.wait(PERIOD)


def looked(target: Path) -> Room:
    """Ask the disk; one that does not answer well has no room."""
    try:
        there = next((one for one in target.parents if is_there(one)), None)
        return Room(shutil.disk_usage(there).free if there else 0, free_path(target))
    except (OSError, ValueError):
        return Room(0, target)


def refusal(folder: Path) -> str:
    """Return why no recording can be made in a folder, which need not be there yet; '' when one can."""
    there = next((one for one in (folder, *folder.parents) if is_there(one)), folder)
    if not is_folder(there):
        return words.FOLDER_BAD.format(folder, f"{there} is no folder")
    try:
        tempfile.TemporaryFile(dir=there).close()
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        return words.FOLDER_BAD.format(folder, f"{there} takes no files, {why}")
    return ""
