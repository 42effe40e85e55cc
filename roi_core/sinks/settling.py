"""The last rows of a file: frames that follow refine their cells, or tell that the light had slipped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from roi_core.frame import Settled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.frame import Event, Sample

__all__ = ["Settling"]


class Settling:
    """Gathers what later samples tell of the rows up to `last`, the last of a file.

    ``told`` of its cells so far; ``slips`` are the events of a light that had slipped in its rows already.
    """

    def __init__(self, last: Sample) -> None:
        self.told: tuple[Settled, ...] = ()
        self.slips: tuple[Event, ...] = ()
        self._row, self._index = last.row, last.index
        self._lag = last.activity.lag if last.activity else 0
        self._light = last.settings.channels.memory if last.settings else 0

    @property
    def waits(self) -> bool:
        """True when there is something to learn from samples to come."""
        return self._lag > 0 or self._light > 0

    def hear(self, sample: Sample) -> bool:
        """Learn from a later sample; return whether there is nothing left to learn."""
        self.hear_events(sample.events)
        self._light -= 1
        return self._hear_cells(sample) and self._light <= 0

    def hear_events(self, events: Iterable[Event]) -> None:
        """Learn from later events."""
        self.slips += tuple(
            event for event in events
            if event.kind == "channels" and event.data.get("since", math.inf) <= self._index
        )  # fmt: skip

    def _hear_cells(self, sample: Sample) -> bool:
        activity = sample.activity
        if activity is None:
            return True
        row = sample.row - activity.lag
        if row <= self._row:
            values = activity.settled_calcium[None], activity.settled_spikes[None]
            self.told += (Settled(row, activity.ids, *values),)
        return row >= self._row
