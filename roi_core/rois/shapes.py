"""The shapes of a region: circle, ellipse, rectangle, polygon, freehand.

Each is an immutable value in pixels, x to the right and y down, the centre of the top left pixel at (0, 0).
A pixel belongs to a region when its centre lies inside or on the boundary. A new shape is a class here and a
name in `Roi`; files, sets and masks find it by its `kind`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, cast, get_args

import numpy as np

from roi_core.errors import RoiGeometryError
from roi_core.rois.runs import convex_runs, polygon_contains, polygon_runs, rows_between
from roi_core.rois.shape import LIMIT, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Pair = tuple[float, float]

__all__ = ["KINDS", "Circle", "Ellipse", "Freehand", "Polygon", "Rectangle", "Roi", "from_dict"]


@dataclass(frozen=True, slots=True)
class Circle(Shape):
    """All pixels with (x - xc)^2 + (y - yc)^2 <= r^2; r = 0 on a pixel centre is that pixel."""

    kind: ClassVar[str] = "circle"
    parts: ClassVar[tuple[str, ...]] = ("xc", "yc", "r")

    xc: float
    yc: float
    r: float

    def bounds(self) -> tuple[float, float, float, float]:
        """Return (xc - r, yc - r, xc + r, yc + r)."""
        return self.xc - self.r, self.yc - self.r, self.xc + self.r, self.yc + self.r

    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is at most r from the centre."""
        return bool(self._inside(x, y))

    def area(self) -> float:
        """Return pi r^2."""
        return math.pi * self.r * self.r

    def centroid(self) -> Pair:
        """Return (xc, yc)."""
        return self.xc, self.yc

    def circle(self) -> tuple[float, float, float]:
        """Return (xc, yc, r)."""
        return self.xc, self.yc, self.r

    def outline(self, n: int = 48) -> NDArray[np.float64]:
        """Return (n, 2) x, y on the circle."""
        turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
        return np.stack([self.xc + self.r * np.cos(turn), self.yc + self.r * np.sin(turn)], axis=1)

    def runs(self, shape: tuple[int, int]) -> NDArray[np.int32]:
        """Return the pixels inside, boundary included."""
        rows = rows_between(self.yc - self.r, self.yc + self.r, shape[0])
        dy = rows - self.yc
        half = np.sqrt(np.maximum(self.r * self.r - dy * dy, 0))
        return convex_runs(rows, self.xc - half, self.xc + half, self._inside, shape[1])

    def _inside(self, x: Any, y: Any) -> Any:
        return (x - self.xc) * (x - self.xc) + (y - self.yc) * (y - self.yc) <= self.r * self.r

    def _mapped(self, sx: float, sy: float, start: Pair, end: Pair) -> Self:
        xc, yc = (self.xc - start[0]) * sx + end[0], (self.yc - start[1]) * sy + end[1]
        return self.with_(xc=xc, yc=yc, r=self.r * min(sx, sy))

    def _check_geometry(self) -> None:
        self._check_numbers()
        if self.r < 0:
            raise self._refused("r", self.r, "a radius is 0 or more")


