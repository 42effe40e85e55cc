"""The table of events in a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    import h5py

    from roi_core.frame import Event

__all__ = ["Events"]


class Events:
    """Those that are in the file, and those that wait."""

    def __init__(self, file: h5py.File) -> None:
        self._dataset = file.create_dataset(
            layout.EVENTS, (0,), layout.EVENT_DTYPE, maxshape=(None,), chunks=(64,)
        )
        self._rows = 0
        self._waiting: list[Event] = []

    @property
    def waiting(self) -> int:
        """Events that are not in the file yet."""
        return len(self._waiting)

    def follow(self, event: Event) -> None:
        """Take the next event."""
        self._waiting.append(event)

    def append(self) -> None:
        """Put the events that wait behind those in the file."""
        rows = [(each.time, each.frame, each.kind.encode()[:16], each.json()) for each in self._waiting]
        self._dataset.resize(self._rows + len(rows), axis=0)
        self._dataset[self._rows :] = np.array(rows, layout.EVENT_DTYPE)

    def clear(self) -> None:
        """Forget what waits: it is in the file."""
        self._rows += len(self._waiting)
        self._waiting.clear()
