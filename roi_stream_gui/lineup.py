"""Which traces have a lane: a page of all there are, moved so that what is newly chosen is on it.

Knows no toolkit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roi_core.rois import RoiSet

    Colour = tuple[int, int, int]

__all__ = ["LANES", "Lane", "Lineup", "lanes_of"]

LANES: Final = 16
"""Traces drawn at most: 64 of them take 80 ms a frame without a graphics card, 16 take 28."""
MANY: Final = (
    (38, 214, 160), (255, 176, 84), (122, 178, 255), (240, 120, 160), (200, 220, 90), (186, 140, 255),
    (96, 220, 240), (255, 136, 104),
)  # fmt: skip
"""Colours of cells that share an axis, by id."""


class Lane(NamedTuple):
    """What has a trace: a region, or a cell."""

    id: int
    name: str
    colour: Colour
    is_cell: bool = False


def lanes_of(
    rois: RoiSet, cells: Sequence[int], names: Mapping[int, str], colour: Colour | None = None
) -> list[Lane]:
    """Return the lane of each region and cell; cells get this colour, or one of their own each."""
    found = [Lane(roi.id, roi.name or f"region {roi.id}", roi.colour) for roi in rois]
    return found + [
        Lane(cell, names.get(cell) or f"cell {cell}", colour or MANY[cell % len(MANY)], True)
        for cell in cells
    ]


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
