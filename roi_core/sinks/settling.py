"""The last rows of a file, whose cells the frames that follow still refine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_core.frame import Settled

if TYPE_CHECKING:
    from roi_core.frame import Sample

__all__ = ["Settling"]


class Settling:
    """Gathers what later samples tell of the rows up to `row`, the last of a file; ``told`` so far."""

    def __init__(self, row: int) -> None:
        self.told: tuple[Settled, ...] = ()
        self._row = row

    def hear(self, sample: Sample) -> bool:
        """Learn from a later sample; return whether there is nothing left to learn."""
        activity = sample.activity
        if activity is None:
            return sample.main  # one of another light tells nothing of cells; those to come do
        row = sample.row - activity.lag
        if row <= self._row:
            values = activity.settled_calcium[None], activity.settled_spikes[None]
            self.told += (Settled(row, activity.ids, *values),)
        return row >= self._row
