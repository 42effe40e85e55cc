"""The catalogue of recordings, looked into from the window. Knows no toolkit.

Files may lie on a drive that sleeps: they are read on a thread of their own, beside that of the searches, and
`tick` collects what came.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from roi_core.catalogue import Catalogue, Entry, Query, State, place
from roi_core.errors import RoiError
from roi_core.paths import is_folder
from roi_stream_gui import words
from roi_stream_gui.filing import said

__all__ = ["Library", "line"]

log = logging.getLogger(__name__)

T = TypeVar("T")

Scan = Callable[[Catalogue, Path, Callable[[], bool]], str]
"""Brings a catalogue up to date from a folder until it is to stop; returns a sentence, or ''."""


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
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="library")
        self._scanner = ThreadPoolExecutor(1, thread_name_prefix="library scan")
        self._closed = threading.Event()
        self._search: Future[tuple[Entry, ...]] | None = None
        self._changes: list[Future[str]] = []
        self._next: Future[str] | None = None
        """The last scan that was asked for."""

    @property
    def busy(self) -> bool:
        """Whether there is still something to come."""
        return bool(self._changes) or self._search is not None

    def refresh(self) -> None:
        """Look at every file again; where nothing is known yet, into the folder of recordings."""
        self._ask()
        self._scan(_refreshed)

    def look(self, text: str) -> None:
        """Look for words."""
        self.text = text.strip()
        self._ask()

    def rescan(self) -> None:
        """Read every recording of the folder of recordings anew."""
        self._scan(_rebuilt)

    def remember(self, path: Path) -> None:
        """Take in a recording that was finished."""
        self._changes.append(self._searcher.submit(self._change, partial(_remembered, path), self._folder()))

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
        """Take what came: after a change it is looked for again, and the last answer counts."""
        for change in [change for change in self._changes if change.done()]:
            self._changes.remove(change)
            news = _result(change)
            if news is not None:
                self._ask()
            if news:
                log.info("%s", news)
        if self._search is not None and self._search.done():
            found, self._search = _result(self._search), None
            if found is not None:
                self.found = found
                kept = [entry for entry in found if self.chosen and entry.path == self.chosen.path]
                self.chosen = kept[0] if kept else None

    def close(self) -> None:
        """Finish what is being written; what was only asked for is left out."""
        self._closed.set()
        for helper in (self._scanner, self._searcher):
            helper.shutdown(wait=True)

    def _ask(self) -> None:
        """Look for the words; an answer to earlier ones is not waited for."""
        if self._search is not None:
            self._search.cancel()
        query = Query(tuple(self.text.split()))
        self._search = self._searcher.submit(_found, place(str(self._folder())), query)

    def _scan(self, how: Scan) -> None:
        """Scan after the scan that runs, in place of one that has not begun."""
        if self._next is not None and self._next.cancel():
            self._changes.remove(self._next)
        self._next = self._scanner.submit(self._change, how, self._folder())
        self._changes.append(self._next)

    def _change(self, how: Scan, folder: Path) -> str:
        with Catalogue(place(str(folder))) as catalogue:
            return how(catalogue, folder, self._closed.is_set)


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


def _result(asked: Future[T]) -> T | None:
    """Return what came of a task; of one that failed None, and it is told."""
    try:
        return asked.result()
    except (RoiError, OSError) as error:
        log.error("%s", said(error))
    except Exception as error:
        log.exception("the catalogue failed: %s", error)
    return None


def _found(where: Path, query: Query) -> tuple[Entry, ...]:
    with Catalogue(where) as catalogue:
        return tuple(catalogue.find(query))


def _remembered(path: Path, catalogue: Catalogue, _folder: Path, _stop: Callable[[], bool]) -> str:
    catalogue.add([path])
    return ""


def _refreshed(catalogue: Catalogue, folder: Path, stop: Callable[[], bool]) -> str:
    catalogue.refresh(stop)
    if not catalogue.find(Query(limit=1)) and is_folder(folder):
        catalogue.rebuild([folder], stop=stop)
    return ""


def _rebuilt(catalogue: Catalogue, folder: Path, stop: Callable[[], bool]) -> str:
    count = catalogue.rebuild([folder], stop=stop)
    return words.LIBRARY_SCANNED.format(words.counted(count, "recording"), folder)
