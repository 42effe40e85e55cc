"""Files that only one program writes at a time."""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING

from roi_core.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Busy", "busy", "lock", "locked"]


class Busy(RecordingError):
    """Somebody has the file open."""


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
            lock(raw)
        except BlockingIOError as error:
            raise busy(path) from error
        if raw.seek(0, os.SEEK_END) == 0:  # HDF5 would begin a new file in it
            raise RecordingError(f"{path} is empty, so it is not a recording; it was left as it is")
        yield raw


def busy(path: Path) -> Busy:
    """Return what to raise when somebody has a file open."""
    return Busy(
        f"{path} is open in another program, which may be recording to it; close it there and run "
        "the same command again"
    )


def lock(raw: IO[bytes]) -> None:
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
