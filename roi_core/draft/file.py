"""A file for HDF5 that is changed as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from typing import IO, TYPE_CHECKING, Any, Final

from roi_core import beside
from roi_core.draft import journal as journals
from roi_core.draft.journal import END, Change, at_place, changes_of
from roi_core.draft.locks import locked
from roi_core.errors import RecordingError
from roi_core.paths import is_there

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Draft", "copy", "mend", "pending"]

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n\x00"
"""An HDF5 file with a head of version 0: that of every recording."""


def mend(path: Path) -> None:
    """Finish what a kill left half done.

    Raises
    ------
    RecordingError
        Somebody has it open, or the journal beside it is of another file: neither of them is changed.
    """
    journal = beside.changes(path)
    if is_there(journal):
        with locked(path) as raw:
            Draft(raw).replay(journal, changes_of(path, raw))


def pending(path: Path) -> Pending | None:
    """Return a file that reads as `path` will when it is mended; None when nothing is left half done."""
    if not is_there(beside.changes(path)):
        return None
    draft = Pending(path.open("rb"))
    try:
        draft.remember(changes_of(path, draft.raw))
    except RecordingError:  # of another file: this one is as it is
        return None
    return draft


def copy(path: Path, out: Path) -> None:
    """Copy a file as it will be when it is mended; it stays as it is.

    Raises
    ------
    RecordingError
        Somebody has it open, or what lies beside the copy is, or would be, of another file.
    OSError
        The copy cannot be written.
    """
    beside.refuse_left(out)
    with locked(path) as raw:
        changes = changes_of(path, raw) if is_there(beside.changes(path)) else []
        shutil.copyfile(path, out)
    with out.open("r+b") as raw:
        Draft(raw).make(changes)


class Draft:
    """A file for HDF5 that is not changed before `commit`, except behind its end."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw, self._place = raw, 0
        self._first = self._end = raw.seek(0, os.SEEK_END)
        self._changes: dict[tuple[int, int], bytes] = {}
        """By place and length, the latest last."""

    def reach_end(self) -> None:
        """Have HDF5 take all of the file for used.

        The file's head tells where the next thing goes. Of a file that was not `Guarded` things may lie
        behind, which HDF5 would not find and would write over.
        """
        self.seek(0)
        head = self.read(END.stop)
        if head.startswith(SIGNATURE) and int.from_bytes(head[END], "little") < self._end:
            self.seek(END.start)
            self.write(self._end.to_bytes(8, "little"))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def truncate(self, size: int | None = None) -> int:
        """Take note of a new end; the file is never cut below what was there."""
        self._end = self._place if size is None else size
        if self._end > self.raw.seek(0, os.SEEK_END):
            self.raw.truncate(self._end)
        return self._end

    def flush(self) -> None:
        """Do nothing: what counts is `commit`."""

    def readinto(self, buffer: Any) -> int:
        """Read what is there, with all changes."""
        view, place = memoryview(buffer).cast("B"), self._place
        self.raw.seek(place)
        data = self.raw.read(len(view))
        view[: len(data)] = data
        view[len(data) :] = bytes(len(view) - len(data))
        for (start, size), change in self._changes.items():
            low, high = max(start, place), min(start + size, place + len(view))
            if low < high:
                view[low - place : high - place] = change[low - start : high - start]
        self._place += len(view)
        return len(view)

    def read(self, size: int) -> bytes:
        """Read so many bytes; h5py asks for files that can."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def write(self, data: Any) -> int:
        """Append to the file, or remember a change to what is there."""
        view, place = memoryview(data).cast("B"), self._place
        inside = max(0, min(len(view), self._first - place))
        if inside:
            self._changes.pop((place, inside), None)
            self._changes[place, inside] = bytes(view[:inside])
        if inside < len(view):
            self._put(place + inside, view[inside:])
        self._place += len(view)
        self._end = max(self._end, self._place)
        return len(view)

    def remember(self, changes: list[Change]) -> None:
        """Take changes for made."""
        for place, data, _ in changes:
            self._changes[place, len(data)] = data
            self._end = max(self._end, place + len(data))

    def commit(self, path: Path) -> None:
        """Put everything on the disk, and only then change what was there; `path` is the file's name."""
        self._sync()
        journal, changes = beside.changes(path), self._in_order()
        journals.write(journal, changes, sync=True)
        self.replay(journal, changes)

    def replay(self, journal: Path, changes: list[Change]) -> None:
        """Make the changes of a journal and be done with it."""
        self.make(changes)
        journal.unlink()

    def make(self, changes: list[Change]) -> None:
        """Make changes, as often as need be."""
        self._make(changes)
        self._sync()

    def _in_order(self) -> list[Change]:
        """Return the changes in an order in which a reader finds a way through, should it end half-way.

        First the file's head: nothing lies behind the end then. Then from the back to the front, as what is
        new lies behind what leads to it. Where they overlap they are one change, the latest on top.
        """
        changes: list[Change] = []
        for place, size in sorted(self._changes):
            first, data, _ = changes[-1] if changes else Change(0, b"", None)
            if place < (end := first + len(data)):
                changes[-1] = self._change(first, max(end, place + size))
            else:
                changes.append(Change(place, self._changes[place, size], at_place(self.raw, place, size)))
        return [*changes[:1], *reversed(changes[1:])]

    def _change(self, place: int, end: int) -> Change:
        """Return all that is changed from one place to another as one change."""
        kept, self._place = self._place, place
        data = self.read(end - place)
        self._place = kept
        return Change(place, data, at_place(self.raw, place, end - place))

    def _make(self, changes: list[Change]) -> None:
        for place, data, _ in changes:
            self._put(place, memoryview(data))

    def _put(self, place: int, view: memoryview) -> None:
        """Write at a place of the file itself, all of it."""
        self.raw.seek(place)
        while view:
            view = view[self.raw.write(view) :]

    def _sync(self) -> None:
        self.raw.flush()
        os.fsync(self.raw.fileno())


class Pending(Draft):
    """A draft to be read, which closes its file when nobody reads it any more."""

    def __del__(self) -> None:
        self.raw.close()
