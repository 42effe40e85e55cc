"""The movie of a recording, frame by frame, as it was or moved to where the template is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.errors import RecordingError
from roi_core.motion.kernels import NOTHING, PAD, moved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["Frames"]

BATCH: Final = 16
"""Frames in memory at a time."""


class Frames:
    """The frames (H, W) uint16 of a recording's ``rows`` (n,): all of them, or some in rising order.

    Corrected frames are moved as motion correction moved them (`roi_core.motion.kernels`), rounded; what the
    camera did not see of the template's field is 0, and a frame without a shift stays where it is.

    Raises
    ------
    RecordingError
        There is no movie, or it is to be corrected and there are no shifts; or, on the way, it is damaged.
    """

    def __init__(
        self, recording: Recording, task: Task, corrected: bool = False, rows: NDArray[np.intp] | None = None
    ) -> None:
        movie, shifts = recording.movie, recording.shifts
        if movie is None:
            raise RecordingError(
                f"{recording.path} holds no movie; record one with recorder.movie=true, or export its "
                "traces: --to csv"
            )
        if corrected and shifts is None:
            raise RecordingError(
                f"{recording.path} was recorded without motion correction; export it as it is, without "
                "--corrected"
            )
        self.rows = np.arange(recording.rows) if rows is None else rows
        self.shape = recording.shape
        self._path, self._movie, self._task = recording.path, movie, task
        self._growing = recording.being_written
        self._mover = Mover(recording.shape) if corrected else None
        self._shifts = np.nan_to_num(np.zeros((recording.rows, 2)) if shifts is None else shifts)

    def __len__(self) -> int:
        return len(self.rows)

    def all(self, step: int = 1) -> Iterator[tuple[int, NDArray[np.uint16]]]:
        """Yield every `step`-th row and its frame, telling the task how far it is."""
        for block in self._task.blocks(len(self), BATCH * step):
            rows = self.rows[block.start : block.stop : step]
            yield from zip(rows.tolist(), self._read(rows), strict=True)

    def some(self, count: int) -> NDArray[np.uint16]:
        """Return about `count` frames from all over, as they were."""
        places = np.unique(np.linspace(0, len(self) - 1, count).astype(int))
        return self._raw(self.rows[places])

    def _read(self, rows: NDArray[np.intp]) -> list[NDArray[np.uint16]]:
        frames, mover = self._raw(rows), self._mover
        if mover is None:
            return list(frames)
        return [mover.move(frame, *shift) for frame, shift in zip(frames, self._shifts[rows], strict=True)]

    def _raw(self, rows: NDArray[np.intp]) -> NDArray[np.uint16]:
        try:
            return np.asarray(self._movie[rows])
        except (OSError, RuntimeError, KeyError) as error:
            why = "is still being written" if self._growing else "is damaged"
            raise RecordingError(f"{self._path} {why}: its movie ends near row {rows[0]}") from error


class Mover:
    """Moves pictures of one shape (H, W)."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._nothing = np.zeros(shape, np.float32)
        self._line = np.zeros(shape[1] + 2 * PAD, np.float32)
        self._out = np.zeros(shape, np.float32)

    def move(self, frame: NDArray[np.uint16], dy: float, dx: float) -> NDArray[np.uint16]:
        """Return the frame moved by (dy, dx) px."""
        image, width = frame.astype(np.float32), frame.shape[1]
        where = (-float(dy), -float(dx))
        moved(image, where, self._nothing, (1.0, 0.0), NOTHING, self._line, self._out.ravel(), width)
        return np.clip(np.rint(self._out), 0, 65535).astype(np.uint16)
