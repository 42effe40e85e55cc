"""What a session knows of its surroundings, as figures: room on the disk, memory, queue, search for cells."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.forecast import MEASURED, bytes_per_second, minutes_left

if TYPE_CHECKING:
    from roi_core.settings import Settings
    from roi_core.sources.base import Source
    from roi_core.status import TakeStatus

__all__ = ["around", "memory"]

PROC: Final = Path("/proc")


def around(
    take: TakeStatus | None, behind: int | None, source: Source, settings: Settings, regions: int = 0
) -> dict[str, float]:
    """Return ``memory`` (%), ``lag`` (s), and ``disk`` (min) and ``queue`` (%) of a recording, if known.

    A file waits for the recorder, so that a full queue is no trouble there and is not told.
    """
    known = {"memory": memory()}
    if behind is not None and source.rate > 0:
        known["lag"] = behind / source.rate
    if take is not None and not take.ended and source.live:
        known["queue"] = 100.0 * take.queued / max(take.queue, 1)
    if take is not None and not take.ended and take.disk_free:
        forecast = bytes_per_second(source.shape, source.rate, settings, regions)
        growth = take.bytes_per_second if take.seconds >= MEASURED else forecast
        known["disk"] = minutes_left(take.disk_free, settings.recorder.disk_reserve, growth)
    return known


def memory(proc: Path = PROC) -> float:
    """Return the memory this process holds, in % of that and what is still free; NaN where nobody tells.

    Linux tells (resident pages, and ``MemAvailable`` in kB); elsewhere psutil does, if it is installed.
    """
    try:
        pages = int((proc / "self/statm").read_bytes().split()[1])
        free = re.search(rb"^MemAvailable:\s*(\d+)", (proc / "meminfo").read_bytes(), re.MULTILINE)
    except OSError:
        return _asked_elsewhere()
    if free is None:
        return math.nan
    held = pages * os.sysconf("SC_PAGE_SIZE")
    return 100.0 * held / (held + 1024 * float(free[1]))


def _asked_elsewhere() -> float:
    try:
        import psutil
    except ImportError:
        return math.nan
    held = psutil.Process().memory_info().rss
    return float(100.0 * held / (held + psutil.virtual_memory().available))
