"""All that cells did, kept row by row, and made into tables of rows and cells when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.frame import Activity, Backfill, Settled

__all__ = ["History", "Traces"]


class Traces(NamedTuple):
    """(rows, K) float32 each; NaN where nothing is known of a cell, before its birth."""

    raw: NDArray[np.float32]
    calcium: NDArray[np.float32]
    spikes: NDArray[np.float32]


class Row(NamedTuple):
    """What is kept of the activity in one frame; see `Activity`."""

    ids: tuple[int, ...]
    raw: NDArray[np.float32]
    calcium: NDArray[np.float32]
    spikes: NDArray[np.float32]
    lag: int
    past: tuple[Backfill, ...]


class History:
    """Grows by 12 bytes per component and frame."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._made: tuple[int, tuple[int, ...], Traces] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, activity: Activity) -> None:
        """Keep the activity of the next row."""
        a = activity
        self._rows.append(Row(a.ids, a.raw, a.settled_calcium, a.settled_spikes, a.lag, a.backfill))

    def traces(self, ids: tuple[int, ...], last: Settled | None) -> Traces:
        """Return what the cells `ids` did in all rows; ``last`` refines those that have not settled."""
        if self._made is None or self._made[:2] != (len(self), ids):
            self._made = len(self), ids, self._make(ids, last)
        return self._made[2]

    def _make(self, ids: tuple[int, ...], last: Settled | None) -> Traces:
        table = np.full((3, len(self), len(ids)), np.nan, np.float32)
        columns = {cell: k for k, cell in enumerate(ids)}
        known: tuple[int, ...] = ()
        to = of = np.zeros(0, np.intp)
        for number, row in enumerate(self._rows):
            if row.ids is not known:
                known, (to, of) = row.ids, _places(row.ids, columns)
            for past in row.past:
                if past.id in columns:
                    rows = slice(past.row, past.row + len(past.raw))
                    table[:, rows, columns[past.id]] = past.raw, past.calcium, past.spikes
            table[0, number, to] = row.raw[of]
            if number >= row.lag:
                _refine(table[1:, number - row.lag], to, row.calcium[of], row.spikes[of])
        if last is not None:
            to, of = _places(last.ids, columns)
            for number, (calcium, spikes) in enumerate(zip(last.calcium, last.spikes, strict=True)):
                _refine(table[1:, last.row + number], to, calcium[of], spikes[of])
        return Traces(*table)


def _places(ids: tuple[int, ...], columns: dict[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the columns of those that have one, and where these stand in `ids`."""
    pairs = [(columns[cell], k) for k, cell in enumerate(ids) if cell in columns]
    to, of = np.array(pairs, np.intp).reshape(-1, 2).T
    return to, of


def _refine(
    row: NDArray[np.float32], to: NDArray[np.intp], calcium: NDArray[np.float32], spikes: NDArray[np.float32]
) -> None:
    """Write values into the (2, K) calcium and spikes of a row; NaN leaves what is there."""
    known = np.isfinite(calcium)
    row[0, to[known]], row[1, to[known]] = calcium[known], spikes[known]
