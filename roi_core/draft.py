"""Changes to a recording that happen as a whole or not at all, whatever kills the program.

HDF5 changes a few bytes of what is there (the file's head, indexes, lengths) and appends the rest, in any
order; cut short, that can cost a whole dataset. So it works on a `Draft`: what it appends goes to the file,
behind everything that counts; what it changes is kept in memory. When all is written, the changes go into a
journal of their own, then into the file. A kill before the journal is whole leaves the old file; after that
the next who asks (`mend`) finishes the job, as often as it takes. The journal also keeps what it
replaces: so it is known not to be of another file that got the name since.

The recorder writes through a `Guarded` file, for which each flush is such a change.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import struct
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from roi_core import beside
from roi_core.errors import RecordingError
from roi_core.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Busy", "Draft", "Guarded", "copy", "locked", "mend", "pending"]

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n\x00"
"""An HDF5 file with a head of version 0: that of every recording."""
WORTH: Final = 2**23
"""Bytes of which the disk is told; of less the system may think what it likes."""
END: Final = slice(40, 48)
"""Where such a head tells how much of the file is used."""
MAGIC: Final = b"roi_stream journal 2\n"
OLDER: Final = b"roi_stream journal 1\n"
"""Without what was there before; read only."""


class Busy(RecordingError):
    """Somebody has the file open."""


class Change(NamedTuple):
    """Bytes for a place of a file, and those ``before``: by them a journal knows its file again.

    Journals of an earlier version do not tell what was before.
    """

    place: int
    data: bytes
    before: bytes | None


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
            Draft(raw).replay(journal, _changes_of(path, raw))


def pending(path: Path) -> Pending | None:
    """Return a file that reads as `path` will when it is mended; None when nothing is left half done."""
    if not is_there(beside.changes(path)):
        return None
    draft = Pending(path.open("rb"))
    try:
        draft.remember(_changes_of(path, draft.raw))
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
        changes = _changes_of(path, raw) if is_there(beside.changes(path)) else []
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
        _write_journal(journal, changes, sync=True)
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
                changes.append(Change(place, self._changes[place, size], _there(self.raw, place, size)))
        return [*changes[:1], *reversed(changes[1:])]

    def _change(self, place: int, end: int) -> Change:
        """Return all that is changed from one place to another as one change."""
        kept, self._place = self._place, place
        data = self.read(end - place)
        self._place = kept
        return Change(place, data, _there(self.raw, place, end - place))

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
            with locked(path):  # refuse one that somebody is writing
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
            _lock(raw)
            if not _is_named(raw, self._begun):  # it has another name since it was opened
                raise BlockingIOError
            self._refuse_what_came_meanwhile(self._begun)
            raw.truncate(0)
        except BlockingIOError as error:
            raw.close()
            raise (_busy(self._path) if self._overwrite else _taken(self._path)) from error
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
                _write_journal(journal, changes, sync=False)
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


def _write_journal(journal: Path, changes: list[Change], sync: bool) -> None:
    """Write a journal; it has its name only when it is whole."""
    new = journal.with_name(f"{journal.name}.new")
    with new.open("wb") as file:
        file.write(MAGIC)
        for place, data, before in changes:
            file.write(struct.pack("<qq", place, len(data)) + data + (before or b""))
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.replace(new, journal)


def _changes_of(path: Path, raw: IO[bytes]) -> list[Change]:
    """Return the changes that wait beside a file; refuse those of another one."""
    journal = beside.changes(path)
    changes = _read_journal(journal)
    if not _is_of(changes, raw):
        raise RecordingError(
            f"{journal} holds changes of another file than {path.name}, or of one that was changed since; "
            "neither was touched: move it away and run the same command again"
        )
    return changes


def _is_of(changes: list[Change], raw: IO[bytes]) -> bool:
    """Tell whether all that would be changed is as it was, or changed already, or half-way."""
    if all(change.before is not None for change in changes):
        return all(_is_under_way(change, _there(raw, change.place, len(change.data))) for change in changes)
    # all that is known is how long the file was to be
    heads = [data for place, data, _ in changes if place == 0 and len(data) >= END.stop]
    return any(int.from_bytes(head[END], "little") == raw.seek(0, os.SEEK_END) for head in heads)


def _is_under_way(change: Change, now: bytes) -> bool:
    """Tell whether every byte is the old or the new one."""
    before = change.before or b""
    if now in (before, change.data):
        return True
    return len(now) == len(before) and all(map(_is_either, now, before, change.data))


def _is_either(now: int, before: int, after: int) -> bool:
    return now in (before, after)


def _there(raw: IO[bytes], place: int, size: int) -> bytes:
    """Return what a file holds at a place."""
    raw.seek(place)
    return raw.read(size)


def _read_journal(journal: Path) -> list[Change]:
    data, at, changes = journal.read_bytes(), len(MAGIC), []
    if not data.startswith((MAGIC, OLDER)):
        raise RecordingError(f"{journal} does not hold changes of a recording; move it away")
    tells = data.startswith(MAGIC)
    while at < len(data):
        place, size = struct.unpack("<qq", data[at : at + 16].ljust(16, b"\xff"))
        first, second = at + 16, at + 16 + size
        at = second + size if tells else second
        if place < 0 or size < 0 or at > len(data):
            raise RecordingError(f"{journal} is damaged; move it away")
        changes.append(Change(place, data[first:second], data[second:at] if tells else None))
    return changes


@contextlib.contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading and writing while no one else does; on systems without locks, just open it.

    Raises
    ------
    RecordingError
        Somebody has it open, another program or a part of this one; or it cannot be written, or is empty.
    """
    try:
        raw = path.open("r+b")
    except OSError as error:
        raise RecordingError(f"{path} cannot be changed: {(error.strerror or str(error)).lower()}") from error
    with raw:
        try:
            _lock(raw)
        except BlockingIOError as error:
            raise _busy(path) from error
        if raw.seek(0, os.SEEK_END) == 0:  # HDF5 would begin a new file in it
            raise RecordingError(f"{path} is empty, so it is not a recording; it was left as it is")
        yield raw


def _busy(path: Path) -> Busy:
    return Busy(
        f"{path} is open in another program, which may be recording to it; close it there and run "
        "the same command again"
    )


def _lock(raw: IO[bytes]) -> None:
    """Take the lock that HDF5 takes, too; raise BlockingIOError if somebody has it."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks: HDF5 does without as well
        return
