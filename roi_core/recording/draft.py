"""Changes to a recording that happen as a whole or not at all, whatever kills the program.

HDF5 changes a few bytes of what is there (the file's head, lists of names, lengths) and appends the rest. It
is made to work on a `Draft`: what it appends goes to the file, behind everything that counts; what it
changes is kept in memory. When all is written and on the disk, the changes go into a journal of their own,
then into the file. A kill before the journal is whole leaves the old file; after that the next who asks
(`mend`) finishes the job, as often as it takes.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from roi_core.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Draft", "locked", "mend"]

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n\x00"
"""An HDF5 file with a head of version 0: that of every recording."""
END: Final = slice(40, 48)
"""Where such a head tells how much of the file is used."""
MAGIC: Final = b"roi_stream journal 1\n"


def mend(path: Path) -> None:
    """Finish what a kill left half done."""
    journal = _journal(path)
    if journal.exists():
        with locked(path) as raw:
            Draft(raw).replay(journal)


class Draft:
    """A file for HDF5 that is not changed before `commit`, except behind its end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._place = raw, 0
        self._first = self._end = raw.seek(0, os.SEEK_END)
        self._changes: list[tuple[int, bytes]] = []

    def reach_end(self) -> None:
        """Have HDF5 take all of the file for used.

        The file's head tells where the next thing goes. A flush writes it last, so after a kill in its middle
        things may lie behind, which HDF5 would not find and would write over.
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
        if self._end > self._raw.seek(0, os.SEEK_END):
            self._raw.truncate(self._end)
        return self._end

    def flush(self) -> None:
        """Do nothing: what counts is `commit`."""

    def readinto(self, buffer: Any) -> int:
        """Read what is there, with all changes."""
        view, place = memoryview(buffer).cast("B"), self._place
        self._raw.seek(place)
        data = self._raw.read(len(view))
        view[: len(data)] = data
        view[len(data) :] = bytes(len(view) - len(data))
        for start, change in self._changes:
            low, high = max(start, place), min(start + len(change), place + len(view))
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
        data, place = bytes(data), self._place
        inside = max(0, min(len(data), self._first - place))
        if inside:
            self._change(place, data[:inside])
        if inside < len(data):
            self._raw.seek(place + inside)
            self._raw.write(data[inside:])
        self._place += len(data)
        self._end = max(self._end, self._place)
        return len(data)

    def _change(self, place: int, data: bytes) -> None:
        """Remember a change behind all others, and forget those that it covers."""
        end = place + len(data)
        kept = [(start, old) for start, old in self._changes if start < place or start + len(old) > end]
        self._changes = [*kept, (place, data)]

    def commit(self, path: Path) -> None:
        """Put everything on the disk, and only then change what was there; `path` is the file's name."""
        journal = _journal(path)
        self._raw.flush()
        os.fsync(self._raw.fileno())
        new = journal.with_suffix(".new")
        with new.open("wb") as file:
            file.write(MAGIC)
            for place, data in self._changes:
                file.write(struct.pack("<qq", place, len(data)) + data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, journal)
        self.replay(journal)

    def replay(self, journal: Path) -> None:
        """Make the changes of a journal, as often as need be."""
        data = journal.read_bytes()
        if not data.startswith(MAGIC):
            raise RecordingError(f"{journal} does not hold changes of a recording; move it away")
        at = len(MAGIC)
        while at < len(data):
            place, size = struct.unpack_from("<qq", data, at)
            self._raw.seek(place)
            self._raw.write(data[at + 16 : at + 16 + size])
            at += 16 + size
        self._raw.flush()
        os.fsync(self._raw.fileno())
        journal.unlink()


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.stem}.draft")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading and writing while no one else does; on systems without locks, just open it.

    Raises
    ------
    RecordingError
        Somebody has it open, another program or a part of this one; or it cannot be written.
    """
    try:
        raw = path.open("r+b")
    except OSError as error:
        raise RecordingError(f"{path} cannot be changed: {(error.strerror or str(error)).lower()}") from error
    with raw:
        try:
            import fcntl
        except ImportError:
            yield raw
            return
        try:
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock that HDF5 takes, too
        except BlockingIOError as error:
            raise RecordingError(
                f"{path} is open in another program, which may be recording to it; close it there and run "
                "the same command again"
            ) from error
        except OSError:  # a file system without locks: HDF5 does without as well
            pass
        yield raw
