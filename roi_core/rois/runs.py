"""Row runs: the pixels of a shape as rows of (y, x of the first pixel, x after the last one).

A run is one slice of an image row, so a mean over a region is a few vectorised sums instead of a gather.
Runs are computed from the outline, never from a mask of the frame: the cost grows with the height of the
shape only, which keeps a live drag below a millisecond. numpy only, so that the command line starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Runs = NDArray[np.int32]
    Points = NDArray[np.float64]

__all__ = ["convex_runs", "polygon_contains", "polygon_runs", "rows_between"]


def rows_between(low: float, high: float, height: int) -> NDArray[np.int64]:
    """Give the rows of the frame from `low` to `high` and one more on each side, for rounding."""
    return np.arange(max(0, int(np.ceil(low)) - 1), min(height - 1, int(np.floor(high)) + 1) + 1)


def convex_runs(
    rows: NDArray[np.int64],
    low: Points,
    high: Points,
    inside: Callable[[Any, Any], Any],
    width: int,
) -> Runs:
    """Give the runs of a shape with one interval [low, high] per row, clipped to the frame.

    `low` and `high` come from a square root and may be wrong in the last bit; `inside(x, y)` is the
    definition of the shape and has the last word on the pixels at both ends.
    """
    first = np.ceil(low).astype(np.int64)
    first += np.where(inside(first - 1, rows), -1, np.where(inside(first, rows), 0, 1))
    last = np.floor(high).astype(np.int64)
    last += np.where(inside(last + 1, rows), 1, np.where(inside(last, rows), 0, -1))
    return _clipped(rows, first, last, width)


def polygon_runs(points: Points, shape: tuple[int, int]) -> Runs:
    """Give the runs of the polygon with `points` (N, 2) x, y on a frame of `shape` (height, width).

    Even-odd rule, boundary included. Row y is crossed by the edges with lower end <= y < upper end; between
    the first and the second crossing, the third and the fourth, and so on, both ends included, the pixels are
    inside. Horizontal edges and vertices that lie on the row are added, because they are boundary too.
    """
    height, width = shape
    edges = _edges(points)
    y, x = _crossings(edges, height)
    flat, tips = edges[edges[:, 1] == edges[:, 3]], points
    rows = np.concatenate([y[::2], flat[:, 1], tips[:, 1]])
    low = np.concatenate([x[::2], np.minimum(flat[:, 0], flat[:, 2]), tips[:, 0]])
    high = np.concatenate([x[1::2], np.maximum(flat[:, 0], flat[:, 2]), tips[:, 0]])
    on_row = (rows == np.floor(rows)) & (rows >= 0) & (rows < height)
    first = np.ceil(low[on_row]).astype(np.int64)
    last = np.floor(high[on_row]).astype(np.int64)
    return _merged(_clipped(rows[on_row].astype(np.int64), first, last, width), width)


def polygon_contains(points: Points, x: float, y: float) -> bool:
    """Tell whether (x, y) is inside or on the boundary, by the rule and the arithmetic of `polygon_runs`."""
    edges = _edges(points)
    crossed = edges[(edges[:, 1] <= y) & (y < edges[:, 3])]
    at = _crossing(crossed, np.float64(y))
    if np.count_nonzero(at < x) % 2 or np.any(at == x) or np.any((points[:, 0] == x) & (points[:, 1] == y)):
        return True
    flat = edges[(edges[:, 1] == y) & (edges[:, 3] == y)]
    return bool(np.any((np.minimum(flat[:, 0], flat[:, 2]) <= x) & (x <= np.maximum(flat[:, 0], flat[:, 2]))))


def _edges(points: Points) -> Points:
    """(N, 4) x, y of the lower end, x, y of the upper end: an edge gives one crossing in either direction."""
    ends = np.concatenate([points, np.roll(points, -1, axis=0)], axis=1)
    return np.where((ends[:, 1] > ends[:, 3])[:, None], ends[:, [2, 3, 0, 1]], ends)


def _crossings(edges: Points, height: int) -> tuple[Points, Points]:
    """(y, x) of every crossing of an edge with a row of the frame, sorted; each row has an even number."""
    start = np.clip(np.ceil(edges[:, 1]), 0, height).astype(np.int64)
    counts = np.clip(np.ceil(edges[:, 3]), 0, height).astype(np.int64) - start
    edge = np.repeat(np.arange(len(edges)), counts)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    y = (start[edge] + step).astype(np.float64)
    x = _crossing(edges[edge], y)
    order = np.lexsort((x, y))
    return y[order], x[order]


def _crossing(edges: Points, y: Any) -> Points:
    """Multiply before dividing: exact for vertices on a grid of quarter pixels."""
    x_low, y_low, x_high, y_high = edges.T
    crossing: Points = x_low + (y - y_low) * (x_high - x_low) / (y_high - y_low)
    return crossing


def _clipped(rows: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64], width: int) -> Runs:
    first, end = np.maximum(first, 0), np.minimum(last, width - 1) + 1
    some = first < end
    return np.stack([rows[some], first[some], end[some]], axis=1).astype(np.int32)


def _merged(runs: Runs, width: int) -> Runs:
    """Join runs that overlap or touch, so that no pixel counts twice."""
    if len(runs) == 0:
        return runs
    # On one line, with a gap after each row, runs of different rows cannot touch.
    base = runs[:, 0].astype(np.int64) * (width + 1)
    order = np.argsort(base + runs[:, 1], kind="stable")
    start, end = (base + runs[:, 1])[order], np.maximum.accumulate((base + runs[:, 2])[order])
    opens = np.concatenate([[True], start[1:] > end[:-1]])
    start, end = start[opens], end[np.concatenate([opens[1:], [True]])]
    y = start // (width + 1)
    return np.stack([y, start - y * (width + 1), end - y * (width + 1)], axis=1).astype(np.int32)
