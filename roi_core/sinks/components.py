"""The ``/motion``, ``/cnmf`` and ``/maps`` groups: shifts, cells found while recording, summary pictures.

Groups appear when there is something to put in, so a recording without motion correction or cell finding
knows nothing of them. Rows of a session become rows of this file here: a recording may begin in its middle.
"""

from __future__ import annotations

import json
import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

from roi_core import layout
from roi_core.frame import Status
from roi_core.sinks.footprints import Footprints
from roi_core.sinks.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_core.frame import Activity, Header, Sample, Settled, Summary
    from roi_core.frame import Components as Found

__all__ = ["Components"]

log = logging.getLogger(__name__)

PERIOD: Final = 10.0
"""Seconds between two writings of the footprints, at least."""
FACTS: Final = {
    "born": layout.BORN,
    "status": layout.STATUS,
    "snr": layout.SNR,
    "r": layout.CORRELATION,
    "size": layout.SIZE,
}
TABLE: Final = np.dtype([("born", "i8"), ("status", "u1"), ("snr", "f4"), ("r", "f4"), ("size", "f4")])
MALFORMED: Final = (ValueError, IndexError, KeyError, TypeError, AttributeError)
"""What a wrong answer of cell finding leads to; what the file itself refuses is another matter."""


class Components:
    """Keeps one column per component that was ever alive while this file was open, in order of appearance."""

    def __init__(self, file: h5py.File, header: Header, rows: int) -> None:
        self._file = file
        self._pixels = header.shape[0] * header.shape[1]
        self._chunk = rows
        self._rows = 0
        self._offset = 0
        self._since: int | None = None
        self._broken = False
        self._shifts: list[tuple[float, float]] = []
        self._traces: Traces | None = None
        self._columns: dict[int, int] = {}
        self._facts = np.zeros(16, TABLE)
        self._reasons: list[str] = []
        self._stale: set[int] = set()
        self._ids: tuple[int, ...] = ()
        self._places = np.zeros(0, np.intp)
        self._found: Found | None = None
        self._judged: Found | None = None
        self._written = (monotonic(), -1)
        if header.settings.motion.enabled:
            self._create_shifts()
        if header.settings.cnmf.enabled:
            self._traces = self._create(0)

    @property
    def room(self) -> float:
        """MB that the next append may take, so that the disk is found full before HDF5 finds it."""
        if self._traces is None:
            return 0.0
        return 1e-6 * (16 * (self._chunk + 60) * (len(self._columns) + 64) + 2 * self._footprints.nbytes)

    def follow(self, sample: Sample, row: int) -> None:
        """Take the shift and the cells of one sample, which is row `row` of this file."""
        self._shifts.append(sample.shift or (np.nan, np.nan))
        self._rows, self._offset = row + 1, sample.row - row
        if sample.activity is None or self._broken:
            self._since = None
            return
        try:
            self._follow_cells(sample.activity, row)
        except MALFORMED as error:
            self._broken = True
            log.warning("cells are no longer recorded, everything else is: %s", error, exc_info=True)

    def settle(self, summary: Summary) -> None:
        """Take the refined values of the last rows, and the last word on every component."""
        settled, traces = summary.settled, self._traces
        self._stale.update(range(len(self._reasons)))
        if settled is None or traces is None or self._since is None:
            return
        try:
            self._settle_rows(traces, settled, self._since)
        except MALFORMED as error:
            log.warning("the last rows of the cells stay as they were first seen: %s", error)

    def append(self, rows: int) -> None:
        """Bring the file to `rows` rows."""
        self._append_shifts(rows)
        if self._traces is None:
            return
        self._judge()
        count = len(self._columns)
        ids = self._file[layout.IDS]
        new = list(self._columns)[len(ids) :]
        ids.resize(count, axis=0)
        ids[count - len(new) :] = new
        for name, path in FACTS.items():
            self._file[path].resize(count, axis=0)
            self._file[path][:] = self._facts[name][:count]
        self._write_reasons()
        self._traces.append(rows, count)

    def clear(self) -> None:
        """Forget what waits: it is in the file."""
        self._shifts.clear()
        if self._traces is not None:
            self._traces.clear(self._rows)

    def refresh(self, now: bool = False) -> None:
        """Write the footprints when they changed, but not too often."""
        time, version = self._written
        found = self._found
        if self._traces is None or found is None or found.version == version:
            return
        if now or monotonic() - time >= PERIOD:
            self._footprints.write(found, self._known(found.ids), len(self._columns))
            self._written = (monotonic(), found.version)

    def finish(self, summary: Summary, free: int) -> None:
        """Write the last footprints and the maps; `free` bytes on the disk tell whether they fit."""
        footprints = 0 if self._traces is None else self._footprints.nbytes
        needed = sum(picture.nbytes for picture in summary.maps.values()) + 3 * footprints
        if needed > free - 2**20:
            log.warning("no room for the last footprints and maps: %.0f MB are needed", needed / 1e6)
            return
        self.refresh(now=True)
        for name, picture in summary.maps.items():
            self._file.create_dataset(f"{layout.MAPS}/{name}", data=picture, dtype="f4")

    def _follow_cells(self, activity: Activity, row: int) -> None:
        if self._traces is None:
            self._traces = self._create(row)
        if self._since is None:
            self._since = row
        if activity.ids is not self._ids:
            self._ids = activity.ids
            self._places = self._added(activity.ids, row)
        self._traces.put(row, self._places, activity)
        self._found = activity.components
        if activity.events:
            self._judge()
        for past in activity.backfill:
            place = int(self._added([past.id], row)[0])
            self._traces.fill(place, past.row - self._offset, past, self._since)
        if row - activity.lag >= self._since:
            self._traces.settle(
                row - activity.lag, self._places, activity.settled_calcium, activity.settled_spikes
            )

    def _settle_rows(self, traces: Traces, settled: Settled, since: int) -> None:
        places = self._known(settled.ids)
        for n, (calcium, spikes) in enumerate(zip(settled.calcium, settled.spikes, strict=True)):
            row = settled.row + n - self._offset
            if since <= row < self._rows:
                traces.settle(row, places[places >= 0], calcium[places >= 0], spikes[places >= 0])

    def _create(self, row: int) -> Traces:
        group = self._file.create_group(None)
        kinds = {layout.IDS: "i8", layout.REASON: h5py.string_dtype()}
        kinds |= {path: TABLE[name] for name, path in FACTS.items()}
        for path, dtype in kinds.items():
            group.create_dataset(path.split("/")[-1], (0,), dtype, maxshape=(None,), chunks=(256,))
        self._footprints = Footprints(self._file, group, self._pixels)
        traces = Traces(group, row, self._chunk)
        self._name(group, layout.CNMF)
        return traces

    def _known(self, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the column of each id, -1 for one that has none."""
        return np.array([self._columns.get(int(i), -1) for i in ids], np.intp)

    def _added(self, ids: Sequence[int], row: int) -> NDArray[np.intp]:
        """Return the column of each id, new ones behind the others."""
        for i in ids:
            if i not in self._columns:
                self._columns[i] = len(self._reasons)
                self._reasons.append("")
                if len(self._reasons) > len(self._facts):
                    self._facts = np.concatenate([self._facts, np.zeros_like(self._facts)])
                self._facts[len(self._reasons) - 1] = (row, Status.ACCEPTED, np.nan, np.nan, np.nan)
                self._stale.add(len(self._reasons) - 1)
        return self._known(ids)

    def _judge(self) -> None:
        """Take over what became of each component; the dead of before this recording get no column."""
        found = self._found
        if found is None or found is self._judged:
            return
        alive = (found.status == Status.ACCEPTED) | (found.status == Status.REJECTED)
        self._added(found.ids[alive].tolist(), self._rows - 1)
        places = self._known(found.ids)
        here = places[places >= 0]
        before = self._facts["status"][here]
        died = (before <= Status.REJECTED) & (found.status[places >= 0] > Status.REJECTED)
        if self._judged is not None and died.any():
            self._footprints.keep(self._judged, self._known(self._judged.ids), len(self._columns))
        self._facts["born"][here] = np.maximum(found.born[places >= 0] - self._offset, 0)
        for name in ("status", "snr", "r", "size"):
            self._facts[name][here] = getattr(found, name)[places >= 0]
        for k in np.flatnonzero(places >= 0):
            self._reasons[places[k]] = found.reason[k]
        # HDF5 never gives back the room of a text that is replaced: numbers in it alone are no reason to
        self._stale.update(here[before != self._facts["status"][here]].tolist())
        self._judged = found

    def _write_reasons(self) -> None:
        dataset = self._file[layout.REASON]
        dataset.resize(len(self._reasons), axis=0)
        for column in self._stale:
            dataset[column] = json.dumps(self._reasons[column])
        self._stale.clear()

    def _create_shifts(self) -> None:
        group = self._file.create_group(None)
        how = {"maxshape": (None, 2), "chunks": (self._chunk, 2), "fillvalue": np.nan}
        group.create_dataset("shifts", (0, 2), "f4", **how)
        self._name(group, layout.MOTION)

    def _name(self, group: h5py.Group, path: str) -> None:
        """Give a new group its name, when it is whole on the disk."""
        self._file.flush()
        self._file[path] = group
        self._file.flush()

    def _append_shifts(self, rows: int) -> None:
        known = layout.SHIFTS in self._file
        if not known and not np.isfinite(self._shifts).any():
            return
        if not known:
            self._create_shifts()
        dataset = self._file[layout.SHIFTS]
        dataset.resize(rows, axis=0)
        if self._shifts:
            dataset[rows - len(self._shifts) :] = self._shifts
