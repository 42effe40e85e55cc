"""Lines with fewer points that look the same: what lies on the way is left out. Knows no toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Line = NDArray[np.float64]
    Points = tuple[Line, Line]

__all__ = ["SEEN", "corners", "slim", "warm_up"]

SEEN: Final = 0.4
"""Screen px by which a line may be drawn wrong."""
FEWEST, MOST = 12, 48
"""Corners of what is round."""


def slim(x: Line, y: Line, away: float) -> Points:
    """Return a line (n,), x never falling, without points closer than `away` above or below what is drawn.

    NaN breaks a line and stays. Each point that is left out lies between two that are kept; the door of the
    swinging door algorithm (Bristol 1990) opens to points of the line only, so that no error adds up.
    """
    keep = np.empty(len(x), np.bool_)
    _keep(x, y, away, keep)
    return x[keep], y[keep]


def corners(radius: float) -> int:
    """Return how many corners make a circle of `radius` screen px look round."""
    if radius <= SEEN:
        return FEWEST
    return int(min(max(np.ceil(np.pi / np.arccos(1 - 0.5 * SEEN / radius)), FEWEST), MOST))


def warm_up() -> None:
    """Compile the kernel."""
    slim(np.zeros(2), np.zeros(2), 0.0)


@kernel
def _keep(x: Line, y: Line, away: float, keep: NDArray[np.bool_]) -> None:
    anchor = -1
    low, high = -np.inf, np.inf
    for i in range(x.size):
        keep[i] = i == x.size - 1
        if not (x[i] == x[i] and y[i] == y[i]):
            keep[i] = True
            if i > 0:
                keep[i - 1] = True
            anchor = -1
            continue
        if anchor >= 0 and not _passes(x, y, anchor, i, low, high, away):
            keep[i - 1] = True
            anchor = i - 1
            low, high = -np.inf, np.inf
            if not _passes(x, y, anchor, i, low, high, away):  # straight up or down
                anchor = -1
        if anchor < 0:
            keep[i] = True
            anchor, low, high = i, -np.inf, np.inf
        elif x[i] > x[anchor]:
            step = x[i] - x[anchor]
            low = max(low, (y[i] - away - y[anchor]) / step)
            high = min(high, (y[i] + away - y[anchor]) / step)


@kernel
def _passes(x: Line, y: Line, anchor: int, i: int, low: float, high: float, away: float) -> bool:
    """Tell whether a line from the anchor to point i passes by all points between."""
    step = x[i] - x[anchor]
    if step > 0:
        return bool(low <= (y[i] - y[anchor]) / step <= high)
    return bool(abs(y[i] - y[anchor]) <= away)
