"""Which traces have a lane: a page of all there are, moved so that what is newly chosen is on it.

Knows no toolkit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from roi_core.rois.roiset import given_colour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roi_core.rois import RoiSet

    Colour = tuple[int, int, int]

__all__ = ["LANES", "Lane", "Lineup", "lanes_of", "told_apart"]

LANES: Final = 16
"""Traces drawn at most: 64 of them take 80 ms a frame without a graphics card, 16 take 28."""
MANY: Final = (
    (38, 214, 160), (255, 225, 25), (90, 140, 255), (245, 130, 49), (240, 50, 230), (66, 212, 244),
    (230, 45, 75), (191, 239, 69), (180, 120, 255), (250, 190, 212), (190, 130, 70), (60, 180, 75),
    (255, 255, 255), (70, 153, 144), (220, 190, 255), (150, 150, 40), (255, 216, 177), (169, 169, 169),
    (200, 70, 140), (170, 255, 195), (120, 110, 200), (255, 120, 110), (130, 200, 255), (200, 200, 120),
)  # fmt: skip
"""Colours of traces that share an axis, those first that are told apart best."""
WEIGHTS: Final = (2, 4, 3)
"""How well red, green and blue are seen."""
ALIKE: Final = 90
"""Distance below which two colours are hard to tell apart."""


class Lane(NamedTuple):
    """What has a trace: a region, or a cell."""

    id: int
    name: str
    colour: Colour
    is_cell: bool = False


def lanes_of(rois: RoiSet, cells: Sequence[int], names: Mapping[int, str], colour: Colour) -> list[Lane]:
    """Return the lane of each region, and of each cell in this colour."""
    found = [Lane(roi.id, roi.name or f"region {roi.id}", roi.colour) for roi in rois]
    return found + [Lane(cell, names.get(cell) or f"cell {cell}", colour, True) for cell in cells]


def told_apart(lanes: Sequence[Lane]) -> list[Lane]:
    """Return lanes that share an axis in colours of their own.

    Regions keep theirs, as on the picture, but for one that was given it unasked and is not the first that
    has it. It and each cell get the first colour that is like none so far, or the one that is least so.
    """
    kept: dict[Colour, int] = {}
    for k, lane in enumerate(lanes):
        if not lane.is_cell and (lane.colour not in kept or lane.colour != given_colour(lane.id)):
            kept[lane.colour] = k
    used, found = [*kept], list(lanes)
    for k, lane in enumerate(lanes):
        if lane.is_cell or (lane.colour == given_colour(lane.id) and kept[lane.colour] != k):
            free = (colour for colour in MANY if _apart(colour, used) > ALIKE)
            colour = next(free, None) or max(MANY, key=lambda one: _apart(one, used))
            used.append(colour)
            found[k] = lane._replace(colour=colour)
    return found


def _apart(colour: Colour, others: Sequence[Colour]) -> float:
    """Return the distance of a colour from the one of the others that is most like it."""
    squares = (
        sum(weight * (a - b) ** 2 for weight, a, b in zip(WEIGHTS, colour, other, strict=True))
        for other in others
    )
    return math.sqrt(min(squares, default=math.inf))


class Lineup:
    """The page that is shown."""

    def __init__(self) -> None:
        self.shown: list[Lane] = []
        self.count = 0
        """Lanes there are in all."""
        self.first = 0
        self._chosen: tuple[tuple[bool, int], ...] = ()

    def page(self, step: int) -> None:
        """Turn so many pages on."""
        self.scroll(step * max(len(self.shown), 1))

    def scroll(self, lanes: int) -> None:
        """Move on by so many lanes."""
        self.first += lanes

    def begin(self) -> None:
        """Show the first page."""
        self.first = 0

    def choose(
        self, every: Sequence[Lane], room: int, regions: Sequence[int], cells: Sequence[int]
    ) -> list[Lane]:
        """Return those of `every` lane that are shown where there is room for so many.

        `regions` and `cells` are chosen: when one is new among them its lane is brought onto the page.
        """
        chosen = (*((False, one) for one in regions), *((True, one) for one in cells))
        if chosen != self._chosen:
            new = set(chosen) - set(self._chosen)
            self._chosen = chosen
            places = [k for k, lane in enumerate(every) if (lane.is_cell, lane.id) in new]
            if places and not self.first <= places[-1] < self.first + room:
                self.first = places[-1] - room // 2
        self.count = len(every)
        self.first = max(0, min(self.first, len(every) - room))
        self.shown = list(every[self.first : self.first + room])
        return self.shown
