"""How fast a recording will grow, before there is one."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from roi_core.settings import Recorder, Settings

__all__ = ["DiskWatch", "bytes_per_second", "minutes_left"]

log = logging.getLogger(__name__)

TRACES_OF_A_CELL: Final = 16
"""Bytes a cell takes in each row: raw, calcium, spikes, and spikes as they were at first."""
MEASURED: Final = 5.0
"""Seconds of a recording after which its own growth is believed more than the forecast."""
RECOVERED: Final = 1.2
"""Times ``recorder.disk_warning`` that there must be room for before a warning is told anew."""
ROW: Final = 8 + 8
"""Bytes of time and frame index in each row."""


def bytes_per_second(
    shape: tuple[int, int], rate: float, settings: Settings, regions: int = 0, cells: int = 0
) -> float:
    """Return the bytes a second of frames (H, W) at `rate` Hz takes: movie, traces, shifts; not the rare.

    As if nothing were compressed: what a picture gives up is known only afterwards.
    """
    row = ROW + 4 * regions * (2 if settings.roi.dff else 1)
    row += 8 if settings.motion.enabled else 0
    row += TRACES_OF_A_CELL * cells if settings.cnmf.enabled else 0
    row += 2 * shape[0] * shape[1] if settings.recorder.movie else 0
    return row * max(rate, 0.0)


def minutes_left(free: int, reserve: float, rate: float) -> float:
    """Return for how long `free` bytes last at `rate` bytes a second, until only `reserve` MB are left."""
    return max(free - 1e6 * reserve, 0.0) / max(rate, 1.0) / 60


class DiskWatch:
    """Warns once when a recording will soon run out of disk, and again only after there was room again.

    `forecast` is the rate, bytes a second, that is believed while there is little to measure.
    """

    def __init__(self, forecast: float) -> None:
        self._forecast = forecast
        self._since = perf_counter()
        self._warned = False

    def look(self, free: int, rate: float, rules: Recorder) -> None:
        """Take in the free bytes, 0 when not known yet, and the rate at which the files grow."""
        if not free or not rules.disk_warning:
            return
        if perf_counter() - self._since < MEASURED:
            rate = self._forecast
        minutes = minutes_left(free, rules.disk_reserve, rate)
        if minutes < rules.disk_warning and not self._warned:
            self._warned = True
            log.warning(
                "the disk has room for %s more of this recording (%.0f MB at %.3g MB/s); it stops cleanly "
                "when recorder.disk_reserve = %g MB are left",
                f"{minutes:.0f} min" if minutes >= 2 else f"{60 * minutes:.0f} s",
                free / 1e6, rate / 1e6, rules.disk_reserve,
            )  # fmt: skip
        elif minutes > RECOVERED * rules.disk_warning:
            self._warned = False
