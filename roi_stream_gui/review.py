"""Two results side by side: the cells they share, and the traces of a chosen pair. Knows no toolkit.

A result is a recording's (found online, or refined), what runs now, or what ran before it: a replay that is
replaced by another is kept, so that parameters can be compared with no recording at all. Files are read on a
thread of its own; `tick` collects what it brought.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.errors import RoiError
from roi_core.offline.compare import LEAST
from roi_core.paths import expanded
from roi_core.reviewed import Reviewed
from roi_core.ring import FrameRing
from roi_stream_gui import words
from roi_stream_gui.twosides import Compared, Lines, Side, compared, sides_of, traced

if TYPE_CHECKING:
    from roi_core.session import Session
    from roi_stream_gui.controller import Controller

__all__ = ["BEFORE", "NOW", "Review"]

log = logging.getLogger(__name__)

NOW: Final = "this run"
BEFORE: Final = "the run before"


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
        snapshot = self._do.now if not self._do.replay.reviewing else None
        found = [Side(NOW, snapshot=snapshot)] if snapshot is not None and snapshot.activity else []
        return [*found, *([self._before] if self._before else []), *self._files]

    def add(self, text: str | Path, *, quiet: bool = False) -> None:
        """Offer the results of a recording; what is not one is refused in a sentence, unless ``quiet``."""
        path = expanded(text)
        self._offered.add(path)
        self._adding.append(self._helper.submit(sides_of, path, quiet))

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
            self._work = self._helper.submit(compared, sides, self.least)

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
                self._work = self._helper.submit(traced, self.outcome, self.outcome.rows[row])

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
            ran = last is not None and not isinstance(last, Reviewed)  # a recording is offered as itself
            before = last.snapshot() if last is not None and ran else None
            if before is not None and before.activity is not None:
                without = replace(before, frames=FrameRing(2, (1, 1)))  # hundreds of MB that nobody needs
                self._before = Side(BEFORE, snapshot=without)
            film = self._do.replay.film
            if film is not None and film.recording is not None:
                self._offer(film.recording)
        now = self._do.now
        take = now.recording if now is not None and not self._do.taking.is_on(now) else None
        if take is not None and not take.closing:
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
