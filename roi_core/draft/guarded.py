"""The file of a recording under way: each flush is whole, and its name is that of who began first."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import IO, TYPE_CHECKING, Any, Final

from roi_core import beside
from roi_core.draft import journal as journals
from roi_core.draft import locks
from roi_core.draft.file import Draft, mend
from roi_core.errors import RecordingError
from roi_core.paths import is_there

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Guarded"]

WORTH: Final = 2**23
"""Bytes of which the disk is told; of less the system may think what it likes."""


class Guarded(Draft):
    """A new file for HDF5 of which every flush is a whole, whatever kills the program; nobody else writes it.

    A flush waits for no disk: it is safe from the end of the program, not from that of the power.
    """

    def __init__(self, path: Path, overwrite: bool) -> None:
        """Begin the file.

        Raises
        ------
        FileExistsError
            The name is taken, perhaps by one who is just beginning a file, too.
        RecordingError
            What would be overwritten is being written, or what lies beside it is of another file.
        """
        self._path, self._overwrite = path, overwrite
        self._failure: OSError | None = None
        self._handed = self._told = 0
        if overwrite and is_there(path):
            beside.refuse_twin(path)
            mend(path)
            with locks.locked(path):  # refuse one that somebody is writing
                pass
        else:
            beside.refuse_left(path, told=overwrite)
        # it has its name only when it can be read; Windows renames no open file
        self._begun = beside.begun(path) if os.name == "posix" else None
        super().__init__(self._claimed())

    def _claimed(self) -> IO[bytes]:
        """Open what gets the name later; as long as it is open nobody else begins a file of that stem."""
        if self._begun is None:
            return self._path.open("w+b" if self._overwrite else "x+b", buffering=0)
        raw = open(self._begun, "r+b", buffering=0, opener=_made)
        try:
            locks.lock(raw)
            if not _is_named(raw, self._begun):  # it has another name since it was opened
                raise BlockingIOError
            self._refuse_what_came_meanwhile(self._begun)
            raw.truncate(0)
        except BlockingIOError as error:
            raw.close()
            raise (locks.busy(self._path) if self._overwrite else _taken(self._path)) from error
        except (OSError, RecordingError):
            raw.close()
            raise
        return raw

    def _refuse_what_came_meanwhile(self, begun: Path) -> None:
        """Leave the name to who has begun and named a file of its stem since this was asked for."""
        try:
            if self._overwrite:
                beside.refuse_twin(self._path)
            elif is_there(self._path) or beside.twin(self._path) is not None:
                raise _taken(self._path)
        except (FileExistsError, RecordingError):
            begun.unlink()
            raise

    def write(self, data: Any) -> int:
        """Append to the file, or remember a change to what is there; what does not fit waits for room."""
        place = self._place
        try:
            return super().write(data)
        except OSError as error:
            self._failure = error
            inside = max(0, min(len(data), self._first - place))
            self._changes[place + inside, len(data) - inside] = bytes(data)[inside:]
            self._place = place + len(data)
            self._end = max(self._end, self._place)
            return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Take note of a new end."""
        self._end = self._place if size is None else size
        return self._end

    def flush(self) -> None:
        """Make the changes since the last flush; what cannot be made waits for the next."""
        try:
            if self._changes:
                self._append()
                journal, changes = beside.changes(self._path), self._in_order()
                journals.write(journal, changes, sync=False)
                self._make(changes)
                journal.unlink()
                self._changes.clear()
            self._first = self._end
            self._hand_to_disk()
            if self._begun is not None:
                _name(self._begun, self._path, self._overwrite)
                self._begun = None
        except OSError as error:
            self._failure = error

    def _hand_to_disk(self) -> None:
        """Have the disk begin with what is new, and give back the memory of what it has.

        Else the system keeps gigabytes, and then writes them all at once: seconds in which every program
        stalls. Linux does both when told that nobody needs them: it begins to write what is not on the disk
        yet and lets go of what is, so each part is told of twice.
        """
        if self._end - self._told < WORTH or not hasattr(os, "posix_fadvise"):
            return
        with contextlib.suppress(OSError):
            length = self._end - self._handed
            os.posix_fadvise(self.raw.fileno(), self._handed, length, os.POSIX_FADV_DONTNEED)
        self._handed, self._told = self._told, self._end

    def _append(self) -> None:
        """Have all that lies behind the old end in the file before anything leads there."""
        for (place, size), data in list(self._changes.items()):
            if place + size > self._first:
                self._put(place, memoryview(data))
                del self._changes[place, size]
        if self._end > self.raw.seek(0, os.SEEK_END):
            self.raw.truncate(self._end)

    def check(self) -> None:
        """Raise what went wrong since this was last asked: HDF5 itself does not outlive an error."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def abandon(self) -> None:
        """Leave nothing behind."""
        self.raw.close()
        (self._begun or self._path).unlink()

    def close(self) -> None:
        """Make the last changes and close the file; may be called twice."""
        if not self.raw.closed:
            with self.raw:
                self.flush()
                self.check()
                self.raw.truncate(self._end)


def _made(path: str, flags: int) -> int:
    """Open a file that need not be there yet."""
    return os.open(path, flags | os.O_CREAT, 0o666)


def _is_named(raw: IO[bytes], path: Path) -> bool:
    """Tell whether an open file is the one that has a name now."""
    try:
        return os.path.samestat(os.fstat(raw.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _name(begun: Path, path: Path, overwrite: bool) -> None:
    """Give a file its name, but not that of another one unless that is to be overwritten."""
    try:
        if not overwrite:
            os.link(begun, path)
    except FileExistsError:
        raise
    except OSError as error:  # a disk without links
        if is_there(path):
            raise _taken(path) from error
        overwrite = True
    if overwrite:
        begun.replace(path)
    else:
        begun.unlink()


def _taken(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