@dataclass(frozen=True, slots=True)
class Ellipse(Shape):
    """All pixels with (u/rx)^2 + (v/ry)^2 <= 1; (u, v) is the offset from the centre turned back by `angle`.

    `angle` is in degrees from the x axis towards the y axis, which is clockwise on the screen.
    """

    kind: ClassVar[str] = "ellipse"
    parts: ClassVar[tuple[str, ...]] = ("xc", "yc", "rx", "ry", "angle")

    xc: float
    yc: float
    rx: float
    ry: float
    angle: float = 0.0

    def bounds(self) -> tuple[float, float, float, float]:
        """Return the box around the turned ellipse."""
        cos, sin = self._direction()
        dx, dy = math.hypot(cos * self.rx, sin * self.ry), math.hypot(sin * self.rx, cos * self.ry)
        return self.xc - dx, self.yc - dy, self.xc + dx, self.yc + dy

    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is inside or on the boundary."""
        return bool(self._inside(x, y))

    def area(self) -> float:
        """Return pi rx ry."""
        return math.pi * self.rx * self.ry

    def centroid(self) -> Pair:
        """Return (xc, yc)."""
        return self.xc, self.yc

    def outline(self, n: int = 48) -> NDArray[np.float64]:
        """Return (n, 2) x, y on the ellipse."""
        turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
        cos, sin = self._direction()
        u, v = self.rx * np.cos(turn), self.ry * np.sin(turn)
        return np.stack([self.xc + u * cos - v * sin, self.yc + u * sin + v * cos], axis=1)

    def runs(self, shape: tuple[int, int]) -> NDArray[np.int32]:
        """Return the pixels inside, boundary included."""
        cos, sin = self._direction()
        reach = (cos * self.ry) ** 2 + (sin * self.rx) ** 2
        rows = rows_between(self.yc - math.sqrt(reach), self.yc + math.sqrt(reach), shape[0])
        dy = rows - self.yc
        middle = self.xc + dy * (cos * sin * (self.rx * self.rx - self.ry * self.ry) / reach)
        half = self.rx * self.ry * np.sqrt(np.maximum(reach - dy * dy, 0)) / reach
        return convex_runs(rows, middle - half, middle + half, self._inside, shape[1])

    def _inside(self, x: Any, y: Any) -> Any:
        # Without a division, and so exact for whole numbers: equal axes select the pixels of the circle.
        cos, sin = self._direction()
        u = ((x - self.xc) * cos + (y - self.yc) * sin) * self.ry
        v = ((y - self.yc) * cos - (x - self.xc) * sin) * self.rx
        return u * u + v * v <= (self.rx * self.ry) * (self.rx * self.ry)

    def _direction(self) -> Pair:
        """(cos, sin) of the angle, exact along the axes."""
        turn = self.angle % 180.0
        if turn in (0.0, 90.0):
            return (1.0, 0.0) if turn == 0.0 else (0.0, 1.0)
        return math.cos(math.radians(turn)), math.sin(math.radians(turn))

    def _mapped(self, sx: float, sy: float, start: Pair, end: Pair) -> Self:
        xc, yc = (self.xc - start[0]) * sx + end[0], (self.yc - start[1]) * sy + end[1]
        cos, sin = self._direction()
        if sx == sy or cos * sin == 0:
            rx, ry, angle = self.rx * (sx if cos else sy), self.ry * (sy if cos else sx), self.angle
        else:
            axes = np.array(
                [[sx * cos * self.rx, -sx * sin * self.ry], [sy * sin * self.rx, sy * cos * self.ry]]
            )
            turned, (rx, ry), _ = np.linalg.svd(axes)
            angle = math.degrees(math.atan2(turned[1, 0], turned[0, 0]))
        return self.with_(xc=xc, yc=yc, rx=float(rx), ry=float(ry), angle=angle)

    def _check_geometry(self) -> None:
        self._check_numbers()
        for part in ("rx", "ry"):
            if getattr(self, part) <= 0:
                raise self._refused(part, getattr(self, part), "a half axis is above 0")


@dataclass(frozen=True, slots=True)
class Rectangle(Shape):
    """All pixels with x0 <= x <= x1 and y0 <= y <= y1; any two opposite corners may be given."""

    kind: ClassVar[str] = "rectangle"
    parts: ClassVar[tuple[str, ...]] = ("x0", "y0", "x1", "y1")

    x0: float
    y0: float
    x1: float
    y1: float

    def bounds(self) -> tuple[float, float, float, float]:
        """Return (x0, y0, x1, y1)."""
        return self.x0, self.y0, self.x1, self.y1

    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is inside or on the boundary."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def area(self) -> float:
        """Return width times height."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def centroid(self) -> Pair:
        """Return the middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def outline(self, n: int = 48) -> NDArray[np.float64]:
        """Return the four corners, (4, 2)."""
        x0, y0, x1, y1 = self.bounds()
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def runs(self, shape: tuple[int, int]) -> NDArray[np.int32]:
        """Return the pixels inside, boundary included."""
        height, width = shape
        y = np.arange(max(0, math.ceil(self.y0)), min(height - 1, math.floor(self.y1)) + 1, dtype=np.int32)
        first, end = max(0, math.ceil(self.x0)), min(width - 1, math.floor(self.x1)) + 1
        y = y if first < end else y[:0]
        return np.stack([y, np.full_like(y, first), np.full_like(y, end)], axis=1)

    def _mapped(self, sx: float, sy: float, start: Pair, end: Pair) -> Self:
        x0, x1 = ((x - start[0]) * sx + end[0] for x in (self.x0, self.x1))
        y0, y1 = ((y - start[1]) * sy + end[1] for y in (self.y0, self.y1))
        return self.with_(x0=x0, y0=y0, x1=x1, y1=y1)

    def _check_geometry(self) -> None:
        self._check_numbers()
        self._set(x0=min(self.x0, self.x1), x1=max(self.x0, self.x1))
        self._set(y0=min(self.y0, self.y1), y1=max(self.y0, self.y1))


class Points(tuple[tuple[float, float], ...]):
    """Vertices that were checked, and the same as one (N, 2) array.

    One step of a drag needs the array four times; making it from 500 tuples takes 0.07 ms each time.
    """

    array: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Polygon(Shape):
    """All pixels inside or on the closed line through `points` ((x, y), ...), by the even-odd rule.

    The boundary counts exactly when the vertices lie on quarter pixels, else to the rounding of float64.
    `area` and `centroid` come from the shoelace formula, in which loops of opposite turn cancel.
    """

    kind: ClassVar[str] = "polygon"
    parts: ClassVar[tuple[str, ...]] = ("points",)

    points: tuple[tuple[float, float], ...]

    def bounds(self) -> tuple[float, float, float, float]:
        """Return the box around the vertices."""
        x, y = zip(*self.points, strict=True)
        return min(x), min(y), max(x), max(y)

    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is inside by the even-odd rule or on the boundary."""
        x0, y0, x1, y1 = self.bounds()
        return x0 <= x <= x1 and y0 <= y <= y1 and polygon_contains(self._array(), x, y)

    def area(self) -> float:
        """Return the area by the shoelace formula."""
        return abs(float(self._corners().sum())) / 2

    def centroid(self) -> Pair:
        """Return the centre of the area; the mean of the vertices when there is no area."""
        points, corners = self._array(), self._corners()
        middle = points.mean(axis=0)
        if twice := corners.sum():
            shifted = points - points[0]
            centre = points[0] + corners @ (shifted + np.roll(shifted, -1, axis=0)) / (3 * twice)
            # Loops of opposite turn can throw the quotient far out; the mean of the vertices cannot leave.
            if (points.min(axis=0) <= centre).all() and (centre <= points.max(axis=0)).all():
                middle = centre
        return float(middle[0]), float(middle[1])

    def outline(self, n: int = 48) -> NDArray[np.float64]:
        """Return the vertices, (N, 2)."""
        return self._array().copy()

    def runs(self, shape: tuple[int, int]) -> NDArray[np.int32]:
        """Return the pixels inside by the even-odd rule, boundary included."""
        return polygon_runs(self._array(), shape)

    def _corners(self) -> NDArray[np.float64]:
        """(N,) twice the signed area of the triangle that the first vertex makes with each edge."""
        x, y = (self._array() - self.points[0]).T
        corners: NDArray[np.float64] = x * np.roll(y, -1) - np.roll(x, -1) * y
        return corners

    def _array(self) -> NDArray[np.float64]:
        return cast("Points", self.points).array

    def _mapped(self, sx: float, sy: float, start: Pair, end: Pair) -> Self:
        return self.with_(points=(self._array() - start) * (sx, sy) + np.array(end))

    def _check_geometry(self) -> None:
        if isinstance(self.points, Points):
            return
        try:
            points = np.asarray(self.points)
        except ValueError:  # rows of different length
            points = np.full((1, 1), np.nan)
        if points.size and (points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "iuf"):
            raise RoiGeometryError(f"{self._who()}: the points must be pairs of numbers (x, y)")
        if len(points) < 3:
            raise RoiGeometryError(f"{self._who()} has {len(points)} points; 3 or more are needed")
        good = np.abs(points) <= LIMIT
        if not good.all():
            bad = int(np.argmin(good.all(axis=1)))
            why = f"finite numbers, at most {LIMIT:.0f} px from 0, are needed"
            raise self._refused(f"point {bad + 1}", tuple(points[bad].tolist()), why)
        array = points.astype(np.float64)
        checked = Points(map(tuple, array.tolist()))
        checked.array = array
        self._set(points=checked)


@dataclass(frozen=True, slots=True)
class Freehand(Polygon):
    """A polygon drawn with the mouse button down: many vertices, no handle for each."""

    kind: ClassVar[str] = "freehand"


Roi: TypeAlias = Circle | Ellipse | Rectangle | Polygon | Freehand

KINDS: dict[str, type[Roi]] = {shape.kind: shape for shape in get_args(Roi)}


def from_dict(values: Mapping[str, Any]) -> Roi:
    """Return the region of any kind that `to_dict` wrote.

    Raises
    ------
    RoiGeometryError
        When the kind is unknown, or a field is missing, misspelt or cannot be.
    """
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise RoiGeometryError(f"kind = {kind!r}: one of {', '.join(KINDS)} is needed")
    return KINDS[kind].from_dict(values)
