"""The points by which a shape is changed: its handles, its vertices, its edges. Knows no toolkit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from roi_core.errors import RoiGeometryError
from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_core.rois import Roi

    Point = tuple[float, float]

__all__ = [
    "apart", "extent", "handles", "nearest", "nearest_edge", "outside", "rounded", "turned", "with_handle",
    "with_vertex", "without_vertex",
]  # fmt: skip


def handles(roi: Roi, reach: float = math.inf) -> list[Point]:
    """Return the points of a shape that can be dragged, (x, y).

    Those of a freehand outline are the corners of its box, and its vertices when these are more than `reach`
    px apart, so that the hand can tell them from each other.
    """
    if isinstance(roi, Circle):
        return [(roi.xc + roi.r * dx, roi.yc + roi.r * dy) for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    if isinstance(roi, Ellipse):
        cos, sin = _direction(roi.angle)
        u, v = (roi.rx * cos, roi.rx * sin), (-roi.ry * sin, roi.ry * cos)
        return [
            (roi.xc + u[0], roi.yc + u[1]), (roi.xc + v[0], roi.yc + v[1]),
            (roi.xc - u[0], roi.yc - u[1]), (roi.xc - v[0], roi.yc - v[1]),
        ]  # fmt: skip
    if isinstance(roi, Freehand):
        return [*_corners(roi), *(roi.points if apart(roi) > reach else ())]
    return list(roi.points) if isinstance(roi, Polygon) else _corners(roi)


def apart(roi: Polygon) -> float:
    """Return the mean length of the edges of a polygon, px."""
    points = roi.outline()
    return float(np.hypot(*(np.roll(points, -1, axis=0) - points).T).mean())


def extent(roi: Roi) -> float:
    """Return the smaller side of the box around a shape, px."""
    x0, y0, x1, y1 = roi.bounds()
    return min(x1 - x0, y1 - y0)


def outside(roi: Roi, size: tuple[int, int]) -> bool:
    """Tell whether a shape lies wholly beside a picture of `size` (W, H)."""
    x0, y0, x1, y1 = roi.bounds()
    return x1 < -0.5 or y1 < -0.5 or x0 > size[0] - 0.5 or y0 > size[1] - 0.5


def brought_in(roi: Roi, size: tuple[int, int]) -> Roi:
    """Return a shape that lies wholly beside a picture of `size` (W, H) moved onto it, any other as it is."""
    if not outside(roi, size):
        return roi
    x0, y0, x1, y1 = roi.bounds()
    dx, dy = (
        max(-low, 0.0) + min(most - 1 - high, 0.0)
        for low, high, most in ((x0, x1, size[0]), (y0, y1, size[1]))
    )
    return roi.moved(dx, dy)


def rounded(roi: Roi) -> Roi:
    """Return the shape with its numbers to 0.01; one too small for that stays as it is."""
    parts = {part: getattr(roi, part) for part in roi.parts}
    new = {part: np.round(v, 2) if part == "points" else round(v, 2) for part, v in parts.items()}
    try:
        return roi.with_(**new)
    except RoiGeometryError:
        return roi


def turned(roi: Roi, degrees: float) -> Roi:
    """Return the shape turned clockwise on the screen about its centroid; a rectangle becomes a polygon.

    A circle stays as it is.
    """
    if isinstance(roi, Circle):
        return roi
    if isinstance(roi, Ellipse):
        return roi.with_(angle=(roi.angle + degrees) % 180)
    (cos, sin), centre = _direction(degrees), np.array(roi.centroid())
    points = centre + (roi.outline() - centre) @ np.array([[cos, sin], [-sin, cos]])
    if isinstance(roi, Polygon):
        return roi.with_(points=points)
    as_it_is = {"id", "name", "colour", "version", "locked", "group"}
    return Polygon(points, **{part: getattr(roi, part) for part in as_it_is})


def with_handle(roi: Roi, number: int, x: float, y: float) -> Roi:
    """Return the shape with one handle dragged to (x, y); a place that makes no shape changes nothing."""
    try:
        return _dragged(roi, number, round(x, 2), round(y, 2))
    except RoiGeometryError:
        return roi


def with_vertex(roi: Polygon, edge: int, x: float, y: float) -> Roi:
    """Return the polygon with a new vertex in the middle of an edge, at (x, y)."""
    points = [*roi.points[: edge + 1], (round(x, 2), round(y, 2)), *roi.points[edge + 1 :]]
    return roi.with_(points=tuple(points))


def without_vertex(roi: Polygon, number: int) -> Roi:
    """Return the polygon without one vertex; a triangle stays a triangle."""
    points = (*roi.points[:number], *roi.points[number + 1 :])
    try:
        return roi.with_(points=points)
    except RoiGeometryError:
        return roi


def nearest(points: Sequence[Point], x: float, y: float, reach: float) -> int | None:
    """Return the number of the point nearest to (x, y), if one is within `reach`."""
    if not points:
        return None
    away = [math.hypot(px - x, py - y) for px, py in points]
    best = int(np.argmin(away))
    return best if away[best] <= reach else None


def nearest_edge(points: Sequence[Point], x: float, y: float, reach: float) -> int | None:
    """Return the number of the edge nearest to (x, y), if one is within `reach`; edge k starts at point k."""
    start = np.array(points)
    along = np.roll(start, -1, axis=0) - start
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    part = np.clip((((x, y) - start) * along).sum(axis=1) / length, 0, 1)
    away = np.hypot(*(start + part[:, None] * along - (x, y)).T)
    best = int(np.argmin(away))
    return best if away[best] <= reach else None


def _dragged(roi: Roi, number: int, x: float, y: float) -> Roi:
    if isinstance(roi, Circle):
        return roi.with_(r=round(max(math.hypot(x - roi.xc, y - roi.yc), 0.5), 2))
    if isinstance(roi, Ellipse):
        return _stretched(roi, number, x, y)
    vertex = number - 4 if isinstance(roi, Freehand) else number  # after the corners of its box
    if isinstance(roi, Polygon) and vertex >= 0:
        return roi.with_(points=(*roi.points[:vertex], (x, y), *roi.points[vertex + 1 :]))
    return _resized(roi, number, x, y)


def _stretched(roi: Ellipse, number: int, x: float, y: float) -> Roi:
    """Let the first axis turn with the mouse, and the second only grow."""
    dx, dy = x - roi.xc, y - roi.yc
    if number % 2 == 0:
        sign = 1 if number == 0 else -1
        angle = round(math.degrees(math.atan2(sign * dy, sign * dx)), 2)
        return roi.with_(rx=round(max(math.hypot(dx, dy), 0.5), 2), angle=angle)
    cos, sin = _direction(roi.angle)
    return roi.with_(ry=round(max(abs(cos * dy - sin * dx), 0.5), 2))


def _resized(roi: Roi, number: int, x: float, y: float) -> Roi:
    """Stretch a rectangle or a freehand outline from the opposite corner."""
    fixed = _corners(roi)[(number + 2) % 4]
    moving = _corners(roi)[number]
    if isinstance(roi, Rectangle):
        return roi.with_(x0=fixed[0], y0=fixed[1], x1=x, y1=y)
    span = np.array([moving[0] - fixed[0], moving[1] - fixed[1]])
    new = np.array([x - fixed[0], y - fixed[1]])
    if np.any(np.abs(span) < 1e-9) or np.any(np.abs(new) < 1.0):
        return roi
    points = np.array(fixed) + (roi.outline() - fixed) * (new / span)
    return roi.with_(points=_points(points))


def _points(points: NDArray[np.float64] | Sequence[Point]) -> tuple[Point, ...]:
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in points)


def _corners(roi: Roi) -> list[Point]:
    x0, y0, x1, y1 = roi.bounds()
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _direction(angle: float) -> Point:
    return math.cos(math.radians(angle)), math.sin(math.radians(angle))
