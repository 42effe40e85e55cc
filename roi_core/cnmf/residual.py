"""What neither the glow nor the cells explained of the last frames; new cells are looked for in it.

Each frame is measured above the running mean of its time, which moves fast at the start: a cell that was
bright then lies in the mean itself. `steadied` tells a course as seen from the mean of today.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf.shared import zeros as own_zeros
from roi_core.jit import lean, lean_sums

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.shared import Zeros
    from roi_core.cnmf.state import Field

__all__ = ["Ring", "steadied"]


class Ring:
    """The residuals (rows, columns, with a margin of zeros) of the last frames, in memory of ``zeros``."""

    def __init__(self, frames: int, field: Field, zeros: Zeros = own_zeros) -> None:
        rows, columns = (size + 2 * field.margin for size in field.binned)
        self.slots: NDArray[np.float32] = zeros((frames, rows, columns), np.float32)
        self.margin = field.margin
        self._paces: NDArray[np.float32] = zeros(frames, np.float32)
        self._counts: NDArray[np.int64] = zeros(2, np.int64)
        self._rows = np.zeros(frames, np.int64)

    @property
    def head(self) -> int:
        """Frames published so far."""
        return int(self._counts[0])

    @property
    def since(self) -> int:
        """Frame since which all are measured above one running mean."""
        return int(self._counts[1])

    def begin(self) -> None:
        """From the next frame on all are measured above a new mean."""
        self._counts[1] = self._counts[0]

    def __len__(self) -> int:
        return len(self.slots)

    def rows(self, frames: int) -> NDArray[np.int64]:
        """Return of which rows of the session the last frames are."""
        rows: NDArray[np.int64] = self._rows[np.arange(self.head - frames, self.head) % len(self)]
        return rows

    def oldest(self, spare: int) -> int:
        """Return the oldest frame that will be there for twice ``spare`` more, above the mean of today.

        The very first is the mean itself.
        """
        return max(1, self.since, self.head - len(self) + 2 * spare)

    def holds(self, frame: int) -> bool:
        """Return whether a frame is still there, and not just being overwritten by the one in hand."""
        return frame > self.head - len(self)

    def paces(self, first: int, last: int) -> NDArray[np.float32]:
        """Return by which share of each of these frames the running mean went on after it."""
        paces: NDArray[np.float32] = self._paces[np.arange(first, last) % len(self)]
        return paces

    def publish(self, row: int, pace: float = 0.0) -> None:
        """Count the claimed slot as the newest frame, that of a row; the mean moved by ``pace`` of it."""
        self._rows[self.head % len(self)] = row
        self._paces[self.head % len(self)] = pace
        self._counts[0] += 1

    def claim(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the slot of the frame in hand, and that of the frame before."""
        return self.slots[self.head % len(self)], self.slots[(self.head - 1) % len(self)]

    def sum(self, first: int, last: int) -> NDArray[np.float32]:
        """Return the sum of the residuals of these frames, without the margin."""
        m = self.margin
        total = np.zeros_like(self.slots[0, m:-m, m:-m])
        for frame in range(first, last):
            total += self.slots[frame % len(self), m:-m, m:-m]
        return total

    def steady_sums(self, first: int, last: int, step: int) -> NDArray[np.float32]:
        """Return the sums of every ``step`` of these frames, `steadied`, without the margin."""
        m = self.margin
        paces = self.paces(first, last)
        gained = np.zeros_like(self.slots[0, m:-m, m:-m])
        out = np.zeros(((last - first) // step, *gained.shape), np.float32)
        for frame in range(last - 1, first - 1, -1):
            now = self.slots[frame % len(self), m:-m, m:-m]
            gained += paces[frame - first] * now
            out[(frame - first) // step] += now - gained
        return out

    def rms(self, first: int, last: int) -> NDArray[np.float32]:
        """Return the root mean square of the residuals of these frames, without the margin."""
        m = self.margin
        total = np.zeros_like(self.slots[0, m:-m, m:-m])
        for frame in range(first, last):
            total += np.square(self.slots[frame % len(self), m:-m, m:-m])
        return np.asarray(np.sqrt(total / np.float32(last - first)), np.float32)

    def cut(self, first: int, last: int, y: int, x: int, side: int) -> NDArray[np.float32]:
        """Return a copy (frames, side, side) of a patch; its corner (y, x) counts from the margin's."""
        order = np.arange(first, last) % len(self)
        return np.ascontiguousarray(self.slots[order, y : y + side, x : x + side])

    def projected(self, first: int, y: int, x: int, shape: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the product of a shape at corner (y, x) with each frame from the first on."""
        out = np.zeros(self.head - first, np.float32)
        _project(self.slots, first, y, x, shape, out)
        return out

    def take_out(self, trace: NDArray[np.float32], y: int, x: int, shape: NDArray[np.float32]) -> None:
        """Take a shape at corner (y, x) times its trace out of the last frames."""
        _take_out(self.slots, self.head - len(trace), y, x, shape, trace)


def steadied(course: NDArray[np.float32], paces: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a course (frames, ...) above the mean after its last frame, not that of each frame's time.

    What the mean gained of frame s, ``paces[s]`` times the frame, lies in all frames up to s::

        steady[t] = course[t] - sum over s >= t of paces[s] * course[s]
    """
    steady = course.copy()
    flat = steady.reshape(len(course), math.prod(course.shape[1:]))
    _steady(flat, paces, np.zeros(flat.shape[1], np.float32))
    return steady


@lean
def _steady(course: Any, paces: Any, gained: Any) -> None:
    for t in range(course.shape[0] - 1, -1, -1):
        now, pace = course[t], paces[t]
        for x in range(now.size):
            gained[x] += pace * now[x]
            now[x] -= gained[x]


@lean_sums
def _project(slots: Any, first: Any, y: Any, x: Any, shape: Any, out: Any) -> None:
    side = shape.shape[0]
    for t in range(out.size):
        frame, total = slots[(first + t) % slots.shape[0]], np.float32(0)
        for v in range(side):
            a, b = frame[y + v, x : x + side], shape[v]
            for u in range(side):
                total += a[u] * b[u]
        out[t] = total


@lean
def _take_out(slots: Any, first: Any, y: Any, x: Any, shape: Any, trace: Any) -> None:
    side = shape.shape[0]
    for t in range(trace.size):
        frame = slots[(first + t) % slots.shape[0]]
        for v in range(side):
            a, b = frame[y + v, x : x + side], shape[v]
            for u in range(side):
                a[u] -= trace[t] * b[u]
