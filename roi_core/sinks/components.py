"""The ``/motion``, ``/cnmf`` and ``/maps`` groups: shifts, cells found while recording, summary pictures.

Groups appear when they are enabled or there is something to put in, so a recording without motion correction
and cell finding knows nothing of them. Rows of a session become rows of this file here: a recording may
begin in its middle. What cell finding answers wrongly costs the cells, never the recording.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVarTuple

import numpy as np

from roi_core import layout
from roi_core.sinks.columns import Columns
from roi_core.sinks.footprints import Footprints
from roi_core.sinks.shifts import Shifts
from roi_core.sinks.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Callable

    import h5py

    from roi_core.frame import Activity, Header, Sample, Settled, Summary
    from roi_core.frame import Components as Found

__all__ = ["Components"]

log = logging.getLogger(__name__)

Given = TypeVarTuple("Given")

PERIOD: Final = 1.0
"""Seconds between two writings of the footprints, at least: 1 ms for 300 cells of 300 px."""
MALFORMED: Final = (ValueError, IndexError, KeyError, TypeError, AttributeError)
"""What a wrong answer of cell finding leads to; what the file itself refuses is another matter."""


class Components:
    """Keeps what motion correction and cell finding say of each sample."""

    def __init__(self, file: h5py.File, header: Header, rows: int) -> None:
        self._file = file
        self._pixels = header.shape[0] * header.shape[1]
        self._chunk = rows
        self._rows = self._offset = 0
        self._shifts = Shifts(rows)
        self._cells: Cells | None = None
        self._broken = False
        if header.settings.motion.enabled:
            self._create(layout.MOTION, self._shifts.create)
        if header.settings.cnmf.enabled:
            self._create_cells(0)

    @property
    def room(self) -> float:
        """MB that the next append may take, so that the disk is found full before HDF5 finds it."""
        return 0.0 if self._cells is None else self._cells.room(self._chunk)

    def follow(self, sample: Sample, row: int) -> None:
        """Take the shift and the cells of one sample, which is row `row` of this file."""
        self._shifts.follow(sample.shift)
        self._rows, self._offset = row + 1, sample.row - row
        activity = sample.activity
        if activity is not None and self._cells is None:
            self._create_cells(row)
        if self._cells is not None:
            self._guarded(self._cells.follow, activity, row, self._offset)

    def settle(self, summary: Summary) -> None:
        """Take the refined values of the last rows."""
        if self._cells is not None:
            self._guarded(self._cells.settle, summary.settled, self._rows, self._offset)

    def append(self, rows: int) -> None:
        """Bring the file to `rows` rows."""
        if self._shifts.needed:
            self._create(layout.MOTION, self._shifts.create)
        self._shifts.append(rows)
        if self._cells is not None:
            with self._cells.traces.for_now(rows, len(self._cells.columns)):
                self._guarded(self._cells.foresee, rows, self._offset)
                self._cells.append(rows)

    def clear(self) -> None:
        """Forget what waits: it is in the file."""
        self._shifts.clear()
        if self._cells is not None:
            self._cells.traces.clear(self._rows)

    def refresh(self, now: bool = False) -> None:
        """Write the footprints when they changed, but not too often."""
        if self._cells is not None:
            self._guarded(self._cells.refresh, now)

    def finish(self, summary: Summary, free: int) -> None:
        """Write the last footprints and the maps; `free` bytes on the disk tell whether they fit."""
        needed = sum(picture.nbytes for picture in summary.maps.values())
        needed += 0 if self._cells is None else 3 * self._cells.footprints.nbytes
        if needed > free - 2**20:
            log.warning("no room for the last footprints and maps: %.0f MB are needed", needed / 1e6)
            return
        self.refresh(now=True)
        for name, picture in summary.maps.items():
            self._file.create_dataset(f"{layout.MAPS}/{name}", data=picture, dtype="f4")

    def _guarded(self, work: Callable[[*Given], None], *given: *Given) -> None:
        """Let the cells do `work`, unless they gave a wrong answer once."""
        if self._broken:
            return
        try:
            work(*given)
        except MALFORMED as error:
            self._broken = True
            log.warning("cells are no longer recorded, everything else is: %s", error)
            log.debug("cells", exc_info=error)

    def _create_cells(self, row: int) -> None:
        def fill(group: h5py.Group) -> None:
            self._cells = Cells(self._file, group, self._pixels, row, self._chunk)

        self._create(layout.CNMF, fill)

    def _create(self, path: str, fill: Callable[[h5py.Group], None]) -> None:
        """Make a group, and only when it is whole on the disk give it its name."""
        group = self._file.create_group(None)
        fill(group)
        self._file.flush()
        self._file[path] = group
        self._file.flush()


class Cells:
    """The ``/cnmf`` group of one file."""

    def __init__(self, file: h5py.File, group: h5py.Group, pixels: int, row: int, chunk: int) -> None:
        self.columns = Columns(group)
        self.footprints = Footprints(file, group, pixels)
        self.traces = Traces(group, row, chunk)
        self._since: int | None = None
        self._ids: tuple[int, ...] = ()
        self._places = np.zeros(0, np.intp)
        self._found: Found | None = None
        self._tail: Settled | None = None
        self._written = (monotonic(), -1)

    def room(self, rows: int) -> float:
        """MB that an append of up to `rows` rows, and the footprints, may take."""
        return 1e-6 * (16 * (rows + 60) * (len(self.columns) + 64) + 2 * self.footprints.nbytes)

    def follow(self, activity: Activity | None, row: int, offset: int) -> None:
        """Take one row; rows of the session are `offset` more than those of the file."""
        self._tail = None if activity is None else activity.tail
        if activity is None:
            self._since = None
            return
        self._since = row if self._since is None else self._since
        if activity.ids is not self._ids:
            self._ids = activity.ids
            self._places = self.columns.added(activity.ids, row)
        self.traces.put(row, self._places, activity)
        if activity.components is not self._found:
            self._judge(activity.components, row, offset)
        for past in activity.backfill:
            (place,) = self.columns.added([past.id], row).tolist()
            self.traces.fill(place, past.row - offset, past, self._since)
        then = row - activity.lag
        if then >= self._since:
            self.traces.settle(then, self._places, activity.settled_calcium, activity.settled_spikes)

    def settle(self, settled: tuple[Settled, ...], rows: int, offset: int) -> None:
        """Take the refined values of the last of `rows` rows."""
        self._tail = None
        for part in settled:
            self._settle_part(part, rows, offset)

    def foresee(self, rows: int, offset: int) -> None:
        """Take what the last rows will be if no frame follows."""
        if self._tail is not None:
            self._settle_part(self._tail, rows, offset)

    def _settle_part(self, settled: Settled, rows: int, offset: int) -> None:
        if self._since is None:
            return
        places = self.columns.known(settled.ids)
        has = places >= 0
        for n, (calcium, spikes) in enumerate(zip(settled.calcium, settled.spikes, strict=True)):
            row = settled.row + n - offset
            if self._since <= row < rows:
                self.traces.settle(row, places[has], calcium[has], spikes[has])

    def _judge(self, found: Found, row: int, offset: int) -> None:
        """Take over what became of each component; one that died keeps the footprint of just before.

        In the row in which it is told, not when the file is written: so the file depends on the frames only.
        """
        before, self._found = self._found, found
        if self.columns.judge(found, row, offset) and before is not None:
            self.footprints.keep(before, self.columns.known(before.ids), len(self.columns))

    def append(self, rows: int) -> None:
        """Bring the file to `rows` rows and all columns."""
        self.columns.append()
        self.traces.append(rows, len(self.columns))

    def refresh(self, now: bool) -> None:
        """Write the footprints if they changed and it is time."""
        time, version = self._written
        found = self._found
        if found is None or found.version == version or not (now or monotonic() - time >= PERIOD):
            return
        self.footprints.write(found, self.columns.known(found.ids), len(self.columns))
        self._written = (monotonic(), found.version)
