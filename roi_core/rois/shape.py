"""What every region has in common: a label, checks on its numbers, and the questions it must answer."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, field, fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

from roi_core.errors import RoiGeometryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LIMIT", "UNCOLOURED", "Shape"]

UNCOLOURED = (255, 255, 255)
"""White: no colour was chosen yet; a set gives one when the shape is added."""

LIMIT = 1_000_000.0
"""Largest coordinate, px: beyond any camera, small enough for exact squares and 32-bit pixel numbers."""


@dataclass(frozen=True, slots=True)
class Shape(ABC):
    """A region: a name, an RGB colour, its number in the set, how often its geometry changed; px, (x, y)."""

    kind: ClassVar[str]
    parts: ClassVar[tuple[str, ...]]  # the fields that are geometry

    name: str = field(default="", kw_only=True)
    colour: tuple[int, int, int] = field(default=UNCOLOURED, kw_only=True)
    id: int = field(default=0, kw_only=True)  # 0 = not in a set yet
    version: int = field(default=1, kw_only=True)
    locked: bool = field(default=False, kw_only=True)
    group: int = field(default=0, kw_only=True)  # regions of one number above 0 belong together

    def __post_init__(self) -> None:
        self._check_label()
        self._check_geometry()

    @abstractmethod
    def bounds(self) -> tuple[float, float, float, float]:
        """Return the smallest (x0, y0, x1, y1) around the shape."""

    @abstractmethod
    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is inside or on the boundary."""

    @abstractmethod
    def area(self) -> float:
        """Return the area of the outline, px^2; the number of pixels is close to it, not equal."""

    @abstractmethod
    def centroid(self) -> tuple[float, float]:
        """Return (x, y) of the centre of the area."""

    @abstractmethod
    def outline(self, n: int = 48) -> NDArray[np.float64]:
        """Return (N, 2) x, y of a closed line to draw; `n` points where the shape is round."""

    @abstractmethod
    def runs(self, shape: tuple[int, int]) -> NDArray[np.int32]:
        """Return (R, 3) rows of y, first x, x after the last: the pixels on a frame of (height, width)."""

    @abstractmethod
    def _mapped(self, sx: float, sy: float, start: tuple[float, float], end: tuple[float, float]) -> Self:
        """Return the shape with x -> (x - start_x) sx + end_x, the same for y."""

    @abstractmethod
    def _check_geometry(self) -> None:
        """Turn the geometry into plain floats, or refuse it."""

    def moved(self, dx: float, dy: float) -> Self:
        """Return the same shape `dx`, `dy` px further."""
        return self._mapped(1.0, 1.0, (0.0, 0.0), (dx, dy))

    def scaled(self, factor: float) -> Self:
        """Return the shape `factor` times as wide and high about its centroid."""
        self._check_factors(factor)
        return self._mapped(factor, factor, self.centroid(), self.centroid())

    def rescaled(self, sx: float, sy: float) -> Self:
        """Return the shape for a frame `sx` times as wide, `sy` times as high; a radius takes the smaller."""
        self._check_factors(sx, sy)
        return self._mapped(sx, sy, (0.0, 0.0), (0.0, 0.0))

    def circle(self) -> tuple[float, float, float]:
        """Return (xc, yc, r) of the circle of equal area at the centroid."""
        return (*self.centroid(), math.sqrt(self.area() / math.pi))

    def geometry(self) -> tuple[Any, ...]:
        """Return what decides which pixels belong to the shape."""
        return (self.kind, *(getattr(self, part) for part in self.parts))

    def with_(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; `from_dict` reads them back. Without a group there is none of it."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        if not self.group:
            del values["group"]
        values["colour"] = list(self.colour)
        if "points" in values:
            values["points"] = [list(point) for point in values["points"]]
        return {"kind": self.kind, **values}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the shape that `to_dict` of this class wrote; refuse unknown and missing fields."""
        known = {part.name for part in fields(cls)}
        if unknown := sorted(map(str, values.keys() - known - {"kind"})):
            raise RoiGeometryError(
                f"{cls.kind} has no field {unknown[0]!r}; it has {', '.join(sorted(known))}"
            )
        needed = [part.name for part in fields(cls) if part.name in cls.parts and part.default is MISSING]
        if missing := [part for part in needed if part not in values]:
            raise RoiGeometryError(f"{cls.kind} without {missing[0]}; its geometry is {', '.join(cls.parts)}")
        return cls(**{part: value for part, value in values.items() if part != "kind"})

    def _check_label(self) -> None:
        if not isinstance(self.name, str) or not self.name.isprintable():
            raise RoiGeometryError(f"{self.kind} name {self.name!r}: one line of printable text is needed")
        self._set(name=self.name.strip())
        colour = tuple(self.colour) if isinstance(self.colour, (tuple, list)) else ()
        if len(colour) != 3 or not all(_whole(part, 0) and part <= 255 for part in colour):
            raise self._refused("colour", self.colour, "three whole numbers from 0 to 255 are needed")
        self._set(colour=colour)
        for part, least in (("id", 0), ("version", 1), ("group", 0)):
            if not _whole(getattr(self, part), least):
                raise self._refused(part, getattr(self, part), f"a whole number, {least} or more, is needed")
        if not isinstance(self.locked, bool):
            raise self._refused("locked", self.locked, "true or false is needed")

    def _set(self, **values: Any) -> None:
        for part, value in values.items():
            object.__setattr__(self, part, value)

    def _check_numbers(self) -> None:
        """Make every part of the geometry a float; refuse what is not a finite number of sensible size."""
        for part in self.parts:
            value = getattr(self, part)
            if not isinstance(value, Real) or isinstance(value, bool):
                raise self._refused(part, value, "a number is needed")
            if not abs(value) <= LIMIT:  # type: ignore[operator]  # Real has an order; NaN has none
                raise self._refused(part, value, f"a finite number, at most {LIMIT:.0f} from 0, is needed")
            self._set(**{part: float(value)})

    def _check_factors(self, *factors: float) -> None:
        for factor in factors:
            if not (math.isfinite(factor) and factor > 0):
                raise RoiGeometryError(f"{self._who()} cannot be scaled by {factor!r}; use a number above 0")

    def _refused(self, part: str, value: object, why: str) -> RoiGeometryError:
        return RoiGeometryError(f"{self._who()}: {part} = {value!r}: {why}")

    def _who(self) -> str:
        return f"{self.kind} {self.name!r}" if self.name else self.kind


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
