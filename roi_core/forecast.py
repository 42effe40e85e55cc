"""How fast a recording will grow, before there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from roi_core.settings import Settings

__all__ = ["bytes_per_second"]

TRACES_OF_A_CELL: Final = 16
"""Bytes a cell takes in each row: raw, calcium, spikes, and spikes as they were at first."""
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
