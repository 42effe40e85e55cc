"""The catalogue of recordings, looked into from the window. Knows no toolkit.

Files may lie on a drive that sleeps: everything is done on one thread of its own, and `tick` collects it.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from roi_core.catalogue import Catalogue, Entry, Query, State, place
from roi_core.errors import RoiError
from roi_stream_gui import words
from roi_stream_gui.filing import said

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Library", "line"]

log = logging.getLogger(__name__)

Answer = tuple[tuple[Entry, ...], str]
"""What was found, and a sentence if there is one to tell."""


class Library:
    """What the catalogue has for the words asked; hangs on the controller."""

    def __init__(
        self,
        folder: Callable[[], Path],
        connect: Callable[[str], object],
        finish: Callable[[Path, Callable[[Path], object]], object],
    ) -> None:
        self.text = ""
        self.found: tuple[Entry, ...] = ()
        """What fits, newest first."""
        self.chosen: Entry | None = None
        self._folder = folder
        self._connect = connect
        self._finish = finish
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="library")
        self._asked: list[Future[Answer]] = []

    @property
    def busy(self) -> bool:
        """Whether there is still something to come."""
        return bool(self._asked)

    def refresh(self) -> None:
        """Look at every file again; where nothing is known yet, into the folder of recordings."""
        self._ask(_refreshed)

    def look(self, text: str) -> None:
        """Look for words."""
        self.text = text.strip()
        self._ask(_found)

    def rescan(self) -> None:
        """Read every recording of the folder of recordings anew."""
        self._ask(_rebuilt)

    def remember(self, path: Path) -> None:
        """Take in a recording that was finished."""
        self._ask(partial(_remembered, path))

    def choose(self, number: int) -> None:
        """Choose one of those found."""
        self.chosen = self.found[number] if number < len(self.found) else None

    def open(self) -> bool:
        """Open the chosen recording in the window; tell whether there is something to open."""
        if self.chosen is None:
            log.warning(words.LIBRARY_CHOOSE)
        elif self.chosen.state is State.MISSING:
            log.warning(words.LIBRARY_MISSING, self.chosen.path)
        else:
            self._connect(self.chosen.path)
            return True
        return False

    @property
    def unfinished(self) -> bool:
        """Whether the chosen recording was cut short and can be finished."""
        return self.chosen is not None and self.chosen.state is State.INCOMPLETE

    def finish(self) -> None:
        """Finish the chosen recording, which a crash cut short, and look at it again."""
        if self.chosen is None:
            log.warning(words.LIBRARY_CHOOSE)
        elif not self.unfinished:
            log.warning(words.LIBRARY_WHOLE, self.chosen.path, self.chosen.state)
        else:
            self._finish(Path(self.chosen.path), self.remember)

    def tick(self) -> None:
        """Take what came; the last answer counts."""
        while self._asked and self._asked[0].done():
            asked = self._asked.pop(0)
            try:
                self.found, news = asked.result()
            except (RoiError, OSError) as error:
                log.error("%s", said(error))
                continue
            except Exception as error:
                log.exception("the catalogue failed: %s", error)
                continue
            kept = [entry for entry in self.found if self.chosen and entry.path == self.chosen.path]
            self.chosen = kept[0] if kept else None
            if news:
                log.info("%s", news)

    def close(self) -> None:
        """Finish what is being written; what was only asked for is left out."""
        for asked in self._asked:
            asked.cancel()
        self._helper.shutdown(wait=True)

    def _ask(self, how: Callable[[Catalogue, Query, Path], Answer]) -> None:
        folder, query = self._folder(), Query(tuple(self.text.split()))
        self._asked.append(self._helper.submit(_answer, place(str(folder)), how, query, folder))


def line(entry: Entry) -> tuple[str, ...]:
    """Return what the table says of a recording: start, length, subject, cells, lost, state, file."""
    cells = entry.refined if entry.refined is not None else entry.cells
    lost = "?" if entry.lost is None else str(entry.lost)
    return (
        entry.start[:16].replace("T", " "),
        "" if entry.seconds is None else words.clock(entry.seconds),
        entry.subject,
        "" if cells is None else str(cells),
        "" if entry.rows is None else lost,
        str(entry.state),
        Path(entry.path).name,
    )


def _answer(
    where: Path, how: Callable[[Catalogue, Query, Path], Answer], query: Query, folder: Path
) -> Answer:
    with Catalogue(where) as catalogue:
        return how(catalogue, query, folder)


def _found(catalogue: Catalogue, query: Query, _folder: Path) -> Answer:
    return tuple(catalogue.find(query)), ""


def _remembered(path: Path, catalogue: Catalogue, query: Query, folder: Path) -> Answer:
    catalogue.add([path])
    return _found(catalogue, query, folder)


def _refreshed(catalogue: Catalogue, query: Query, folder: Path) -> Answer:
    catalogue.refresh()
    if not catalogue.find(Query(limit=1)) and folder.is_dir():
        catalogue.rebuild([folder])
    return _found(catalogue, query, folder)


def _rebuilt(catalogue: Catalogue, query: Query, folder: Path) -> Answer:
    count = catalogue.rebuild([folder])
    return _found(catalogue, query, folder)[0], words.LIBRARY_SCANNED.format(count, folder)
