"""What a session that did not end well left behind. Knows no toolkit.

While a recording is open a small file in the user's configuration holds its path; a clean end removes it. One
that is still there at the next start, and whose recording nobody writes, is what is left of a crash. It
stays until the recording was opened or the user dismisses it: one on a drive that is not there is told too.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from roi_core.errors import RecordingError, RoiError
from roi_core.recording import Recording
from roi_stream_gui import words
from roi_stream_gui.filing import said
from roi_stream_gui.home import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Future

__all__ = ["Recovery", "Unfinished"]

log = logging.getLogger(__name__)


class Unfinished(NamedTuple):
    """A recording that was not finished, how many frames are safe in it, and the file that tells of it.

    ``why`` it could not be looked into, if so; then the rest is not known.
    """

    path: Path
    rows: int
    mark: Path
    why: str = ""

    @property
    def text(self) -> str:
        """What the user is told."""
        if self.why:
            return words.RECOVERED_NOT.format(why=self.why)
        return words.RECOVERED.format(rows=words.number(self.rows), path=self.path)


class Recovery:
    """Keeps the marks of the open recordings, and finds those of others."""

    def __init__(self, folder: Path) -> None:
        self.found: tuple[Unfinished, ...] = ()
        self._folder = folder / "unfinished"
        self._mine: set[Path] = set()
        self._search: Future[tuple[Unfinished, ...]] | None = None
        self._finished: deque[tuple[Path, Callable[[Path], object]]] = deque()
        self.working = False
        """True while a recording is being finished."""

    def begin(self, path: Path) -> None:
        """Remember that `path` is being written."""
        mark = self._folder / f"{os.getpid()}-{time.time_ns()}.json"
        self._mine.add(mark)
        with suppress(OSError):  # a home that cannot be written is no reason not to record
            write_whole(mark, json.dumps({"path": str(path.absolute())}))

    def end(self) -> None:
        """Forget what was written: the files are finished."""
        while self._mine:
            _remove(self._mine.pop())

    def search(self, submit: Callable[..., Future[tuple[Unfinished, ...]]]) -> None:
        """Look for what was left behind, on whichever thread `submit` gives work to."""
        self._search = submit(left_behind, self._folder, self._mine)

    def collect(self) -> None:
        """Take the answer when it is there."""
        if self._search is not None and self._search.done() and not self._search.cancelled():
            self.found = self._search.result()
            self._search = None
        while self._finished:
            path, then = self._finished.popleft()
            self.opened(str(path))
            then(path)

    def finish_first(self) -> None:
        """Finish the first that was found."""
        if self.found:
            self.finish(self.found[0].path)

    def finish(self, path: Path, then: Callable[[Path], object] = lambda _path: None) -> None:
        """Finish a recording on a thread of its own, cut off by the end of the program; `then` tell."""
        if self.working:
            log.warning(words.FINISHING)
        else:
            self.working = True
            Thread(target=self._finish, args=(path, then), name="recover", daemon=True).start()

    def _finish(self, path: Path, then: Callable[[Path], object]) -> None:
        from roi_core.offline.recover import recover

        try:
            found = recover(path)
        except (RoiError, OSError) as error:
            log.warning(words.FINISHED_NOT, said(error))
        else:
            log.info(words.FINISHED, words.number(found.rows), path)
            for note in found.notes:
                log.info("%s: %s", path, note)
            self._finished.append((path, then))
        finally:
            self.working = False

    def open(self, connect: Callable[[str], object]) -> None:
        """Show the first that was found, played or, without a movie, looked at; it is told of until then."""
        if self.found:
            connect(str(self.found[0].path))

    def opened(self, source: str) -> None:
        """Tell no more of a recording that was opened."""
        for one in self.found:
            if str(one.path) == source:
                self._forget(one)

    def dismiss(self) -> None:
        """Tell no more of the first that was found; the recording itself stays."""
        if self.found:
            self._forget(self.found[0])

    def _forget(self, one: Unfinished) -> None:
        self.found = tuple(other for other in self.found if other is not one)
        _remove(one.mark)


def left_behind(folder: Path, mine: Collection[Path] = ()) -> tuple[Unfinished, ...]:
    """Return the recordings that were not finished, newest first, without those of the marks in `mine`.

    Marks that tell of none are removed.
    """
    try:
        marks = sorted(folder.glob("*.json"), key=lambda mark: mark.stat().st_mtime, reverse=True)
    except OSError:
        return ()
    return tuple(found for mark in marks if mark not in mine and (found := _read(mark)) is not None)


def _read(mark: Path) -> Unfinished | None:
    """Look at the recording that a mark tells of; one that cannot be opened now may be another time."""
    try:
        path = Path(json.loads(mark.read_text(encoding="utf-8"))["path"])
    except OSError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        log.debug("nothing to recover from %s: %s", mark, error)
        _remove(mark)
        return None
    try:
        with Recording(path) as recording:
            if recording.being_written:
                return None  # by another window: it is not ours to tell
            if not recording.complete:
                return Unfinished(path, recording.rows, mark)
    except (OSError, ValueError, RecordingError) as error:
        return Unfinished(path, 0, mark, said(error))
    _remove(mark)
    return None


def _remove(mark: Path) -> None:
    with suppress(OSError):
        mark.unlink(missing_ok=True)
