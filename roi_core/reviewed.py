"""A recording looked at as if it were a session that has ended.

Its regions, cells, traces, pictures and events stand where those of a session do, so that whatever shows a
session shows a recording. Nothing can be measured anew; what wants to is refused as in a session that
ended, and cells can be judged as there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core import layout
from roi_core.afterwards import Afterwards
from roi_core.board import Board
from roi_core.cellring import ROWS, WIDTH, CellRing
from roi_core.clock import LARGEST, SHORTEST
from roi_core.errors import RecordingError
from roi_core.export.resting import is_flat
from roi_core.frame import Activity, FinishReason, Status
from roi_core.gray import to_uint16_gray
from roi_core.ledger import Account, Cause
from roi_core.recording.light import main_rows
from roi_core.session import Session, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.frame import Components, Counter, Frame
    from roi_core.recording import RecordedCells, Recording
    from roi_core.rois import RoiSet
    from roi_core.settings import LiveSettings
    from roi_core.snapshot import Snapshot

__all__ = ["Reviewed"]

BLOCK: Final = 1024
"""Rows of cell traces read at once."""
MOST: Final = 256 * 2**20
"""Bytes that the traces of cells may take: 48 minutes of 200 cells at 30 Hz."""
FIRST: Final = ("mean", "max", "correlation", "std")
"""Which of the recorded pictures is shown in place of frames, the first there is."""
SAME: Final = 8
"""Rows that may follow one of the same time: a camera may stamp a few frames alike, a damaged block all."""


class Reviewed(Session):
    """What is in a recording, in the place of a session; everything is read at once, also of a torn file.

    Raises
    ------
    RecordingError
        It is damaged; nothing can be shown along times that are none.
    """

    def __init__(self, recording: Recording, settings: LiveSettings) -> None:
        time, rois = _times(recording), recording.rois
        rate = _rate(time)
        super().__init__(_Nothing(recording.path, recording.shape, rate), settings, rois)
        self._news.deafen()
        self.path = recording.path
        self.state = State.FINISHED
        self._maps_kept, self._flat = recording.maps, is_flat(recording)
        self._board = Board(2, recording.shape, len(time) + 2, rois.ids)  # a ring tells one row less
        self._seen, self._elapsed = len(time), float(time[-1]) if len(time) else 0.0
        lost = recording.attributes.get("frames_dropped")
        told = {Cause.COUNT: lost} if lost is not None else None
        self._account = recording.account or Account(self._seen, told, measured=self._seen)
        self._fill(recording, time, rois)

    def start(self) -> None:
        """Do nothing: it has ended."""

    def snapshot(self) -> Snapshot:
        """Return what there is, always the same."""
        return replace(
            super().snapshot(),
            state=State.FINISHED,
            reason=FinishReason.COMPLETED,
            frames_seen=self._seen,
            account=self._account,
            elapsed=self._elapsed,
        )

    def stop(self, reason: FinishReason = FinishReason.STOPPED, detail: str = "") -> None:
        """Do nothing: it has ended."""

    def pictures(self) -> dict[str, NDArray[np.float32]]:
        """Return the summary pictures of the recording."""
        return self._maps_kept

    def flattened(self) -> bool:
        """Tell it of the recording."""
        return self._flat

    def _fill(self, recording: Recording, time: NDArray[np.float64], rois: RoiSet) -> None:
        board, index = self._board, recording.frame_index
        _picture(board.frames.claim(), self._maps_kept)
        board.frames.publish(int(index[-1]) if len(index) else 0, self._elapsed)
        places = {shape["id"]: k for k, shape in enumerate(recording.shapes)}
        which = [places[roi] for roi in rois.ids]
        columns, means, dff = board.traces.columns(rois.ids), recording.means[:, which], recording.dff
        dff = dff[:, which] if dff is not None else None
        for row in main_rows(recording).tolist():  # two channels on one line would zig-zag
            relative = None if dff is None else dff[row]
            board.traces.push(float(time[row]), int(index[row]), columns, means[row], relative)
        board.diary.add(sorted(recording.events, key=lambda event: event.time))
        cells = recording.cells
        if cells is not None and cells.count:
            self._fill_cells(cells, cells.components(recording.shape), time)
            last = self._elapsed, int(index[-1]) if len(index) else -1
            self.cells.afterwards = Afterwards(board, lambda: (self.path,), *last)

    def _fill_cells(self, cells: RecordedCells, components: Components, time: NDArray[np.float64]) -> None:
        """Publish the last rows of the cells: all, unless `MOST` bytes are too few for them."""
        board, living = self._board, np.isin(components.status, (Status.ACCEPTED, Status.REJECTED))
        ids = tuple(components.ids[living].tolist())
        last = np.zeros((3, len(ids)), np.float32)
        most = max(ROWS, MOST // (12 * WIDTH * -(-max(len(ids), 1) // WIDTH)))
        board.cells = CellRing(len(time) + 1, most)
        for first in range(max(len(time) - most, 0), len(time), BLOCK):
            kinds = (layout.RAW, layout.CALCIUM, layout.SPIKES)
            block = np.stack([cells.traces(kind, first, first + BLOCK)[:, living] for kind in kinds], axis=1)
            for row, values in enumerate(block, first):
                board.cells.push(float(time[row]), ids, *values)
                last = values
        nothing = np.full(len(ids), np.nan, np.float32)
        board.activity = Activity(ids, last[0], last[1], last[2], 0, nothing, nothing, components)


class _Nothing:
    """A source that has given all its frames."""

    live = False
    counter: Counter = "file"

    def __init__(self, path: Path, shape: tuple[int, int], rate: float) -> None:
        self.name, self.shape, self.rate = path.name, shape, rate

    def frames(self) -> Iterator[Frame]:
        """Yield nothing."""
        yield from ()

    def close(self) -> None:
        """There is nothing to let go of."""


def _times(recording: Recording) -> NDArray[np.float64]:
    """Return the times of all rows, s, if they can be those of frames."""
    time = recording.time
    amiss = _amiss(time)
    if amiss:
        what = "times are seconds that rise from frame to frame; use an earlier copy of the file"
        raise RecordingError(f"{recording.path} is damaged: {amiss}; {what}")
    return time


def _amiss(time: NDArray[np.float64]) -> str:
    """Return why these cannot be the times of frames; '' when they can."""
    far = np.flatnonzero(~(np.abs(time) <= LARGEST))  # also what is no number
    if len(far):
        return f"row {far[0]} has a time of {time[far[0]]:g} s"
    back = np.flatnonzero(np.diff(time) < 0)
    if len(back):
        before, after = time[back[0] : back[0] + 2]
        return f"after row {back[0]} its times go from {before:g} s back to {after:g} s"
    still = np.flatnonzero(time[SAME:] == time[:-SAME])
    return f"more than {SAME} rows from row {still[0]} on have one time" if len(still) else ""


def _rate(time: NDArray[np.float64]) -> float:
    """Return how many rows there are in a second; 1 where their times cannot tell."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    return 1 / step if step >= SHORTEST else 1.0


def _picture(out: NDArray[np.uint16], maps: dict[str, NDArray[np.float32]]) -> None:
    """Fill a frame with a summary picture: as it is when its values fit, else stretched to all of 16 bits."""
    found = next((maps[name] for name in FIRST if name in maps), None)
    if found is None:
        out[:] = 0
        return
    known = np.nan_to_num(found, nan=float(np.nanmin(found)) if np.isfinite(found).any() else 0.0)
    low, high = float(known.min()), float(known.max())
    if low < 0 or high > 65535 or high - low < 50:
        to_uint16_gray(known, out=out, input_range=(low, max(high, low + 1e-6)))
    else:
        out[:] = np.round(known)
