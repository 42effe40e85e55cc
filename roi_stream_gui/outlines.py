"""Outlines of cells: footprints cut at a share of their maximum and followed along the cut. Knows no toolkit.

A footprint is put into a small box, and the border between the pixels above the cut and those below is walked
clockwise, one pixel side at a time (crack following). Each step gives the point at which the footprint, taken
as linear between the two pixel centres, crosses the cut: the isoline of marching squares, already in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.frame import Components, Status
from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = tuple[NDArray[np.float64], NDArray[np.float64]]

__all__ = ["CUT", "Outlines", "hit", "outlines", "warm_up"]

CUT: Final = 0.2
"""Share of its maximum at which a footprint is cut."""
LEAST: Final = 12
"""Points of an outline that are always drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """The closed outlines of N components, in the template's frame, all in one pair of arrays.

    Outline k is ``x[first[k]:first[k + 1]]``, ``y[...]``: its points, the first once more, and NaN, which
    ends a line. One that is no more has none. ``boxes`` (N, 4) are y0, x0, y1, x1.
    """

    components: Components
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    first: NDArray[np.int64]
    boxes: NDArray[np.float32]

    def of(self, which: NDArray[np.bool_], step: int = 1) -> Points:
        """Return x and y of the outlines of some components, one after the other, of every `step`-th point.

        Of a small outline at least `LEAST` points are kept.
        """
        length = np.diff(self.first)
        steps = np.repeat(np.clip(length // LEAST, 1, step), length)
        place = np.arange(self.first[-1]) - np.repeat(self.first[:-1], length)
        ends = place >= np.repeat(length, length) - 2
        keep = np.repeat(which, length) & (ends | (place % steps == 0))
        return self.x[keep], self.y[keep]

    def at(self, x: float, y: float, shown: NDArray[np.bool_]) -> int | None:
        """Return the id of the shown component at a point of the template's frame; of two the brighter."""
        k = hit(self.components, self.boxes, shown, x, y)
        return None if k < 0 else int(self.components.ids[k])


def outlines(components: Components) -> Outlines:
    """Return the outlines of all components."""
    c = components
    number = np.diff(c.indptr)
    # four-connected pixels have at most 2 n + 2 sides to the outside; then the first again, and NaN
    room = int(np.where(number > 0, 2 * number + 4, 0).sum())
    x, y = np.empty(room), np.empty(room)
    first, boxes = np.zeros(len(c.ids) + 1, np.int64), np.zeros((len(c.ids), 4), np.float32)
    side = _sides(c.indices, c.indptr, c.shape[1], boxes)
    _follow(
        c.data,
        c.indices,
        c.indptr,
        c.shape[1],
        boxes,
        np.float32(CUT),
        np.zeros(side, np.float32),
        first,
        x,
        y,
    )
    return Outlines(c, x[: first[-1]], y[: first[-1]], first, boxes)


def hit(
    components: Components, boxes: NDArray[np.float32], shown: NDArray[np.bool_], x: float, y: float
) -> int:
    """Return the number of the shown component that is brightest at (x, y) px and above the cut; -1: none."""
    c = components
    column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    return int(_hit(c.data, c.indices, c.indptr, c.shape[1], boxes, shown, np.float32(CUT), row, column))


def warm_up() -> None:
    """Compile the kernels of this module."""
    one, none = np.ones(1, np.int64), np.zeros(1, np.float32)
    little = Components(
        0, (4, 4), one, one, np.array([Status.ACCEPTED], np.uint8), ("",), none, none, none, none,
        np.ones(2, np.float32), np.array([5, 6], np.int32), np.array([0, 2], np.int64),
    )  # fmt: skip
    outlines(little).at(1.0, 1.0, np.ones(1, np.bool_))


@kernel
def _sides(indices: Any, indptr: Any, width: int, boxes: Any) -> Any:
    """Find the box of each footprint; return (height, width) of the largest with a margin of one px."""
    high, wide = 3, 3
    for k in range(boxes.shape[0]):
        if indptr[k + 1] == indptr[k]:
            continue
        y0 = x0 = 1 << 30
        y1 = x1 = 0
        for i in range(indptr[k], indptr[k + 1]):
            y, x = _place(indices[i], width)
            y0, x0, y1, x1 = min(y0, y), min(x0, x), max(y1, y), max(x1, x)
        boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3] = y0, x0, y1, x1
        high, wide = max(high, y1 - y0 + 3), max(wide, x1 - x0 + 3)
    return high, wide


@kernel
def _place(index: Any, width: int) -> Any:
    """Return (y, x) of a pixel; unsigned division of 32 bits takes a quarter of Python's kind."""
    row = np.uint32(index) // np.uint32(width)
    return np.int64(row), np.int64(np.uint32(index) - row * np.uint32(width))


@kernel
def _follow(
    data: Any,
    indices: Any,
    indptr: Any,
    width: int,
    boxes: Any,
    cut: Any,
    box: Any,
    first: Any,
    x: Any,
    y: Any,
) -> None:
    """Write the outline of each footprint, one after the other; ``first`` says where they begin."""
    end = 0
    for k in range(boxes.shape[0]):
        y0, x0 = int(boxes[k, 0]) - 1, int(boxes[k, 1]) - 1
        peak, most = -1, np.float32(0)
        for i in range(indptr[k], indptr[k + 1]):
            row, column = _place(indices[i], width)
            box[row - y0, column - x0] = data[i]
            if data[i] > most:
                peak, most = i, data[i]
        if peak >= 0:
            start = end
            row, column = _place(indices[peak], width)
            end = _around(box, cut * most, row - y0, column - x0, x, y, start)
            x[end], y[end] = x[start], y[start]
            x[start : end + 1] += x0
            y[start : end + 1] += y0
            x[end + 1], y[end + 1] = np.nan, np.nan
            end += 2
            box[: int(boxes[k, 2]) - y0 + 1, : int(boxes[k, 3]) - x0 + 1] = 0
        first[k + 1] = end


@kernel
def _around(box: Any, level: Any, row: int, column: int, x: Any, y: Any, start: int) -> int:
    """Write the outer border of the part that holds (row, column); return the place after its last point.

    The border above the pixel may be that of a hole, which is walked the other way round: then the part goes
    on beyond the hole.
    """
    while True:
        while box[row - 1, column] >= level:
            row -= 1
        end = _walk(box, level, row, column, x, y, start)
        area = 0.0
        for i in range(start, end):
            j = i + 1 if i + 1 < end else start
            area += x[i] * y[j] - x[j] * y[i]
        if area >= 0:
            return end
        row -= 1
        while box[row, column] < level:
            row -= 1


@kernel
def _walk(box: Any, level: Any, row: int, column: int, x: Any, y: Any, start: int) -> int:
    """Walk clockwise from the upper side of a pixel until it comes again."""
    a, b, dy, dx = row, column, -1, 0
    end = start
    while True:
        inside, outside = box[a, b], box[a + dy, b + dx]
        part = (inside - level) / (inside - outside)
        y[end], x[end] = a + part * dy, b + part * dx
        end += 1
        fy, fx = dx, -dy  # forwards, with the outside on the left
        ahead = box[a + fy, b + fx] >= level
        if not ahead:
            dy, dx = fy, fx
        elif box[a + fy + dy, b + fx + dx] >= level:
            a, b, dy, dx = a + fy + dy, b + fx + dx, -fy, -fx
        else:
            a, b = a + fy, b + fx
        if a == row and b == column and dy == -1 and dx == 0:
            return end


@kernel
def _hit(
    data: Any, indices: Any, indptr: Any, width: int, boxes: Any, shown: Any, cut: Any, row: int, column: int
) -> int:
    best, found = cut, -1
    for k in range(boxes.shape[0]):
        inside = boxes[k, 0] <= row <= boxes[k, 2] and boxes[k, 1] <= column <= boxes[k, 3]
        if not inside or not shown[k] or indptr[k + 1] == indptr[k]:
            continue
        most = data[indptr[k] : indptr[k + 1]].max()
        for i in range(indptr[k], indptr[k + 1]):
            if indices[i] == row * width + column and data[i] >= best * most:
                best, found = data[i] / most, k
    return found
