"""Free space where recordings go, asked once a second. Knows no toolkit."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FreeSpace"]

PERIOD: Final = 1.0
"""Seconds between two looks while nothing is recorded."""


class FreeSpace:
    """Remembers the last answer."""

    def __init__(self) -> None:
        self._last = (0.0, 0)

    def below(self, folder: Path) -> int:
        """Return the free bytes for `folder`, which need not be there yet."""
        now = time.monotonic()
        if now - self._last[0] >= PERIOD:
            there = next((one for one in (folder, *folder.parents) if one.exists()), None)
            try:
                self._last = (now, shutil.disk_usage(there).free if there else 0)
            except OSError:
                self._last = (now, 0)
        return self._last[1]
