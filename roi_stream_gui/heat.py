"""Hundreds of traces as one picture: a row each, as bright as the trace is high. Knows no toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["COLOURS", "arranged", "paint", "rows_of", "warm_up"]

COLOURS: Final[NDArray[np.float32]] = (
    cv2.applyColorMap(np.arange(256, dtype=np.uint8).reshape(1, -1), cv2.COLORMAP_INFERNO)[0, :, ::-1]
    / np.float32(255)
).astype(np.float32)
"""(256, 3): dark is a trace's lowest value in sight, bright its highest."""


def arranged(order: str, snr: Sequence[float], table: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the order of K rows: as they are, best first, or by when each is highest in the (K, n) table."""
    if order == "snr":
        return np.argsort(-np.asarray(snr, np.float64), kind="stable")
    if order == "peak" and table.size:
        known = np.where(np.isnan(table), -np.inf, table)
        never = np.isinf(known.max(axis=1))
        return np.argsort(np.where(never, table.shape[1], known.argmax(axis=1)), kind="stable")
    return np.arange(len(snr))


def paint(
    table: NDArray[np.float32], order: NDArray[np.int64], rows: int, out: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Paint the (K, n) table into the first `rows` rows of `out` (R, C, 4), each trace by its own range.

    With fewer traces than rows each fills several, with more a row shows the brightest of its traces. Return
    the lowest and highest value (K, 2) of each trace.
    """
    limits = np.empty((len(table), 2), np.float32)
    _paint(table, order, rows, COLOURS, limits, out)
    return limits


def rows_of(row: int, rows: int, count: int) -> range:
    """Return which of `count` traces, in their order, a row out of `rows` shows."""
    first = row * count // rows
    return range(first, max((row + 1) * count // rows, first + 1))


def warm_up() -> None:
    """Compile the kernel."""
    paint(np.zeros((1, 1), np.float32), np.zeros(1, np.int64), 1, np.zeros((1, 1, 4), np.float32))


@kernel
def _paint(
    table: NDArray[np.float32],
    order: NDArray[np.int64],
    rows: int,
    colours: NDArray[np.float32],
    limits: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    count, columns = table.shape
    for k in range(count):
        low, high = np.float32(np.inf), np.float32(-np.inf)
        for j in range(columns):
            value = table[k, j]
            if value < low:
                low = value
            if value > high:
                high = value
        limits[k, 0], limits[k, 1] = low, high
    for row in range(rows):
        first = row * count // rows
        last = max((row + 1) * count // rows, first + 1)
        for j in range(columns):
            most = np.float32(-1.0)
            for at in range(first, last):
                k = order[at]
                value = table[k, j]
                if value == value:
                    span = max(limits[k, 1] - limits[k, 0], np.float32(1e-9))
                    most = max(most, (value - limits[k, 0]) / span)
            if most < 0:
                out[row, j, 0], out[row, j, 1], out[row, j, 2], out[row, j, 3] = 0.0, 0.0, 0.0, 0.0
            else:
                shade = min(int(most * 255.0), 255)
                for c in range(3):
                    out[row, j, c] = colours[shade, c]
                out[row, j, 3] = 1.0
