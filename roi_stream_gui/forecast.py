"""What pending parameters would make of the cells, ready to be drawn. Knows no toolkit.

Outlines lie in the template's frame. Dashes are made of their points, which are about one pixel apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf.quality import FORESEEN
from roi_core.frame import Components, Status
from roi_stream_gui.outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from roi_core.frame import Foresight, Spot
    from roi_stream_gui.outlines import Points

__all__ = ["Fate", "Forecast", "blind", "dashed", "forecast"]


class Fate(StrEnum):
    """What becomes of a cell: it stays, it is accepted no more, it is accepted now or found anew."""

    STAYS = "stay"
    LOST = "lost"
    NEW = "new"


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """``before`` cells would be ``after``; ``lines`` are the outlines of each fate, with NaN between them.

    ``silent`` says in a sentence why nothing is known.
    """

    before: int = 0
    counts: dict[Fate, int] = field(default_factory=dict)
    lines: dict[Fate, Points] = field(default_factory=dict)
    silent: str = ""

    @property
    def after(self) -> int:
        """Cells there would be."""
        return self.counts.get(Fate.STAYS, 0) + self.counts.get(Fate.NEW, 0)

    @property
    def text(self) -> str:
        """The numbers in a line."""
        if self.silent:
            return self.silent
        new, lost = self.counts.get(Fate.NEW, 0), self.counts.get(Fate.LOST, 0)
        return f"{self.before} -> {self.after} cells (+{new} -{lost})"


def forecast(foresight: Foresight, components: Components | None) -> Forecast:
    """Return what `foresight` says of the present components."""
    if foresight.silent or components is None:
        return Forecast(silent=foresight.silent or "there are no cells yet")
    c = components
    then = [foresight.components.get(cell, (None, ""))[0] for cell in c.ids.tolist()]
    known = np.array([status is not None for status in then], bool)
    good = np.array([status == Status.ACCEPTED for status in then], bool)
    now = (c.status == Status.ACCEPTED) & known
    masks = {Fate.STAYS: now & good, Fate.LOST: now & ~good, Fate.NEW: ~now & good & known}
    made = outlines(c)
    lines = {fate: made.of(mask) for fate, mask in masks.items()}
    counts = {fate: int(mask.sum()) for fate, mask in masks.items()}
    if foresight.found:
        spots = outlines(_components(foresight.found, c.shape))
        found = spots.of(np.ones(len(foresight.found), bool))
        lines[Fate.NEW] = _joined(lines[Fate.NEW], found)
        counts[Fate.NEW] += len(foresight.found)
    return Forecast(int(now.sum()), counts, lines)


def blind(paths: Iterable[str]) -> tuple[str, ...]:
    """Return which of these settings change only what is still to come, so that none can foresee it."""
    return tuple(path for path in paths if path.removeprefix("cnmf.") not in FORESEEN)


def dashed(points: Points, length: int) -> Points:
    """Return lines that end at NaN as dashes of `length` pieces; the gaps, about as long, are one NaN."""
    x, y = points
    place = np.arange(x.size)
    starts = np.concatenate([[True], np.isnan(x[:-1])]) if x.size else np.zeros(0, bool)
    place -= np.maximum.accumulate(np.where(starts, place, 0))
    place %= 2 * length + 1
    x, y = (np.where(place <= length, values, np.nan) for values in points)
    there = (place <= length + 1) | starts
    return x[there], y[there]


def _joined(first: Points, second: Points) -> Points:
    return np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])


def _components(spots: Sequence[Spot], shape: tuple[int, int]) -> Components:
    """Return spots as components, of which only the pixels matter."""
    ids, none = np.arange(len(spots)), np.zeros(len(spots), np.float32)
    indices: NDArray[np.int32] = np.concatenate([spot.pixels for spot in spots])
    indptr = np.concatenate([[0], np.cumsum([spot.pixels.size for spot in spots])])
    return Components(
        0, shape, ids, ids, np.full(ids.size, Status.ACCEPTED, np.uint8), ("",) * ids.size,
        none, none, none, none, np.ones(indices.size, np.float32), indices, indptr.astype(np.int64),
    )  # fmt: skip
