"""What a session that did not end well left behind. Knows no toolkit.

While a recording is open a small file in the user's configuration holds its path; a clean end removes it. One
that is still there at the next start, and whose recording nobody writes, is what is left of a crash.
"""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from roi_core.errors import RecordingError
from roi_core.recording import Recording
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["Recovery", "Unfinished"]

log = logging.getLogger(__name__)


class Unfinished(NamedTuple):
    """A recording that was not finished, how many frames are safe in it, and the file that tells of it."""

    path: Path
    rows: int
    movie: bool
    mark: Path


class Recovery:
    """Keeps the mark of the open recording, and finds those of others."""

    def __init__(self, folder: Path) -> None:
        self.found: tuple[Unfinished, ...] = ()
        self._folder = folder / "unfinished"
        self._mine: Path | None = None
        self._search: Future[tuple[Unfinished, ...]] | None = None

    def begin(self, path: Path) -> None:
        """Remember that `path` is being written."""
        self._mine = self._folder / f"{os.getpid()}-{time.time_ns()}.json"
        with suppress(OSError):  # a home that cannot be written is no reason not to record
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mine.write_text(json.dumps({"path": str(path.absolute())}), encoding="utf-8")

    def end(self) -> None:
        """Forget it: the file is finished."""
        if self._mine is not None:
            _remove(self._mine)
            self._mine = None

    def search(self, submit: Callable[..., Future[tuple[Unfinished, ...]]]) -> None:
        """Look for what was left behind, on whichever thread `submit` gives work to."""
        self._search = submit(left_behind, self._folder)

    def collect(self) -> None:
        """Take the answer when it is there."""
        if self._search is not None and self._search.done() and not self._search.cancelled():
            self.found = self._search.result()
            self._search = None

    def open(self, connect: Callable[[str], object]) -> None:
        """Show the first that was found; of one without a movie, tell where its traces are."""
        if self.found:
            first = self.found[0]
            if first.movie:
                connect(str(first.path))
            else:
                log.info(words.RECOVERED_TRACES, words.number(first.rows), first.path)
            self.dismiss()

    def dismiss(self) -> None:
        """Tell no more of the first that was found; the recording itself stays."""
        if self.found:
            first, *others = self.found
            self.found = tuple(others)
            _remove(first.mark)


def left_behind(folder: Path) -> tuple[Unfinished, ...]:
    """Return the recordings that were not finished, newest first; marks that tell of none are removed."""
    try:
        marks = sorted(folder.glob("*.json"), key=lambda mark: mark.stat().st_mtime, reverse=True)
        marks = [mark for mark in marks if not mark.name.startswith(f"{os.getpid()}-")]
    except OSError:
        return ()
    return tuple(found for mark in marks if (found := _read(mark)) is not None)


def _read(mark: Path) -> Unfinished | None:
    try:
        path = Path(json.loads(mark.read_text(encoding="utf-8"))["path"])
        with Recording(path) as recording:
            if recording.being_written:
                return None  # by another window: it is not ours to tell
            if not recording.complete:
                return Unfinished(path, recording.rows, recording.movie is not None, mark)
    except (OSError, ValueError, KeyError, TypeError, RecordingError) as error:
        log.debug("nothing to recover from %s: %s", mark, error)
    _remove(mark)
    return None


def _remove(mark: Path) -> None:
    with suppress(OSError):
        mark.unlink(missing_ok=True)
