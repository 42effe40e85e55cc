"""Two results side by side: the cells they share, and the traces of a chosen pair. Knows no toolkit.

A result is a recording's (found online, or refined), what runs now, or what ran before it: a replay that is
replaced by another is kept, so that parameters can be compared with no recording at all. Files are read on a
thread of its own; `tick` collects what it brought.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_core.errors import RoiError
from roi_core.offline.compare import LEAST, common, compare, recorded, running, together
from roi_core.paths import expanded
from roi_core.recording import Recording
from roi_core.ring import FrameRing
from roi_stream_gui import words
from roi_stream_gui.names import names_in
from roi_stream_gui.outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.offline.compare import Comparison, Result
    from roi_core.session import Session
    from roi_core.snapshot import Snapshot
    from roi_stream_gui.controller import Controller
    from roi_stream_gui.outlines import Outlines

    Line = NDArray[np.float64]

__all__ = ["NOW", "Compared", "Lines", "Review", "Row", "Side"]

log = logging.getLogger(__name__)

NOW: Final = "this run"
BEFORE: Final = "the run before"
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


class Review:
    """What is compared, and the outcome; hangs on the controller. ``version`` counts what is new to draw."""

    def __init__(self, controller: Controller) -> None:
        self.sides: tuple[str, str] = ("", "")
        self.least = LEAST
        self.outcome: Compared | None = None
        self.lines: Lines | None = None
        self.chosen: int | None = None
        self.shown = True
        self.on_picture = False
        """True while the outlines are drawn; those of the cells that are found now give way."""
        self.version = 0
        self._do = controller
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="review")
        self._work: Future[Compared | Lines] | None = None
        self._files: list[Side] = []
        self._before: Side | None = None
        self._last: Session | None = None
        self._adding: list[Future[list[Side]]] = []
        self._offered: set[Path] = set()
        self._wish: int | None = None

    # -- what can be compared -----------------------------------------------------------------------------

    def choices(self) -> list[Side]:
        """Return everything there is to choose, the files last."""
        session = self._do.session
        snapshot = session.snapshot() if session is not None and not self._do.replay.reviewing else None
        found = [Side(NOW, snapshot=snapshot)] if snapshot is not None and snapshot.activity else []
        return [*found, *([self._before] if self._before else []), *self._files]

    def add(self, text: str | Path, *, quiet: bool = False) -> None:
        """Offer the results of a recording; what is not one is refused in a sentence, unless ``quiet``."""
        path = expanded(text)
        self._offered.add(path)
        self._adding.append(self._helper.submit(_sides, path, quiet))

    def choose_side(self, which: int, label: str) -> None:
        """Make a result the side A (0) or B (1)."""
        self.sides = (label, self.sides[1]) if which == 0 else (self.sides[0], label)

    # -- the verbs ----------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """True while something is read."""
        return self._work is not None

    def compare(self) -> None:
        """Compare the two sides."""
        known = {side.label: side for side in self.choices()}
        if not all(label in known for label in self.sides):
            log.warning(words.CHOOSE_TWO)
        elif self._work is None:
            self._wish = None
            sides = (known[self.sides[0]], known[self.sides[1]])
            self._work = self._helper.submit(_compared, sides, self.least)

    def choose(self, row: int | None) -> None:
        """Show the traces of a row of the table; None: of none."""
        self.chosen = self._wish = row
        self.lines = None
        self.version += 1

    def show(self, on: bool) -> None:
        """Draw the outlines of both on the picture, or not."""
        self.shown = on
        self.version += 1

    # -- once per drawn frame -----------------------------------------------------------------------------

    def tick(self) -> None:
        """Follow what runs; collect what was read, and have read what is wished next."""
        self._follow()
        self._collect_files()
        if self._work is not None and self._work.done():
            work, self._work = self._work, None
            try:
                self._take(work.result())
            except (RoiError, OSError) as error:
                log.error("%s", error)
            except Exception as error:
                log.exception("not compared: %s", error)
        if self._work is None and self._wish is not None and self.outcome is not None:
            row, self._wish = self._wish, None
            if row < len(self.outcome.found.pairs):
                self._work = self._helper.submit(_traced, self.outcome, self.outcome.rows[row])

    def close(self) -> None:
        """End the thread."""
        self._helper.shutdown(wait=True, cancel_futures=True)

    def _take(self, what: Compared | Lines) -> None:
        self.version += 1
        if isinstance(what, Lines):
            chosen = self.outcome.rows[self.chosen] if self.outcome and self.chosen is not None else None
            self.lines = what if what.row is chosen else None
            return
        self.outcome, self.lines, self.chosen = what, None, None
        log.info("A is %s, B is %s: %s", what.found.a, what.found.b, what.found.summary())
        if what.found.pairs:
            self.choose(0)

    def _follow(self) -> None:
        """Keep the cells of a session that was replaced; offer recordings as they come."""
        session = self._do.session
        if session is not self._last:
            last, self._last = self._last, session
            before = last.snapshot() if last is not None else None
            if before is not None and before.activity is not None:
                without = replace(before, frames=FrameRing(2, (1, 1)))  # hundreds of MB that nobody needs
                self._before = Side(BEFORE, snapshot=without)
            film = self._do.replay.film
            if film is not None and film.recording is not None:
                self._offer(film.recording)
        take = session.snapshot().recording if session is not None else None
        if take is not None and not take.closing and not self._do.recording():
            self._offer(take.path)

    def _offer(self, path: Path) -> None:
        """Add a recording once, and choose sides where none are chosen yet."""
        if path not in self._offered:
            self.add(path, quiet=True)

    def _collect_files(self) -> None:
        done = [work for work in self._adding if work.done()]
        for sides in (work.result() for work in done):
            # a recording that is added again may have been refined meanwhile
            paths = {side.path for side in sides}
            self._files = [side for side in self._files if side.path not in paths]
            names = {side.label for side in self._files}
            sides = [replace(one, label=_unlike(one, names)) for one in sides]
            self._files += sides
            if sides and not self.sides[0]:
                self.sides = (sides[0].label, NOW)
        self._adding = [work for work in self._adding if work not in done]


def _unlike(side: Side, names: set[str]) -> str:
    """Return the label of a side; of two files of one name the second is told with its folder."""
    folder = side.path.parent.name if side.path is not None else ""
    return f"{folder}/{side.label}" if side.label in names else side.label


def _sides(path: Path, quiet: bool) -> list[Side]:
    """Return the results that a recording holds; none when it cannot be read."""
    try:
        with Recording(path) as recording:
            kinds = {path.name: recording.cells, f"{path.name}, refined": recording.refined}
    except RoiError as error:
        if not quiet:
            log.error("%s", error)
        return []
    found = [Side(label, path, label != path.name) for label, cells in kinds.items() if cells is not None]
    if not found and not quiet:
        log.warning(words.NO_RESULT.format(path.name))
    return found


def _compared(sides: tuple[Side, Side], least: float) -> Compared:
    with sides[0].opened() as a, sides[1].opened() as b:
        found = compare(a, b, least)
        drawn = outlines(a.components), outlines(b.components)
    rows = [Row(*pair) for pair in found.pairs]
    rows += [Row(cell, None) for cell in found.only_a] + [Row(None, cell) for cell in found.only_b]
    return Compared(sides, found, drawn, tuple(rows), (sides[0].names(), sides[1].names()))


def _traced(outcome: Compared, row: Row) -> Lines:
    """Read the traces of a pair."""
    with outcome.sides[0].opened() as a, outcome.sides[1].opened() as b:
        columns = [np.flatnonzero(each.components.ids == cell)[:1] for each, cell in ((a, row.a), (b, row.b))]
        x = common(a, b).astype(np.float64)
        parts = list(together(a, b, *columns))
    empty = [(np.zeros((0, 1), np.float32),) * 2]
    lines = [np.concatenate([part[k][:, 0] for part in parts or empty]).astype(np.float64) for k in (0, 1)]
    both = np.isfinite(lines[0]) & np.isfinite(lines[1])
    y = [_scored(line, both) for line in lines]
    return Lines(row, *_thinned(x, y[0], y[1]))


def _scored(line: Line, both: NDArray[np.bool_]) -> Line:
    """Return a line less its mean, over its standard deviation, both taken where either line is known."""
    known = line[both]
    spread = float(known.std()) if known.size else 0.0
    return (line - known.mean()) / spread if spread > 0 else np.where(np.isfinite(line), 0.0, np.nan)


def _thinned(x: Line, *lines: Line) -> tuple[Line, ...]:
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
