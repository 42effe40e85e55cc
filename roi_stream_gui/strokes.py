"""What a drag makes of regions: moved, scaled, caught in a net, drawn from a corner. Knows no toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.rois import Circle, Ellipse, Polygon, Rectangle
from roi_stream_gui.geometry import rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from roi_core.rois import Roi

    Point = tuple[float, float]
    Drag = Callable[[Point], tuple[Roi, ...]]

__all__ = ["away", "box", "caught", "circle", "corner_to_corner", "drawn_on", "mover", "scaler"]


def mover(rois: Sequence[Roi], at: Point) -> Drag:
    """Return what moves regions with the hand that took them at `at`."""

    def drag(to: Point) -> tuple[Roi, ...]:
        dx, dy = round(to[0] - at[0], 2), round(to[1] - at[1], 2)
        return tuple(rounded(roi.moved(dx, dy)) for roi in rois)

    return drag


def scaler(rois: Sequence[Roi], grabbed: Roi, at: Point) -> Drag:
    """Return what scales regions, each about its own centre, as the hand leaves that of `grabbed`."""
    centre = grabbed.centroid()
    first = max(away(centre, at), 1.0)

    def drag(to: Point) -> tuple[Roi, ...]:
        factor = min(max(away(centre, to) / first, 0.1), 20.0)
        return tuple(rounded(roi.scaled(factor)) for roi in rois)

    return drag


def circle(start: Point, end: Point) -> Circle:
    """Return the circle about `start` through `end`."""
    return Circle(round(start[0], 2), round(start[1], 2), round(away(start, end), 2))


def corner_to_corner(kind: type[Ellipse] | type[Rectangle], start: Point, end: Point) -> Roi | None:
    """Return the ellipse or rectangle in the box between two points; None where it has no width."""
    (x0, y0), (x1, y1) = (round(start[0], 2), round(start[1], 2)), (round(end[0], 2), round(end[1], 2))
    if x0 == x1 or y0 == y1:
        return None
    if kind is Ellipse:
        return Ellipse((x0 + x1) / 2, (y0 + y1) / 2, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
    return Rectangle(x0, y0, x1, y1)


def box(start: Point, end: Point) -> tuple[Point, ...]:
    """Return the closed line around the box between two points."""
    (x0, y0), (x1, y1) = start, end
    return (start, (x1, y0), end, (x0, y1), start)


def caught(line: Sequence[Point], rois: Iterable[Roi]) -> list[int]:
    """Return the ids of the regions whose centre lies inside a closed line."""
    if len(line) < 3:
        return []
    net = Polygon(tuple(line))
    return [roi.id for roi in rois if net.contains(*roi.centroid())]


def drawn_on(line: tuple[Point, ...], at: Point) -> tuple[Point, ...]:
    """Return a free line drawn on to `at`; steps of less than 0.75 px are left out."""
    return (*line, at) if away(line[-1], at) >= 0.75 else line


def away(a: Point, b: Point) -> float:
    """Return the distance of two points."""
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))
