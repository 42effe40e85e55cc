"""What two results have in common, as it is drawn: cells, outlines, the traces of a pair. Knows no toolkit.

All of it reads files, and so is for a thread beside the window.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_core.errors import RoiError
from roi_core.offline.compare import common, compare, recorded, running, together
from roi_core.recording import Recording
from roi_stream_gui import words
from roi_stream_gui.names import names_in
from roi_stream_gui.outlines import outlines
from roi_stream_gui.safe import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.offline.compare import Comparison, Result
    from roi_core.snapshot import Snapshot
    from roi_stream_gui.outlines import Outlines

    Line = NDArray[np.float64]

__all__ = ["POINTS", "Compared", "Lines", "Row", "Side", "compared", "sides_of", "thinned", "traced"]

log = logging.getLogger(__name__)

POINTS: Final = 2000
"""A longer trace is drawn as the least and the largest value of so many parts of it."""


@dataclass(frozen=True, slots=True)
class Side:
    """Something that can be compared: a recording, found online or refined, or cells at one moment."""

    label: str
    path: Path | None = None
    refined: bool = False
    snapshot: Snapshot | None = None

    @contextmanager
    def opened(self) -> Iterator[Result]:
        """Give the result; a recording is open only meanwhile."""
        if self.path is None and self.snapshot is not None:
            yield running(self.snapshot, self.label)
        else:
            with Recording(self.path or "") as recording:
                yield recorded(recording, self.refined)

    def names(self) -> dict[int, str]:
        """Return what its cells are called."""
        if self.snapshot is not None:
            return names_in(self.snapshot.diary.since(0)[1])
        with Recording(self.path or "") as recording:
            return names_in(recording.events)


class Row(NamedTuple):
    """A line of the table: a pair, or a cell that only one side has (the other is None)."""

    a: int | None
    b: int | None
    overlap: float = float("nan")
    r: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A comparison and what there is to draw of it."""

    sides: tuple[Side, Side]
    found: Comparison
    outlines: tuple[Outlines, Outlines]
    rows: tuple[Row, ...]
    names: tuple[dict[int, str], dict[int, str]] = ({}, {})
    """What cells are called on each side."""


class Lines(NamedTuple):
    """The traces of a pair in standard deviations from their means, over the camera's frame index."""

    row: Row
    x: Line
    a: Line
    b: Line


def sides_of(path: Path, quiet: bool) -> list[Side]:
    """Return the results that a recording holds; none when it cannot be read."""
    name = shown(path.name)
    try:
        with Recording(path) as recording:
            kinds = {name: recording.cells, f"{name}, refined": recording.refined}
    except RoiError as error:
        if not quiet:
            log.error("%s", error)
        return []
    found = [Side(label, path, label != name) for label, cells in kinds.items() if cells is not None]
    if not found and not quiet:
        log.warning(words.NO_RESULT.format(name))
    return found


def compared(sides: tuple[Side, Side], least: float) -> Compared:
    """Match the cells of two results; those whose outlines overlap by `least` (IoU) or more may be the same.

    Raises
    ------
    RoiError
        A recording cannot be read, or the two have nothing to compare.
    """
    with sides[0].opened() as a, sides[1].opened() as b:
        found = compare(a, b, least)
        drawn = outlines(a.components), outlines(b.components)
    rows = [Row(*pair) for pair in found.pairs]
    rows += [Row(cell, None) for cell in found.only_a] + [Row(None, cell) for cell in found.only_b]
    return Compared(sides, found, drawn, tuple(rows), (sides[0].names(), sides[1].names()))


def traced(outcome: Compared, row: Row) -> Lines:
    """Read the traces of a pair."""
    with outcome.sides[0].opened() as a, outcome.sides[1].opened() as b:
        columns = [np.flatnonzero(each.components.ids == cell)[:1] for each, cell in ((a, row.a), (b, row.b))]
        x = common(a, b).astype(np.float64)
        parts = list(together(a, b, *columns))
    empty = [(np.zeros((0, 1), np.float32),) * 2]
    lines = [np.concatenate([part[k][:, 0] for part in parts or empty]).astype(np.float64) for k in (0, 1)]
    both = np.isfinite(lines[0]) & np.isfinite(lines[1])
    y = [_scored(line, both) for line in lines]
    return Lines(row, *thinned(x, y[0], y[1]))


def _scored(line: Line, both: NDArray[np.bool_]) -> Line:
    """Return a line less its mean, over its standard deviation, both taken where either line is known."""
    known = line[both]
    spread = float(known.std()) if known.size else 0.0
    return (line - known.mean()) / spread if spread > 0 else np.where(np.isfinite(line), 0.0, np.nan)


def thinned(x: Line, *lines: Line) -> tuple[Line, ...]:
    """Return at most two values for each of `POINTS` parts: the least and the largest."""
    size = len(x) // POINTS
    if size < 3:
        return x, *lines
    end = size * POINTS
    places = x[:end].reshape(POINTS, size)[:, [0, size // 2]].ravel()
    out = []
    for line in lines:
        known = np.nan_to_num(line[:end]).reshape(POINTS, size)
        out.append(np.column_stack([known.min(axis=1), known.max(axis=1)]).ravel())
    return places, *out
