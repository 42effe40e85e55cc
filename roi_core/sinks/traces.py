"""Traces of cells on their way into the file: rows that still change wait here, older ones are at rest."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py
    from numpy.typing import NDArray

    from roi_core.frame import Activity, Backfill

__all__ = ["Traces"]

KINDS: Final = (layout.RAW, layout.SPIKES_CAUSAL, layout.CALCIUM, layout.SPIKES)
CAUSAL: Final = 1
"""Place of the spikes that nothing refines and nothing back-fills."""
CHUNK: Final = (60, 64)
"""Rows and columns of a chunk: an append of a quarter of a second rewrites 15 kB per 64 cells and kind."""


class Traces:
    """Four (rows, N) datasets. Rows from ``base`` on are in memory: those not in the file, and `lag` before.

    A column is filled from its birth on; NaN is where it did not exist.
    """

    def __init__(self, group: h5py.Group, row: int, rows: int) -> None:
        self._base = row
        self._lag = -1
        self._values = np.full((len(KINDS), 1, 1), np.nan, np.float32)
        self._late: list[tuple[int, int, NDArray[np.float32]]] = []
        how = {"maxshape": (None, None), "chunks": (min(rows, CHUNK[0]), CHUNK[1]), "fillvalue": np.nan}
        self._datasets = [group.create_dataset(path.split("/")[-1], (0, 0), "f4", **how) for path in KINDS]
        self._follow_lag(0)

    def put(self, row: int, places: NDArray[np.intp], activity: Activity) -> None:
        """Take the causal values of one row."""
        self._follow_lag(activity.lag)
        self._make_room(row, int(places.max(initial=-1)))
        here = self._values[:, row - self._base]
        here[0, places] = activity.raw
        here[CAUSAL, places] = activity.spikes
        here[2, places] = activity.calcium
        here[3, places] = activity.spikes

    def settle(
        self,
        row: int,
        places: NDArray[np.intp],
        calcium: NDArray[np.float32],
        spikes: NDArray[np.float32],
    ) -> None:
        """Replace the causal values of an earlier row by refined ones; NaN leaves what is there."""
        if row < self._base:
            return
        for kind, values in ((2, calcium), (3, spikes)):
            known = np.isfinite(values)
            self._values[kind, row - self._base, places[known]] = values[known]

    def fill(self, place: int, row: int, past: Backfill, since: int) -> None:
        """Put the past of a column at `row` and later, but not before row `since`."""
        cut = max(since - row, 0)
        columns = np.full((len(KINDS), len(past.raw)), np.nan, np.float32)
        columns[0], columns[2], columns[3] = past.raw, past.calcium, past.spikes
        columns, row = columns[:, cut:], row + cut
        self._make_room(row + columns.shape[1] - 1, place)
        late = min(max(self._base - row, 0), columns.shape[1])
        if late:
            self._late.append((place, row, columns[:, :late]))
        at = slice(row + late - self._base, row + columns.shape[1] - self._base)
        for kind, values in enumerate(columns[:, late:]):
            if kind != CAUSAL:
                self._values[kind, at, place] = values

    def append(self, rows: int, columns: int) -> None:
        """Bring the file to (rows, columns), with everything that waits in its place."""
        self._make_room(rows - 1, columns - 1)
        count = rows - self._base
        for kind, dataset in enumerate(self._datasets):
            dataset.resize((rows, columns))
            dataset[self._base :] = self._values[kind, :count, :columns]
            if kind != CAUSAL:
                for place, row, values in self._late:
                    dataset[row : row + values.shape[1], place] = values[kind]

    @contextmanager
    def for_now(self, rows: int, columns: int) -> Iterator[None]:
        """Forget afterwards what is settled inside: the frames to come will revise it."""
        self._make_room(rows - 1, columns - 1)
        known = self._values.copy()
        try:
            yield
        finally:
            self._values = known

    def clear(self, rows: int) -> None:
        """Forget what is in the file and cannot change any more."""
        drop = max(rows - self._lag - self._base, 0)
        kept = rows - self._base - drop
        self._values[:, :kept] = self._values[:, drop : drop + kept].copy()
        self._values[:, kept:] = np.nan
        self._base += drop
        self._late.clear()

    def _follow_lag(self, lag: int) -> None:
        if lag > self._lag:
            self._lag = lag
            for dataset in self._datasets[2:]:
                dataset.attrs["lag"] = np.int32(lag)

    def _make_room(self, row: int, column: int) -> None:
        """Double the rows or columns that wait until they hold `row` and `column`."""
        _, rows, columns = self._values.shape
        while rows <= row - self._base:
            rows *= 2
        while columns <= column:
            columns *= 2
        if (rows, columns) != self._values.shape[1:]:
            wider = np.full((len(KINDS), rows, columns), np.nan, np.float32)
            wider[:, : self._values.shape[1], : self._values.shape[2]] = self._values
            self._values = wider
