"""Traces for programs that cannot read NaN: what stands where nothing was measured.

From the first to the last row of which a cell's trace is known no row is empty. Where its raw trace is
missing and its calcium is known, as in a frame that was left out as late, the raw trace is the calcium:
what noise there was nobody knows. Where both are missing, as when cells were off for a while, or a cell was
found later and its past holds frames that were left out, each is a straight line in time. Before and after
that, and for spikes wherever they are missing, it is 0.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.export.units import Cells
    from roi_core.recording import Recording

__all__ = ["Gaps", "life"]

log = logging.getLogger(__name__)


class Gaps:
    """Fills the gaps in the traces of a recording's cells, and tells in how many rows there were some."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._time = recording.time
        self._filled = np.zeros(recording.rows, bool)

    def traces(self, cells: Cells, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (n, N) raw traces, calcium in their gaps, and calcium; NaN where neither is known."""
        raw, calcium = cells.traces(layout.RAW, rows), cells.traces(layout.CALCIUM, rows)
        missing = np.isnan(raw) & np.isfinite(calcium)
        self._filled[rows] |= missing.any(axis=1)
        return np.where(missing, calcium, raw), calcium

    def bridged(self, trace: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the whole trace (rows,) of a cell with lines across its gaps, and 0 outside its life."""
        known = np.isfinite(trace)
        out = np.where(known, trace, 0)
        alive = life(trace)
        gaps = alive.start + np.flatnonzero(~known[alive])
        if len(gaps):
            out[gaps] = np.interp(self._time[gaps], self._time[known], trace[known])
            self._filled[gaps] = True
        return out

    def tell(self, program: str) -> None:
        """Say in how many rows something was filled, if it was."""
        if count := int(self._filled.sum()):
            log.warning(
                "%d of %d rows of %s hold no trace of some cell that was there before and after (left out "
                "as late, or with cells off); %s cannot read NaN and has its calcium there, "
                "or a straight line; csv, matlab and nwb have NaN",
                count, len(self._filled), self._recording.path, program,
            )  # fmt: skip


def life(trace: NDArray[np.float32]) -> slice:
    """Return the rows from the first that is known to the last; none at the end where not one is."""
    known = np.flatnonzero(np.isfinite(trace))
    return slice(known[0], known[-1] + 1) if len(known) else slice(len(trace), len(trace))
